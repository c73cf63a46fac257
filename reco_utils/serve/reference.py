"""The page at /docs: the OpenAPI document for people, in one file that fetches nothing from anywhere."""

import json
from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "h2{font-size:1.05rem;margin:2.2rem 0 .2rem;border-top:1px solid #ddd;padding-top:1rem}"
    "code,pre{font-family:ui-monospace,monospace;font-size:.9em}pre{background:#f5f5f2;padding:.7rem;overflow:auto}"
    "b{display:inline-block;min-width:4.2rem;color:#0a6}.DELETE b,.POST b{color:#b40}td{padding:.1rem .8rem .1rem 0;"
    "vertical-align:top}small{color:#666}"
)


def page(document: dict[str, Any]) -> str:
    """The document as HTML: of every operation what it does, its parameters, an example, and what else may come."""
    title, text = document["info"]["title"], document["info"]["description"]
    parts = [
        _operation(path, method.upper(), operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1><p>{escape(text)} "
        'The same for programs: <a href="/openapi.json">openapi.json</a>.</p>' + "".join(parts) + "</html>\n"
    )


def _operation(path, method, operation) -> str:
    """One operation."""
    key = " <small>needs the admin key</small>" if operation.get("security") else ""
    lines = [f'<section class="{method}"><h2><b>{method}</b> <code>{escape(path)}</code>{key}</h2>']
    lines.append(f"<p>{escape(operation['summary'])}. {_prose(operation.get('description', ''))}</p>")
    rows = [_row(parameter) for parameter in operation["parameters"]]
    lines.append(f"<table>{''.join(rows)}</table>" if rows else "")
    if "requestBody" in operation:
        lines.append(f"<p>Send</p>{_example(operation['requestBody'])}")
    for status, response in operation["responses"].items():
        if status < "300":
            lines.append(f"<p>{status}</p>{_example(response)}")
    others = [f"{status} {escape(r['description'])}" for status, r in operation["responses"].items() if status >= "300"]
    return "".join(lines) + f"<p><small>Or {'; '.join(others)}.</small></p></section>"


def _row(parameter) -> str:
    """One parameter."""
    example = parameter["example"]
    examples = example if isinstance(example, list) else [example]
    example = ", ".join(each if isinstance(each, str) else json.dumps(each) for each in examples)
    text = parameter.get("description", "In the path, percent-encoded.")
    return (
        f"<tr><td><code>{escape(parameter['name'])}</code><td>{escape(text)}<td><small>{escape(example)}</small></tr>"
    )


def _example(described) -> str:
    """What is sent or comes back."""
    (content,) = described["content"].values()
    example = content["example"]
    text = example if isinstance(example, str) else json.dumps(example, indent=1)
    return f"<pre>{escape(text)}</pre>"


def _prose(text) -> str:
    """Text with names in backquotes as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
