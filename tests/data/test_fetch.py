"""Downloads: https only, checked before they get their name, nothing left behind when something goes wrong."""

import gzip
import hashlib
import io
import shutil
import zipfile

import pytest
import requests
from urllib3 import HTTPResponse

from reco_utils.data import fetch
from reco_utils.data.fetch import Source, check_file, download, https_get, is_named, members, unpack

FIRST, MIRROR = "https://example.org/data.zip", "https://mirror.example.org/data.zip"


def zipped(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), text)
    return out.getvalue()


GOOD = zipped(set__ratings_csv="userId,movieId\n1,2\n" * 50, set__movies_csv="movieId\n2\n")


def serve(pages: dict[str, bytes]):
    """A get function that serves `pages`; an address that is not among them cannot be reached."""

    def get(url, file):
        if url not in pages:
            raise OSError("no route to host")
        with open(file, "wb") as out:
            out.write(pages[url])

    return get


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# ------------------------------------------------------------------------------------------------------------ download
def test_a_pinned_file_arrives_under_the_publishers_name(tmp_path):
    source = Source("data.zip", (FIRST,), sha256(GOOD))
    path = download(source, tmp_path / "new" / "folder", get=serve({FIRST: GOOD}))
    assert path == tmp_path / "new" / "folder" / "data.zip"
    assert path.read_bytes() == GOOD


def test_a_local_file_can_stand_in_for_the_server(tmp_path):
    (tmp_path / "server.zip").write_bytes(GOOD)
    source = Source("data.zip", (FIRST,), sha256(GOOD))
    path = download(source, tmp_path / "home", get=lambda url, file: shutil.copy(tmp_path / "server.zip", file))
    assert sha256(path.read_bytes()) == source.sha256


def test_another_hash_is_refused_and_the_file_deleted(tmp_path):
    source = Source("data.zip", (FIRST,), "0" * 64)
    with pytest.raises(ValueError, match=f"data.zip: sha256 is {sha256(GOOD)}, expected 0{{64}}; deleted it"):
        download(source, tmp_path, get=serve({FIRST: GOOD}))
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_is_not_fetched_again(tmp_path):
    (tmp_path / "data.zip").write_bytes(GOOD)
    assert download(Source("data.zip", (FIRST,), sha256(GOOD)), tmp_path, get=serve({})).read_bytes() == GOOD


def test_a_mirror_answers_when_the_publisher_does_not(tmp_path):
    path = download(Source("data.zip", (FIRST, MIRROR)), tmp_path, get=serve({MIRROR: GOOD}))
    assert path.read_bytes() == GOOD


def test_a_mirror_answers_when_the_publisher_serves_a_login_page(tmp_path):
    pages = {FIRST: b"<!DOCTYPE html><html>please log in</html>", MIRROR: GOOD}
    assert download(Source("data.zip", (FIRST, MIRROR)), tmp_path, get=serve(pages)).read_bytes() == GOOD


def test_when_nobody_answers_every_address_is_named(tmp_path):
    with pytest.raises(OSError, match="could not download data.zip") as caught:
        download(Source("data.zip", (FIRST, MIRROR)), tmp_path, get=serve({}))
    assert FIRST in str(caught.value) and MIRROR in str(caught.value) and "no route" in str(caught.value)


def test_an_unpinned_file_says_that_only_its_structure_was_checked(tmp_path, caplog):
    download(Source("data.zip", (FIRST,)), tmp_path, get=serve({FIRST: GOOD}))
    assert "no sha256 is pinned" in caplog.text and sha256(GOOD) in caplog.text


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError])
def test_a_cut_download_leaves_nothing_behind(tmp_path, stop):
    def get(url, file):
        with open(file, "wb") as out:
            out.write(GOOD[:100])
        raise stop("cut")

    with pytest.raises(stop):
        download(Source("data.zip", (FIRST,)), tmp_path, get=get)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("data.zip", b"", "data.zip is empty"),
        ("data.zip", b"\n <html><body>expired</body></html>", "data.zip is a web page"),
        ("data.zip", GOOD[:-40], "data.zip is a zip file that was cut off"),
        ("data.zip", b"hello", "data.zip is no zip file"),
        ("x.json.gz", gzip.compress(b"{}\n" * 9999, mtime=0)[:-9], "x.json.gz was cut off"),
        ("x.json.gz", b'{"a": 1}\n', "x.json.gz is no gzip file"),
        ("x.json.gz", b"\xef\xbb\xbf<!doctype html>", "x.json.gz is a web page"),
    ],
)
def test_a_file_that_is_something_else_is_refused_and_not_kept(tmp_path, file, content, message):
    with pytest.raises(ValueError, match=message):
        download(Source(file, (FIRST,)), tmp_path, get=serve({FIRST: content}))
    assert not list(tmp_path.iterdir())


def test_a_damaged_member_of_a_zip_is_found(tmp_path):
    at = GOOD.index(b"ratings.csv") + len("ratings.csv") + 2
    broken = GOOD[:at] + bytes([GOOD[at] ^ 0xFF]) + GOOD[at + 1 :]
    with pytest.raises(ValueError, match="data.zip: its member set/ratings.csv is damaged"):
        download(Source("data.zip", (FIRST,)), tmp_path, get=serve({FIRST: broken}))
    assert not list(tmp_path.iterdir())


def test_a_zip_must_hold_the_members_and_lines_the_publisher_documents(tmp_path):
    def fetch_it(**expected):
        return download(Source("data.zip", (FIRST,), **expected), tmp_path, get=serve({FIRST: GOOD}))

    with pytest.raises(ValueError, match=r"data.zip lacks \['users.csv'\]; it holds \['movies.csv', 'ratings.csv'\]"):
        fetch_it(members=("ratings.csv", "users.csv"))
    for expected in (99, 101):
        with pytest.raises(ValueError, match=f"ratings.csv has 100 lines, the publisher says {expected}"):
            fetch_it(members=("ratings.csv",), lines=("ratings.csv", expected))
    assert fetch_it(members=("ratings.csv", "movies.csv"), lines=("ratings.csv", 100)).exists()


def test_a_last_line_without_its_end_is_counted():
    assert fetch._count_lines(io.BytesIO(b"a\nb")) == 2
    assert fetch._count_lines(io.BytesIO(b"a\nb\n")) == 2
    assert fetch._count_lines(io.BytesIO(b"")) == 0


@pytest.mark.parametrize("url", ["http://example.org/x", "ftp://example.org/x", "HTTP://example.org/x", "file:///x"])
def test_only_https_is_spoken(url, tmp_path):
    with pytest.raises(ValueError, match="https"):
        Source("x", (url,))
    with pytest.raises(ValueError, match="https"):
        https_get(url, tmp_path / "x")


def test_a_hash_must_look_like_one():
    with pytest.raises(ValueError, match="64 hexadecimal digits, got 'abc'"):
        Source("x", (FIRST,), sha256="abc")


# ----------------------------------------------------------------------------------------------- https_get, offline
class Server(requests.adapters.BaseAdapter):
    """Answers https requests from memory."""

    def __init__(self, status=200, body=b"", headers=None):
        super().__init__()
        self.status, self.body, self.headers = status, body, headers or {}

    def send(self, request, **_):
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = self.status, request.url, request
        answer.headers = requests.structures.CaseInsensitiveDict(self.headers)
        answer.raw = HTTPResponse(io.BytesIO(self.body), headers=self.headers, preload_content=False)
        return answer

    def close(self):
        pass


@pytest.fixture
def server(monkeypatch):
    def start(**answer):
        def session():
            found = real()
            found.mount("https://", Server(**answer))
            return found

        monkeypatch.setattr(fetch, "_session", session)

    real = fetch._session
    return start


def test_bytes_are_written_as_they_are_served(server, tmp_path, capfd):
    body = gzip.compress(b"x" * 5000)
    server(body=body, headers={"content-length": str(len(body)), "content-encoding": "gzip"})
    https_get("https://example.org/x.gz", tmp_path / "x.gz")
    assert (tmp_path / "x.gz").read_bytes() == body  # not unpacked on the way
    assert capfd.readouterr().err == ""  # no progress bar unless a person is watching


def test_a_short_answer_is_a_cut_connection(server, tmp_path):
    server(body=b"abc", headers={"content-length": "10"})
    with pytest.raises(OSError, match="the connection broke"):
        https_get("https://example.org/x", tmp_path / "x")


def test_a_redirect_to_plain_http_fails(server, tmp_path):
    server(status=302, headers={"location": "http://example.org/x"})
    with pytest.raises(OSError, match="No connection adapters"):
        https_get("https://example.org/x", tmp_path / "x")


def test_an_error_of_the_server_is_an_error(server, tmp_path):
    server(status=404)
    with pytest.raises(OSError, match="404"):
        https_get("https://example.org/x", tmp_path / "x")


# ------------------------------------------------------------------------------------------------------------- archives
def test_a_member_cannot_be_written_outside_the_folder(tmp_path):
    archive, folder = tmp_path / "evil.zip", tmp_path / "in"
    folder.mkdir()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("../../ratings.csv", "a")
        file.writestr("/etc/movies.csv", "b")
        file.writestr("ml\\tags.csv", "c")
    paths = unpack(archive, ("*.csv",), folder)
    assert sorted(p.name for p in folder.iterdir()) == ["movies.csv", "ratings.csv", "tags.csv"]
    assert all(p.parent == folder for p in paths)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["evil.zip", "in"]


def test_only_what_is_wanted_is_unpacked_and_the_topmost_of_equal_names(tmp_path):
    archive = tmp_path / "data.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("deep/down/ratings.csv", "old")
        file.writestr("ml/ratings.csv", "new")
        file.writestr("__MACOSX/ml/._ratings.csv", "junk")
        file.writestr("ml/images/a.jpg", "jpg")
    assert members(archive, ("ratings.csv",)) == {"ratings.csv": "ml/ratings.csv"}
    unpack(archive, ("ratings.csv",), tmp_path)
    assert (tmp_path / "ratings.csv").read_text() == "new"
    assert not (tmp_path / "a.jpg").exists()


def test_a_damaged_member_is_named_when_it_is_unpacked(tmp_path):
    at = GOOD.index(b"ratings.csv") + len("ratings.csv") + 2
    (tmp_path / "data.zip").write_bytes(GOOD[:at] + bytes([GOOD[at] ^ 0xFF]) + GOOD[at + 1 :])
    with pytest.raises(ValueError, match="data.zip: its member set/ratings.csv cannot be unpacked"):
        unpack(tmp_path / "data.zip", ("*.csv",), tmp_path)


def test_a_name_matches_in_any_case_and_gzipped():
    assert is_named("Ratings.CSV.gz", ("ratings.csv",)) and is_named("ratings.csv", ("ratings.csv.gz",))
    assert is_named("item_properties_part2.csv", ("x", "item_properties*.csv"))
    assert not is_named("ratings.csv.zip", ("ratings.csv",))


def test_check_file_passes_what_it_should(tmp_path):
    for name, content in (("a.csv", b"x,y\n"), ("a.zip", GOOD), ("a.gz", gzip.compress(b"x"))):
        (tmp_path / name).write_bytes(content)
        check_file(tmp_path / name, whole=True)
