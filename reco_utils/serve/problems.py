"""What an answer says when it is no answer: problem details in one form, without a word about the inside.

Source: RFC 9457 (Nottingham, Wilde and Dalal 2023).
"""

import json
from collections.abc import Mapping
from typing import Any

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


class Problem(Exception):
    """Ends a request with a status and a sentence.

    Parameters
    ----------
    status : int, one of `TITLES`
    detail : str
        For the person who asks: what is wrong and what to do. Never what an exception of somebody else says.
    headers : mapping of str to str, optional
    more : values for JSON, by name
        Further members, e.g. `problems`, a list.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any):
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, dict(headers or {}), more

    def body(self, request_id: str) -> bytes:
        """The problem as JSON; `request_id` finds the line of the log."""
        title = TITLES[self.status]
        name = title.lower().replace(" ", "-")
        members = {"type": f"urn:problem:{name}", "title": title, "status": self.status, "detail": self.detail}
        return json.dumps({**members, "request_id": request_id, **self.more}).encode()
