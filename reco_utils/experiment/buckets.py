"""From an id to a bucket: two hashes that give the same number in Python, in DuckDB and in BigQuery.

    md5     the first 15 hexadecimal digits of MD5, a number of 60 bits, modulo the buckets
    farm    Fingerprint64 of FarmHash as a signed number of 64 bits, modulo the buckets (keeping the sign), without sign

What is hashed is the salt, a colon and the id as text in UTF-8. The sign goes last: the smallest number of 64 bits has
no positive twin, and BigQuery's ABS fails on it.

Letters: n users.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

HASHES = ("md5", "farm")


def buckets_of(salt: str, texts: list[str], hash: str, buckets: int) -> np.ndarray:
    """Bucket of every user, (n,) int64 from 0 to buckets - 1; the salt holds no colon, for texts see `texts_of`."""
    prefix = f"{salt}:"
    if hash == "md5":
        salted = hashlib.md5(prefix.encode(), usedforsecurity=False)  # allowed where MD5 is not, for it guards nothing
        digests = b"".join([_digest(salted.copy(), text) for text in texts])
        return ((np.frombuffer(digests, ">u8")[::2] >> np.uint64(4)) % np.uint64(buckets)).astype(np.int64)
    fingerprint = _farmhash().fingerprint64
    signed = np.array([fingerprint(prefix + text) for text in texts], np.uint64).view(np.int64)
    return np.abs(np.fmod(signed, buckets))


def _digest(md5, text):
    """The digest of what was hashed already and the text."""
    md5.update(text.encode())
    return md5.digest()


def texts_of(user_ids) -> list[str]:
    """Ids (n,) as text, whole numbers in decimal digits.

    Raises
    ------
    TypeError  for ids that are missing, fractions, true/false or no valid text, with the first positions
    """
    if isinstance(user_ids, (str, bytes, int)):
        raise TypeError(f"user_ids must be a list of ids, got the single {user_ids!r}")
    if getattr(user_ids, "ndim", 1) > 1:  # of a DataFrame the names of its columns would be dealt
        raise TypeError(f"user_ids must be one column of ids, got {type(user_ids).__name__} {user_ids.shape}")
    ids = user_ids.tolist() if hasattr(user_ids, "tolist") else list(user_ids)
    kinds = set(map(type, ids))
    if kinds - {str, int}:
        _refuse(ids, [at for at, value in enumerate(ids) if not _is_id(value)])
    texts = ids if kinds <= {str} else [value if isinstance(value, str) else str(int(value)) for value in ids]
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        _refuse(ids, [at for at, text in enumerate(texts) if any("\ud800" <= c <= "\udfff" for c in text)])
    return texts


def _is_id(value):
    return isinstance(value, (str, int, np.integer)) and not isinstance(value, bool)


def _refuse(ids, bad):
    if bad:
        first = ", ".join(f"{ids[at]!r} at position {at}" for at in bad[:3])
        raise TypeError(f"user_ids must be valid text or whole numbers; {len(bad):,} of {len(ids):,} are not: {first}")


def register(connection) -> None:
    """Teach a DuckDB connection `farm_fingerprint(text)`, with BigQuery's answers; needs the package pyfarmhash."""
    fingerprint = _farmhash().fingerprint64

    def farm_fingerprint(text):
        unsigned = fingerprint(text)
        return unsigned - 2**64 if unsigned >= 2**63 else unsigned

    connection.create_function("farm_fingerprint", farm_fingerprint, ["VARCHAR"], "BIGINT")


def _farmhash():
    """The module, or what to do."""
    try:
        import farmhash
    except ImportError as missing:
        raise ImportError("hash='farm' needs the package: pip install pyfarmhash; or take hash='md5'") from missing
    return farmhash


# ------------------------------------------------------------------------------------------------------ the same in SQL
@dataclass(frozen=True)
class Dialect:
    """How a dialect of SQL quotes names and text, and computes buckets."""

    quote: str  # stands around names
    escapes: tuple[tuple[str, str], ...]  # what is replaced inside a text, in this order
    key: str  # template of what is hashed
    md5: str  # templates of the two hashes
    farm: str

    def name(self, name: str) -> str:
        """The name of a column, quoted; ValueError for one with quotes or backslashes."""
        if not isinstance(name, str) or not name.isprintable() or not name or set(name) & set("`\"\\'"):
            raise ValueError(f"a name in a query must be printable text without quotes and backslashes, got {name!r}")
        return f"{self.quote}{name}{self.quote}"

    def table(self, name: str) -> str:
        """The name of a table, quoted between its dots."""
        return ".".join(self.name(part) for part in str(name).split("."))

    def text(self, text: str) -> str:
        """A text, quoted."""
        for old, new in self.escapes:
            text = text.replace(old, new)
        return f"'{text}'"

    def bucket(self, salt: str, user: str, hash: str, buckets: int) -> str:
        """The expression for the bucket of the id in a column."""
        key = self.key.format(prefix=self.text(f"{salt}:"), user=self.name(user))
        return getattr(self, hash).format(key=key, buckets=buckets)


DIALECTS = {
    "duckdb": Dialect(
        quote='"',
        escapes=(("'", "''"),),
        key="{prefix} || CAST({user} AS VARCHAR)",
        md5="CAST('0x' || substr(md5({key}), 1, 15) AS BIGINT) % {buckets}",
        farm="abs(farm_fingerprint({key}) % {buckets})",
    ),
    "bigquery": Dialect(
        quote="`",
        escapes=(("\\", "\\\\"), ("'", "\\'")),
        key="CONCAT({prefix}, CAST({user} AS STRING))",
        md5="MOD(CAST(CONCAT('0x', SUBSTR(TO_HEX(MD5({key})), 1, 15)) AS INT64), {buckets})",
        farm="ABS(MOD(FARM_FINGERPRINT({key}), {buckets}))",
    ),
}
