"""What may be asked over HTTP and what comes back: one table, by which queries are read and the OpenAPI is written.

    OPERATIONS["recommend"].path                                           # "/v1/users/{user}/recommendations"
    read_query(b"k=5&reasons=true", OPERATIONS["recommend"].params)        # {"k": 5, "reasons": True}
    document("0.1.0")                                                      # the OpenAPI document as a dict

So what is documented is what is read, and a parameter costs no validation that its request does not have.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from reco_utils.serve.ask import MAX_ID, MAX_K, MAX_NAMES, MAX_QUERY, MAX_SESSION, BadRequest
from reco_utils.serve.problems import MEDIA_TYPE, TITLES, Problem

MAX_FIELDS = 200  # parameters of one query, repeated ones included
_WHOLE = re.compile(r"-?[0-9]{1,9}")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")


# ------------------------------------------------------------------------------------------------- reading
@dataclass(frozen=True)
class Param:
    """A value in the query.

    Parameters
    ----------
    kind : "string", "integer", "number" or "boolean"
    text : str
        What it does, for the document.
    example : value, or a list of them
    limits : mapping
        JSON schema words such as minimum; the engine refuses what is outside.
    many : bool
        May it come several times?
    required : bool
    """

    kind: str
    text: str
    example: Any
    limits: Mapping[str, Any]
    many: bool = False
    required: bool = False


def read_query(query: bytes, params: Mapping[str, Param]) -> dict[str, Any]:
    """The values of a query by name; lists where a parameter may come several times.

    Raises
    ------
    BadRequest  for an unknown parameter, one too often, one missing, or a value of another kind
    """
    found: dict[str, Any] = {}
    for name, text in _pairs(query) if query else ():
        param = params.get(name)
        if param is None:
            raise BadRequest(f"unknown parameter {name[:40]!r}; there {_listed(params)}")
        if param.many:
            found.setdefault(name, []).append(_value(name, text, param.kind))
        elif name in found:
            raise BadRequest(f"{name} must be given once")
        else:
            found[name] = _value(name, text, param.kind)
    for name, param in params.items():
        if param.required and name not in found:
            raise BadRequest(f"{name} is missing")
    return found


def _pairs(query):
    """Names and texts of a query, or a refusal of what is no query."""
    try:
        return parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise BadRequest(f"the query must be UTF-8, percent-encoded, of at most {MAX_FIELDS} parameters") from None


def _listed(params) -> str:
    """What parameters there are, as the end of a sentence."""
    return f"are {', '.join(params)}" if params else "are none"


def _value(name, text, kind):
    """A text as what it must be."""
    if kind == "string":
        return text
    if kind == "integer" and _WHOLE.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    words = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
    raise BadRequest(f"{name} must be {words[kind]}, got {text[:40]!r}")


def read_id(quoted: str) -> str:
    """An id out of a path, where it stands percent-encoded; whether it may be one is for the engine to say.

    Raises
    ------
    BadRequest  for bytes that are no text
    """
    if "%" not in quoted and quoted.isascii():
        return quoted
    try:
        return unquote_to_bytes(quoted).decode()
    except UnicodeDecodeError:
        raise BadRequest("an id in the path must be UTF-8, percent-encoded") from None


def read_json(body: bytes, content_type: str) -> Any:
    """The value that a body holds; every text in it can be written as UTF-8, and every number is finite.

    Raises
    ------
    Problem  415 for another media type
    BadRequest  for what is no JSON
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "the body must be JSON, with Content-Type: application/json")
    try:
        text = body.decode()
        value = json.loads(text, parse_constant=_no_constant)
        if "\\u" in text:  # half a pair can be written with an escape, and nowhere be stored
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except RecursionError:
        raise BadRequest("the body is nested too deeply") from None
    except UnicodeError:
        raise BadRequest("the body must be text in UTF-8") from None
    except ValueError as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise BadRequest(f"the body is no JSON{where}") from None


def _no_constant(name):
    """NaN and Infinity are no JSON."""
    raise ValueError(name)


def read_object(value: Any, **kinds: type) -> list[Any]:
    """The members of an object in the order of `kinds`, which are all it may and must have.

    Raises
    ------
    BadRequest  that says what the body must be
    """
    wanted = ", ".join(f'"{name}": {_WORDS[kind]}' for name, kind in kinds.items())
    fits = isinstance(value, dict) and set(value) == set(kinds)
    if not fits or not all(_is(value[name], kind) for name, kind in kinds.items()):
        raise BadRequest(f"the body must be {{{wanted}}}")
    return [value[name] for name in kinds]


_WORDS = {str: "text", bool: "true or false", float: "a number"}


def _is(value, kind) -> bool:
    """Is a value of JSON of this kind?"""
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, kind)


# ------------------------------------------------------------------------------------------------- pieces of schemas
def _object(**members) -> dict:
    """An object that has all these members and may get more."""
    return {"type": "object", "properties": members, "required": list(members)}


def _list(of: dict) -> dict:
    """A list of such values."""
    return {"type": "array", "items": of}


def _or_null(schema: dict) -> dict:
    """Such a value, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


TEXT, WHOLE, NUMBER, YES = {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}
ANY: dict = {}
ID = {"type": "string", "minLength": 1, "maxLength": MAX_ID}

PLACE = _object(item=TEXT, rank=WHOLE, score=_or_null(NUMBER), step=TEXT, because=_or_null(TEXT), slot=_or_null(TEXT))
PLACE["properties"]["reason"] = _or_null(TEXT)
ANSWER = _object(
    user=_or_null(TEXT), version=TEXT, step=TEXT, path=TEXT, cached=YES, degraded=_list(TEXT), items=_list(PLACE)
)
FEATURE = _object(value=ANY, age_seconds=NUMBER, stale=YES, source={"enum": ["batch", "stream", "default"]})
EVENT = {
    "type": "object",
    "required": ["event_id", "user_id", "item_id", "event"],
    "properties": {
        "event_id": ID | {"description": "Chosen by the sender; an event that is sent again counts once."},
        "user_id": ID,
        "item_id": ID,
        "event": {"enum": ["view", "click", "add_to_cart", "purchase", "rating"]},
        "timestamp": {"type": "string", "format": "date-time", "description": "Now, if it is missing."},
        "session_id": ID,
        "value": NUMBER,
        "quantity": NUMBER,
        "rating": NUMBER,
        "device": TEXT,
        "dwell_ms": NUMBER,
    },
}
PUBLISHED = _object(version=_or_null(TEXT), canary_version=_or_null(TEXT), canary_share=NUMBER, previous=_or_null(TEXT))
PROBLEM = _object(type=TEXT, title=TEXT, status=WHOLE, detail=TEXT, request_id=TEXT)

# ------------------------------------------------------------------------------------------------- examples
_PLACE = {"item": "mug-7", "rank": 1, "score": 1.9981, "step": "hybrid", "because": "tea-2", "slot": None}
_PLACE["reason"] = "Because you bought Green tea"
_ANSWER = {
    "user": "ann", "version": "000042-c15ba177", "step": "hybrid", "path": "precomputed", "cached": False,
    "degraded": [], "items": [_PLACE],
}  # fmt: skip
_EVENT = {
    "event_id": "7f3c", "user_id": "ann", "item_id": "mug-7", "event": "click", "timestamp": "2026-11-22T08:00:00Z",
}  # fmt: skip
_ITEM = {"item_id": "mug-7", "title": "Blue mug", "category": "Kitchen", "price": 9.5, "in_stock": True}
_FEATURE = {"value": ["Kitchen", "Tea"], "age_seconds": 3.2, "stale": False, "source": "stream"}
_PUBLISHED = {
    "version": "000042-c15ba177", "canary_version": None, "canary_share": 0.0,
    "previous": "000041-3d352750",
}  # fmt: skip
_METRICS = "# TYPE reco_requests_total counter\nreco_requests_total 3\n"
_K = Param("integer", "How many.", 10, {"minimum": 1, "maximum": MAX_K, "default": 10})


# ------------------------------------------------------------------------------------------------- the table
@dataclass(frozen=True)
class Operation:
    """One thing that can be asked for.

    Parameters
    ----------
    method, path : str
        The path with its parts in braces, which are ids of 1 to 256 characters, percent-encoded, slashes too.
    summary, text : str
        What it does, in a line and in a paragraph.
    schema, example : of the answer
    params : mapping of name to Param
    body, body_example : schema and example of the body; None: there is none
    status : int
        When all is well.
    problems : statuses
        What else may come, besides 429 and 503.
    tag : str
    admin : bool
        Is the admin key needed?
    media : str
        Of the answer.
    """

    method: str
    path: str
    summary: str
    schema: dict
    example: Any
    params: Mapping[str, Param] | None = None
    text: str = ""
    body: dict | None = None
    body_example: Any = None
    status: int = 200
    problems: Sequence[int] = (400,)
    tag: str = "shop"
    admin: bool = False
    media: str = "application/json"


OPERATIONS = {
    "recommend": Operation(
        "GET",
        "/v1/users/{user}/recommendations",
        "A list for a user, known or not",
        ANSWER,
        _ANSWER,
        {
            "k": _K,
            "reasons": Param("boolean", "Add a sentence why, where there is an honest one.", True, {"default": False}),
            "category": Param(
                "string", "Only these; may be repeated.", ["Kitchen"], {"maxItems": MAX_NAMES}, many=True
            ),
            "min_price": Param("number", "Nothing cheaper.", 5, {"minimum": 0}),
            "max_price": Param("number", "Nothing dearer.", 50, {"minimum": 0}),
            "session": Param(
                "string",
                "Items clicked in this visit, the oldest first; repeated.",
                ["tea-2"],
                {"maxItems": MAX_SESSION},
                many=True,
            ),
            "model": Param("string", "One model instead of all; see /v1/models.", "hybrid", {}),
            "arm": Param("string", "Arm of an experiment: its lists are cached apart.", "b", {}),
        },
        text="`step` names the part of the model that answered: strangers get what their cohort likes. `degraded` "
        "names parts that failed or were late while this list was made; `busy` means that nobody had time to make one, "
        "so that what is popular is shown.",
    ),
    "features": Operation(
        "GET",
        "/v1/users/{user}/features",
        "What is known of a user, and how old that is",
        {"type": "object", "additionalProperties": FEATURE},
        {"recent_categories": _FEATURE},
    ),
    "forget": Operation(
        "DELETE",
        "/v1/users/{user}",
        "Remove every trace of a user",
        _object(removed={"type": "object"}, trace=_list(TEXT), clean=YES),
        {"removed": {"events": 12, "features": 2, "cache": 3, "memory": 1}, "trace": [], "clean": True},
        text="`removed` counts by place; `trace` names what still holds the user after that, and is empty.",
        tag="admin",
        admin=True,
    ),
    "similar": Operation(
        "GET",
        "/v1/items/{item}/similar",
        "What goes with an item",
        ANSWER,
        {**_ANSWER, "user": None, "step": "similar"},
        {"k": _K},
        problems=(400, 404),
    ),
    "items": Operation(
        "GET",
        "/v1/items",
        "Several rows of the catalogue",
        _object(items=_list({"type": "object"}), unknown=_list(TEXT)),
        {"items": [_ITEM], "unknown": []},
        {
            "id": Param(
                "string", "Ids; repeated.", ["mug-7"], {"minItems": 1, "maxItems": MAX_K}, many=True, required=True
            )
        },
    ),
    "item": Operation(
        "GET", "/v1/items/{item}", "A row of the catalogue", {"type": "object"}, _ITEM, problems=(400, 404)
    ),
    "search": Operation(
        "GET",
        "/v1/search",
        "Items for what somebody typed",
        {**ANSWER, "properties": {**ANSWER["properties"], "understood": {"type": "object"}}},
        {**_ANSWER, "step": "search", "understood": {"words": ["blue", "mug"]}},
        {
            "q": Param("string", "The words.", "blue mug", {"minLength": 1, "maxLength": MAX_QUERY}, required=True),
            "user": Param("string", "Puts first what this user likes.", "ann", {}),
            "k": _K,
        },
    ),
    "categories": Operation(
        "GET", "/v1/categories", "Categories of the shop", _object(categories=_list(TEXT)), {"categories": ["Kitchen"]}
    ),
    "models": Operation(
        "GET",
        "/v1/models",
        "Models that can be asked on their own",
        _object(models=_list(TEXT)),
        {"models": ["hybrid", "popular"]},
    ),
    "events": Operation(
        "POST",
        "/v1/events",
        "What visitors did",
        _object(accepted=WHOLE, duplicates=WHOLE, degraded=_list(TEXT)),
        {"accepted": 1, "duplicates": 0, "degraded": []},
        text="When the answer comes the events are on the disk. Of a list with mistakes none is taken, and all "
        "mistakes are named. Sending again is safe: `event_id` decides.",
        body=_list(EVENT) | {"minItems": 1},
        body_example=[_EVENT],
        status=202,
        problems=(400, 408, 413, 415),
    ),
    "versions": Operation(
        "GET",
        "/v1/admin/versions",
        "What is stored and what is served",
        _object(published=PUBLISHED, versions=_list({"type": "object"})),
        {"published": _PUBLISHED, "versions": [{"version": _PUBLISHED["version"], "status": "stable"}]},
        tag="admin",
        admin=True,
    ),
    "publish": Operation(
        "POST",
        "/v1/admin/publish",
        "Serve a version to everybody",
        PUBLISHED,
        _PUBLISHED,
        body=_object(version=ID),
        body_example={"version": _PUBLISHED["version"]},
        problems=(400, 408, 409, 413, 415),
        tag="admin",
        admin=True,
    ),
    "canary": Operation(
        "POST",
        "/v1/admin/canary",
        "Try a version on a share of the users",
        PUBLISHED,
        {**_PUBLISHED, "canary_version": "000043-90c1a2e4", "canary_share": 0.05},
        body=_object(version=ID, share={"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
        body_example={"version": "000043-90c1a2e4", "share": 0.05},
        problems=(400, 408, 409, 413, 415),
        tag="admin",
        admin=True,
    ),
    "rollback": Operation(
        "POST",
        "/v1/admin/rollback",
        "End the canary, or serve the version before",
        PUBLISHED,
        _PUBLISHED,
        problems=(400, 408, 409, 413),
        tag="admin",
        admin=True,
    ),
    "stock": Operation(
        "POST",
        "/v1/admin/stock",
        "An item is in stock, or no longer",
        _object(item=TEXT, in_stock=YES),
        {"item": "mug-7", "in_stock": False},
        text="No list made from now on shows an item that is not in stock, cached ones included.",
        body=_object(item=ID, in_stock=YES),
        body_example={"item": "mug-7", "in_stock": False},
        problems=(400, 404, 408, 413, 415),
        tag="admin",
        admin=True,
    ),
    "live": Operation(
        "GET", "/health/live", "Is the process up?", _object(status=TEXT), {"status": "alive"}, tag="health"
    ),
    "ready": Operation(
        "GET",
        "/health/ready",
        "May it serve?",
        _object(ready=YES, version=TEXT, age_hours=_or_null(NUMBER), breakers={"type": "object"}, reasons=_list(TEXT)),
        {"ready": True, "version": "000042-c15ba177", "age_hours": 5.1, "breakers": {}, "reasons": []},
        text="503 with the reasons when no model is loaded, the model is too old or there is nothing to fall back on.",
        tag="health",
    ),
    "metrics": Operation(
        "GET", "/metrics", "Counters for Prometheus", TEXT, _METRICS, tag="health", media="text/plain; version=0.0.4"
    ),
}


# ------------------------------------------------------------------------------------------------- OpenAPI
def document(version: str) -> dict[str, Any]:
    """The OpenAPI document of all operations, with an example of everything."""
    paths: dict[str, dict] = {}
    for name, operation in OPERATIONS.items():
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(name, operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Recommendations",
            "version": version,
            "description": "Lists for users, known or not. Every error is a problem of RFC 9457; ids in paths are "
            "percent-encoded, slashes too.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Problem": PROBLEM},
            "securitySchemes": {"admin": {"type": "http", "scheme": "bearer", "description": "RECO_ADMIN_KEY"}},
        },
    }


def _described(name, operation) -> dict:
    """One operation of the document."""
    statuses = [*operation.problems, *((401, 403) if operation.admin else ()), 429, 503]
    if operation.tag == "health":
        statuses = [400, 503]
    found = {
        "operationId": name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": _parts(operation.path) + [_parameter(*pair) for pair in (operation.params or {}).items()],
        "responses": {str(operation.status): _response("All is well", operation)}
        | {str(status): _problem(status) for status in sorted(set(statuses))},
    }
    if operation.text:
        found["description"] = operation.text
    if operation.admin:
        found["security"] = [{"admin": []}]
    if operation.body:
        content = {"schema": operation.body, "example": operation.body_example}
        found["requestBody"] = {"required": True, "content": {"application/json": content}}
    return found


def _parts(path) -> list[dict]:
    """The ids in a path."""
    names, example = re.findall(r"{(\w+)}", path), {"user": "ann", "item": "mug-7"}
    return [{"name": n, "in": "path", "required": True, "schema": ID, "example": example[n]} for n in names]


def _parameter(name, param) -> dict:
    """A parameter of the query."""
    lone = {"type": param.kind} | ({} if param.many else dict(param.limits))
    if param.kind == "string":
        lone = {"minLength": 1, "maxLength": MAX_ID} | lone
    schema = {"type": "array", "items": lone, **param.limits} if param.many else lone
    found = {"name": name, "in": "query", "required": param.required, "schema": schema, "example": param.example}
    return found | {"description": param.text}


def _response(text, operation) -> dict:
    """The answer when all is well."""
    return {
        "description": text,
        "content": {operation.media: {"schema": operation.schema, "example": operation.example}},
    }


def _problem(status) -> dict:
    """The answer when something is not."""
    return {
        "description": TITLES[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
