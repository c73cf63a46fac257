"""What an answer says when it is no answer: problem details in one form, without a word about the inside.

Source: RFC 9457 (Nottingham, Wilde and Dalal 2023).
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from reco_utils.serve.ask import BadRequest, NotFound, Unavailable

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "The request makes no sense",
    401: "A key is needed",
    403: "Not allowed here",
    404: "Not found",
    405: "Not with this method",
    408: "The request took too long to arrive",
    409: "Not possible as things are",
    413: "The request is too large",
    415: "Not in this format",
    429: "Too many requests",
    500: "Something went wrong here",
    503: "Not available at the moment",
}
NAMED = 100  # mistakes that are told one by one
UNKNOWN = "nothing here has this name; /docs lists what has"


class ProblemDetails(BaseModel):
    """What every error looks like."""

    model_config = ConfigDict(extra="allow", title="Problem")
    type: str
    title: str
    status: int
    detail: str
    request_id: str


class Problem(Exception):
    """Ends a request with a status and a sentence.

    Parameters
    ----------
    status : int, one of `TITLES`
    detail : str
        For the person who asks: what is wrong and what to do. Never what an exception of somebody else says.
    headers : mapping of str to str, optional
    title : str, optional
        Gives the type of the problem too; default: the one in `TITLES`.
    more : values for JSON, by name
        Further members, e.g. `problems`, a list.
    """

    def __init__(
        self, status: int, detail: str, headers: Mapping[str, str] | None = None, title: str | None = None, **more: Any
    ):
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, dict(headers or {}), more
        self.title = title or TITLES[status]

    def response(self, request_id: str) -> Response:
        """The problem as JSON; `request_id` finds the line of the log."""
        name = self.title.lower().replace(" ", "-")
        members = {"type": f"urn:problem:{name}", "title": self.title, "status": self.status, "detail": self.detail}
        content = {**members, "request_id": request_id, **self.more}
        return Response(to_json(content, inf_nan_mode="null"), self.status, self.headers, MEDIA_TYPE)


def refused(*statuses: int) -> dict[int, dict[str, Any]]:
    """For the document: answers with these statuses are problems."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": TITLES[status], "content": content} for status in statuses}


def add_handlers(app: FastAPI) -> None:
    """Answer with problems to all that is refused."""
    for kind in (Problem, BadRequest, NotFound, Unavailable, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _answered)


async def _answered(request: Request, error: Exception) -> Response:
    """The problem that an exception is."""
    return as_problem(error).response(request.state.request_id)


def as_problem(error: Exception) -> Problem:
    """What a client is told of an exception: the words of those that are meant for it, nothing of any other."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return _unreadable(error.errors())
    if isinstance(error, BadRequest):
        return Problem(400, str(error), **_by_event(error.problems))
    if isinstance(error, NotFound):
        return Problem(404, str(error.args[0]) if error.args else "there is no such thing")
    if isinstance(error, Unavailable):
        return Problem(503, str(error), {"Retry-After": "1"})
    if isinstance(error, HTTPException) and error.status_code in WORDS:
        return Problem(error.status_code, WORDS[error.status_code], error.headers)
    return Problem(500, "this was not your fault; the request's id finds it in the log")


WORDS = {  # for what FastAPI refuses by itself
    400: "the body is no JSON",
    404: "there is nothing at this address; /docs lists what there is",
    405: "not with this method; the header Allow says with which",
}


def _unreadable(errors) -> Problem:
    """What is wrong with query, path and body; of a list of events, by event."""
    errors = [error for error in errors if error["type"] != "none_required"]  # of a value that may be left out
    said = "; ".join(_sentence(error, error["loc"][1:]) for error in errors[:5])
    if errors[0]["type"] == "json_invalid" or not isinstance((*errors[0]["loc"], "")[1], int):
        return Problem(400, said)
    by_event = defaultdict(list)
    for error in errors:
        by_event[error["loc"][1]].append(_sentence(error, error["loc"][2:]))
    problems = {at: "; ".join(sentences) for at, sentences in by_event.items()}
    at, first = next(iter(problems.items()))
    return Problem(400, f"{len(problems)} bad events, nothing was taken; event {at}: {first}", **_by_event(problems))


def _sentence(error, where) -> str:
    """One mistake: where it is, and what should be there."""
    if error["type"] == "json_invalid":
        return f"the body is no JSON (character {error['loc'][1]}: {error['ctx']['error']})"
    said = UNKNOWN if error["type"] == "extra_forbidden" else error["msg"]
    return f"{str((*where, 'the body')[0])[:40]}: {said}"


def _by_event(problems) -> dict:
    """What is wrong with each event of a list."""
    found = [{"event": at, "detail": what} for at, what in list(problems.items())[:NAMED]]
    return {"problems": found} if found else {}
