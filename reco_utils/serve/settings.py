"""Everything about the service that differs between a laptop and a cloud, read once from the environment.

    settings = Settings.from_environment(os.environ)
    settings = Settings(port=0, rate=0)                   # in a test

A wrong value is refused at the start, all wrong ones together, rather than found at night.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

SECRET_LENGTH = 16  # characters: shorter keys can be tried out


def _setting(default, env: str, allowed: str, fits, *, secret: bool = False):
    """A field with its variable, what it may hold, in words and as a function, and whether it may be shown."""
    metadata = {"env": env, "allowed": allowed, "fits": fits, "secret": secret}
    return field(default=default, repr=not secret, metadata=metadata)


def _whole(least: int, most: int):
    """Is it a whole number in this range?"""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _number(least: float, most: float):
    """Is it a finite number in this range?"""
    return lambda value: isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value <= most


def _text(value) -> bool:
    """Is it text with something in it?"""
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _secret(value) -> bool:
    """Is it text that cannot be tried out, or nothing at all?"""
    return (
        value == ""
        or isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and len(value) >= SECRET_LENGTH
    )


def _store(value) -> bool:
    """Is it a url that `open_kv` knows?"""
    return isinstance(value, str) and (
        value == "memory:" or value.startswith(("sqlite:///", "redis://", "rediss://", "unix://"))
    )


@dataclass(frozen=True)
class Settings:
    """How one process serves. Fields have the same names as their variables, without RECO_ and in small letters.

    Parameters
    ----------
    home : path
        The store of artifacts; the event log lies in it too.
    host, port : where to listen
        The loopback by default: nobody outside this machine can ask. Port 0 takes a free one. Without RECO_PORT, the
        PORT of the usual clouds counts.
    admin_key : str, at least 16 characters
        Who sends it may delete users and publish models; "" switches those routes off.
    secret : str, at least 16 characters
        Hashes user ids in keys of the store. All processes that share a store need the same one.
    store : url
        "memory:", "sqlite:///file" or "redis://host:port/database": where features and finished lists are kept.
        Variables RECO_STORE, else REDIS_URL.
    rate : float, requests per second and client; 0 switches the limit off
        Twice as many may come at once. Health and metrics are not counted.
    max_bytes : int
        Largest body of a request.
    max_events : int
        Most events in one request.
    max_waiting : int
        Requests under way at once; further ones are sent away with 503 at once, so that those inside are answered in
        time. One process answers 800 to 1,500 requests a second, hence 30 to 60 within the deadline of 40 ms: more can
        only wait. Raise it with `deadline_ms`. Health, metrics, deletions and admin routes always come in.
    body_seconds : float
        A body that has not arrived after this time never will.
    deadline_ms : float, ms
        Latest time for a list; what is not ready is left out.
    cache_seconds : float
        How long a finished list may be served.
    max_age_hours : float
        An older model makes the service not ready.
    refresh_seconds : float
        How often to look for a newly published model.
    threads : int
        Workers for what may wait: disk and network.
    makers : int
        Workers that make lists, which wait for Redis or SQLite in between; with a store in memory there is one.
    grace_seconds : float
        After Ctrl-C or SIGTERM, requests under way have so long to finish.
    proxies : str
        Addresses of proxies whose X-Forwarded-For is believed, with commas between; "*" for all, "" for none.
    log : "all", "errors" or "none"
        Which requests get a line.
    """

    home: Path = _setting(Path("runs/serve"), "RECO_HOME", "a folder", lambda v: isinstance(v, Path))
    host: str = _setting("127.0.0.1", "RECO_HOST", "an address or name of this machine", _text)
    port: int = _setting(8000, "RECO_PORT", "a whole number from 0 to 65535", _whole(0, 65_535))
    admin_key: str = _setting(
        "", "RECO_ADMIN_KEY", f"{SECRET_LENGTH} or more ASCII characters, or empty", _secret, secret=True
    )
    secret: str = _setting(
        "", "RECO_SECRET", f"{SECRET_LENGTH} or more ASCII characters, or empty", _secret, secret=True
    )
    store: str = _setting(
        "memory:", "RECO_STORE", "memory:, sqlite:///file or redis://host:port/database", _store, secret=True
    )
    rate: float = _setting(50.0, "RECO_RATE", "requests per second, from 0 (no limit) to 1000000", _number(0, 1e6))
    max_bytes: int = _setting(262_144, "RECO_MAX_BYTES", "a whole number from 1024 to 16777216", _whole(1024, 2**24))
    max_events: int = _setting(1_000, "RECO_MAX_EVENTS", "a whole number from 1 to 100000", _whole(1, 100_000))
    max_waiting: int = _setting(50, "RECO_MAX_WAITING", "a whole number from 1 to 10000", _whole(1, 10_000))
    body_seconds: float = _setting(5.0, "RECO_BODY_SECONDS", "seconds from 0.1 to 300", _number(0.1, 300))
    deadline_ms: float = _setting(40.0, "RECO_DEADLINE_MS", "milliseconds from 1 to 60000", _number(1, 60_000))
    cache_seconds: float = _setting(
        3_600.0, "RECO_CACHE_SECONDS", "seconds from 3600 to 86400 (1 to 24 hours)", _number(3_600, 86_400)
    )
    max_age_hours: float = _setting(36.0, "RECO_MAX_AGE_HOURS", "hours from 0.1 to 8760", _number(0.1, 8_760))
    refresh_seconds: float = _setting(1.0, "RECO_REFRESH_SECONDS", "seconds from 0.1 to 3600", _number(0.1, 3_600))
    threads: int = _setting(8, "RECO_THREADS", "a whole number from 1 to 128", _whole(1, 128))
    makers: int = _setting(2, "RECO_MAKERS", "a whole number from 1 to 128", _whole(1, 128))
    grace_seconds: float = _setting(10.0, "RECO_GRACE_SECONDS", "seconds from 1 to 300", _number(1, 300))
    proxies: str = _setting(
        "", "RECO_PROXIES", "addresses with commas between, * or empty", lambda v: isinstance(v, str)
    )
    log: str = _setting("all", "RECO_LOG", "all, errors or none", lambda v: v in ("all", "errors", "none"))

    def __post_init__(self):
        if isinstance(self.home, str) and self.home.strip():
            object.__setattr__(self, "home", Path(self.home))
        wrong = [
            _refusal(f.name, f, getattr(self, f.name)) for f in fields(self) if not _fits(f, getattr(self, f.name))
        ]
        if wrong:
            raise ValueError("; ".join(wrong))

    @classmethod
    def from_environment(cls, env: Mapping[str, str], **given) -> "Settings":
        """Settings from variables such as RECO_PORT; what is not set, or set to nothing, keeps its default.

        Parameters
        ----------
        env : mapping of names to text, e.g. os.environ
        given : settings by name
            Said on the command line, say; they come first, None counts as not given.

        Raises
        ------
        ValueError  that names every variable with a wrong value, the value and what is allowed
        """
        values = {name: value for name, value in given.items() if value is not None}
        wrong = []
        for f in fields(cls):
            name, text = _variable(f, env)
            if f.name in values or not text:
                continue
            values[f.name] = _read(text, f.default)
            if not _fits(f, values[f.name]):
                wrong.append(_refusal(name, f, text))
        if wrong:
            raise ValueError("; ".join(wrong))
        return cls(**values)

    @property
    def is_local(self) -> bool:
        """Can only this machine reach the service?"""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed but hardly meant, one sentence each."""
        found = []
        if not self.is_local and not self.admin_key:
            found.append(
                f"listening on {self.host} without an admin key: others can reach this service, and nobody can delete "
                "a user or publish a model; set RECO_ADMIN_KEY"
            )
        if self.store.startswith(("redis://", "rediss://")) and not self.secret:
            found.append("user ids in Redis are hashed without a secret, so they could be guessed; set RECO_SECRET")
        return tuple(found)


def _fits(f, value) -> bool:
    """May this field hold this value?"""
    return bool(f.metadata["fits"](value)) and not (isinstance(value, float) and math.isnan(value))


def _refusal(name: str, f, value) -> str:
    """What is wrong with a value; of a secret only how long it is."""
    shown = f"{len(str(value))} characters" if f.metadata["secret"] else repr(value)
    return f"{name} must be {f.metadata['allowed']}, got {shown}"


def _variable(f, env) -> tuple[str, str]:
    """The variable that sets a field, and its text: its own one, else what clouds and Redis are used to."""
    own = f.metadata["env"]
    other = {"RECO_PORT": "PORT", "RECO_STORE": "REDIS_URL"}.get(own, own)
    name = own if env.get(own, "").strip() else other
    return name, env.get(name, "").strip()


def _read(text: str, default):
    """The text as what the default is; as it stands when it is no number."""
    if "_" in text and isinstance(default, (int, float)):  # 1_000 is a number to Python, and to nobody else
        return text
    try:
        return type(default)(text)
    except ValueError:
        return text
