"""Lines of JSON for the log. What an exception says may hold anybody's data: only its class and places are told.

This file imports nothing of ours: the log outlives everything else, and would keep alive what its formatter knows.
"""

import json
import logging
import time
import traceback


def failure_of(error: BaseException) -> dict:
    """An exception as its class and the places it came through."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "at": places}


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time in UTC, level, logger, and the message or its members."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        line = {"time": when, "level": record.levelname.lower(), "logger": record.name}
        line |= record.msg if isinstance(record.msg, dict) else {"message": record.getMessage()}
        if record.exc_info and record.exc_info[1] is not None:
            line |= failure_of(record.exc_info[1])
        return _encode(line)


_encode = json.JSONEncoder(default=str).encode
