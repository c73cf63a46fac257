"""The page at /docs: the OpenAPI document for people, in one file that fetches nothing and runs nothing.

FastAPI's own page takes its scripts from another host: nothing without the internet, and a stranger's script where
somebody types the admin key.
"""

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
    forms = document["components"]["schemas"]
    parts = [
        _operation(path, method.upper(), operation, forms)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1><p>{escape(text)} "
        'The same for programs: <a href="/openapi.json">openapi.json</a>.</p>' + "".join(parts) + "</html>\n"
    )


def _operation(path, method, operation, forms) -> str:
    """One operation."""
    key = " <small>needs the admin key</small>" if operation.get("security") else ""
    lines = [f'<section class="{method}"><h2><b>{method}</b> <code>{escape(path)}</code>{key}</h2>']
    lines.append(f"<p>{_prose(operation['description'])}</p>")
    rows = [_row(parameter) for parameter in operation.get("parameters", ())]
    lines.append(f"<table>{''.join(rows)}</table>" if rows else "")
    if "requestBody" in operation:
        lines.append(f"<p>Send</p>{_example(operation['requestBody'], forms)}")
    answers = sorted(operation["responses"].items())
    lines += [f"<p>{status}</p>{_example(answer, forms)}" for status, answer in answers if status < "300"]
    others = [f"{status} {escape(answer['description'])}" for status, answer in answers if status >= "300"]
    return "".join(lines) + f"<p><small>{'Or ' * bool(others)}{'; '.join(others)}</small></p></section>"


def _row(parameter) -> str:
    """One parameter."""
    name, text, example = parameter["name"], parameter["description"], example_of(parameter["schema"], {})
    shown = ", ".join(example) if isinstance(example, list) else json.dumps(example).strip('"')
    return f"<tr><td><code>{escape(name)}</code><td>{escape(text)}<td><small>{escape(shown)}</small></tr>"


def _example(described, forms) -> str:
    """What is sent or comes back."""
    (content,) = described["content"].values()
    example = content.get("example") or example_of(content["schema"], forms)
    return f"<pre>{escape(example if isinstance(example, str) else json.dumps(example, indent=1))}</pre>"


def example_of(schema: dict[str, Any], forms: dict[str, Any]) -> Any:
    """The first example of a schema, put together out of those of its parts where it has none of its own."""
    if "$ref" in schema:
        return example_of(forms[schema["$ref"].rpartition("/")[2]], forms)
    if schema.get("type") == "array" and "examples" not in schema:
        return [example_of(schema["items"], forms)]
    return schema["examples"][0]


def _prose(text) -> str:
    """Text with names in backquotes as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
