"""Files from a publisher's server to a folder of ours: https only, checked before they get their name, or not at all.

A download is written to a temporary file, checked (sha256 where one is pinned, else its structure), and only then
renamed. So a cut connection, a login page in place of a zip, or Ctrl-C leave nothing behind.
"""

import contextlib
import fnmatch
import gzip
import logging
import re
import shutil
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pooch
import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError

log = logging.getLogger(__name__)
CHUNK = 2**20  # bytes read or written at once
WEB_PAGE = ("<!doctype html", "<html", "<head", "<?xml", "<body")
# what zipfile raises for a member that is damaged, cut off, encrypted or packed in a way it does not know
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError)
TIMEOUT_S = (10, 60)  # to connect, to wait for the next bytes


@dataclass(frozen=True)
class Source:
    """One file of a publisher: its name, where it is, and how to tell that it is the right one.

    Parameters
    ----------
    file : str
        The publisher's file name, which is kept.
    urls : tuple of str
        https addresses, tried in this order: the publisher first, then mirrors.
    sha256 : str of 64 hexadecimal digits, optional
        None when nobody could verify one. The file is then checked by its structure, and a warning says so.
    members : tuple of str
        File names that a zip must hold, in any folder.
    lines : (str, int), optional
        A member and the number of lines that the publisher documents for it.
    """

    file: str
    urls: tuple[str, ...]
    sha256: str | None = None
    members: tuple[str, ...] = ()
    lines: tuple[str, int] | None = None

    def __post_init__(self):
        for url in self.urls:
            if not url.startswith("https://"):
                raise ValueError(f"urls must begin with https://, got {url!r}")
        if self.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError(f"sha256 must be 64 hexadecimal digits, got {self.sha256!r}")


def https_get(url: str, file: Path | str) -> None:
    """Write what `url` serves to `file`, byte for byte; a progress bar on a terminal.

    Raises
    ------
    ValueError  when the url is not https
    OSError  when the server cannot be reached, redirects to plain http, refuses, or stops early
    """
    if not url.startswith("https://"):
        raise ValueError(f"downloads are https only, got {url!r}")
    with _session() as session, _broken_is_oserror():
        answer = session.get(url, stream=True, timeout=TIMEOUT_S, headers={"Accept-Encoding": "identity"})
        answer.raise_for_status()
        total = int(answer.headers.get("content-length", 0)) or None
        quiet = not sys.stderr.isatty()
        with open(file, "wb") as out, tqdm(total=total, unit="B", unit_scale=True, disable=quiet) as bar:
            for chunk in answer.raw.stream(CHUNK, decode_content=False):
                bar.update(out.write(chunk))


@contextlib.contextmanager
def _broken_is_oserror():
    """A connection that breaks, or ends early, raises urllib3's own errors, which are no OSErrors."""
    try:
        yield
    except HTTPError as error:
        raise OSError(f"the connection broke: {error}") from None


def _session() -> requests.Session:
    """A session that has no way to speak plain http, so that a redirect to it fails."""
    session = requests.Session()
    session.adapters.pop("http://")
    return session


def download(source: Source, folder: Path | str, *, get: Callable[[str, Path], None] = https_get) -> Path:
    """The file of `source` in `folder`: fetched from the first address that serves the right one, unless it is there.

    Parameters
    ----------
    get : function of (url, file)
        Fetches one address; replaced in tests.

    Raises
    ------
    ValueError  when every address served something else than the file (nothing is kept)
    OSError  when no address could be reached, with the reason for each
    """
    folder = Path(folder)
    failures = []
    for url in source.urls:

        def fetch_and_check(url, file, _):
            get(url, file)
            check(source, Path(file))

        try:
            with _quiet_pooch():
                path = pooch.retrieve(url, source.sha256, source.file, folder, downloader=fetch_and_check)
        except (OSError, ValueError) as error:
            failures.append((url, error))
            continue
        if source.sha256 is None:
            log.warning(
                "%s: no sha256 is pinned, its structure was checked (it is %s)", source.file, pooch.file_hash(path)
            )
        return Path(path)
    kind = ValueError if failures and all(isinstance(e, ValueError) for _, e in failures) else OSError
    raise kind(f"could not download {source.file}:" + "".join(f"\n  - {url}: {_short(e)}" for url, e in failures))


@contextlib.contextmanager
def _quiet_pooch():
    """Pooch reports each file on stderr with its full path; our own message is enough."""
    logger = pooch.get_logger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _short(error) -> str:
    """The reason in one line; requests wraps the operating system's words in several layers."""
    inner = error.args[0] if error.args else error
    words = " ".join(str(getattr(inner, "reason", None) or error).split())
    return re.sub(r"^HTTPS?Connection\w*\(.*?\): ", "", words)[:300]


def check(source: Source, file: Path) -> None:
    """Refuse a downloaded `file` (named otherwise for the moment) that is not what `source` describes."""
    if source.sha256 is not None:
        found = pooch.file_hash(str(file))
        if found != source.sha256:
            advice = "deleted it, run again or set RECO_DATA_HOME"
            raise ValueError(f"{source.file}: sha256 is {found}, expected {source.sha256}; {advice}")
    check_file(file, name=source.file, whole=True)
    if source.members:
        _check_members(source, file)


def _check_members(source, file):
    with zipfile.ZipFile(file) as archive:
        names = {PurePosixPath(n).name: n for n in archive.namelist()}
        missing = [m for m in source.members if m not in names]
        if missing:
            raise ValueError(f"{source.file} lacks {missing}; it holds {sorted(names)[:12]}")
        if source.lines:
            member, expected = source.lines
            with archive.open(names[member]) as text:
                found = _count_lines(text)
            if found != expected:
                raise ValueError(f"{source.file}: {member} has {found:,} lines, the publisher says {expected:,}")


def _count_lines(file) -> int:
    count, last = 0, b"\n"
    while chunk := file.read(CHUNK):
        count, last = count + chunk.count(b"\n"), chunk[-1:]
    return count + (last != b"\n")


def check_file(path: Path | str, *, name: str | None = None, whole: bool = False) -> None:
    """Refuse a file that is not what its name says: empty, a web page, no gzip or zip at all, or cut off.

    Parameters
    ----------
    name : str, optional
        What the file is called in errors and what its ending is read from, where it differs from `path`.
    whole : bool
        Also read a gzip or zip to its end, which finds every cut or damage.

    Raises
    ------
    ValueError  naming the file, what it is and what to do
    """
    path = Path(path)
    name = name or path.name
    advice = "delete it and download it again"
    with open(path, "rb") as file:
        begin = file.read(512)
    if not begin:
        raise ValueError(f"{name} is empty (0 bytes); {advice}")
    if begin.decode("latin-1").lstrip("\ufeff\xef\xbb\xbf \r\n\t").lower().startswith(WEB_PAGE):
        raise ValueError(f"{name} is a web page, not data (an error or login page saved under this name); {advice}")
    if name.endswith(".gz"):
        if not begin.startswith(b"\x1f\x8b"):
            raise ValueError(f"{name} is no gzip file, it begins with {begin[:16]!r}; unpacked? then drop the .gz")
        if whole:
            check_gzip(path, name=name)
    if name.endswith(".zip"):
        if not zipfile.is_zipfile(path):
            what = "a zip file that was cut off" if begin[:2] == b"PK" else f"no zip file, it begins {begin[:16]!r}"
            raise ValueError(f"{name} is {what}; {advice}")
        if whole and (damaged := _damaged_member(path)):
            raise ValueError(f"{name}: its member {damaged} is damaged; {advice}")


def _damaged_member(path) -> str | None:
    """The first member of a zip that cannot be unpacked."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            try:
                with archive.open(member) as file:
                    while file.read(CHUNK):
                        pass
            except BROKEN_ZIP:
                return member
    return None


def check_gzip(path: Path, *, name: str | None = None) -> None:
    """Refuse a gzip that does not unpack to its end, or to something else than was packed (its checksum tells)."""
    try:
        with gzip.open(path) as file:
            while file.read(CHUNK):
                pass
    except (EOFError, OSError, zlib.error) as error:
        name = name or path.name
        raise ValueError(f"{name} was cut off or damaged ({error}); delete it and download it again") from None


def unpack(archive: Path | str, wanted: Iterable[str], folder: Path | str) -> list[Path]:
    """Members of a zip whose file name matches one of the patterns `wanted`, written flat into `folder`.

    Only file names are taken over, never a member's folder, so no member can be written elsewhere.

    Raises
    ------
    ValueError  when the archive or one of these members is damaged
    """
    archive, folder, found = Path(archive), Path(folder), members(archive, wanted)
    with zipfile.ZipFile(archive) as file:
        for name, member in found.items():
            try:
                with file.open(member) as source, open(folder / name, "wb") as out:
                    shutil.copyfileobj(source, out, CHUNK)
            except BROKEN_ZIP as error:
                raise ValueError(f"{archive.name}: its member {member} cannot be unpacked ({error})") from None
    return [folder / name for name in found]


def members(archive: Path | str, wanted: Iterable[str]) -> dict[str, str]:
    """File name -> member for the members of a zip that match one of the patterns; the topmost of equal names."""
    check_file(archive)
    with zipfile.ZipFile(archive) as file:
        listed = sorted((m for m in file.namelist() if not m.endswith("/")), key=lambda m: m.count("/"), reverse=True)
    names = {m.replace("\\", "/").rpartition("/")[2]: m for m in listed}
    return {name: member for name, member in names.items() if is_named(name, wanted)}


def is_named(name: str, patterns: Iterable[str]) -> bool:
    """Does a file name match one of the shell patterns? Case and an ending .gz are ignored."""
    plain = name.lower().removesuffix(".gz")
    return any(fnmatch.fnmatchcase(plain, pattern.lower().removesuffix(".gz")) for pattern in patterns)
