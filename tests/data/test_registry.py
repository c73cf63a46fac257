"""load_dataset finds, downloads, copies and samples; what it cannot find it says in words that help."""

import gzip
import io
import json
import os
import sys
import types
import zipfile

import pandas as pd
import pytest

from reco_utils.core import Defaults
from reco_utils.data import fetch, movielens, registry
from reco_utils.data.amazon import CATEGORIES
from reco_utils.data.registry import ENTRIES, download_dataset, find, list_datasets, load_dataset, names
from reco_utils.data.schema import canonical

SMALL = "movielens-latest-small"
RATINGS = "userId,movieId,rating,timestamp\n" + "".join(f"{u},{1 + u % 2},4.0,{978300760 + u}\n" for u in range(900))
MOVIES = "movieId,title,genres\n1,One (1999),Drama\n2,Two (1999),\n3,Three (1999),War\n"
FILES = {"ratings.csv": RATINGS, "movies.csv": MOVIES}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """No test looks at, or writes to, the data of the machine; no test touches the network."""

    def no_network(url, file):
        raise OSError("no network in tests")

    monkeypatch.setattr(registry, "local_home", lambda: tmp_path / "local")
    monkeypatch.delenv("RECO_DATA_HOME", raising=False)
    monkeypatch.setattr(fetch.download, "__kwdefaults__", {"get": no_network})


@pytest.fixture
def server(monkeypatch):
    """Answers downloads from a dict of url -> bytes; lists what was asked for."""

    def start(pages):
        def get(url, file):
            asked.append(url)
            if url not in pages:
                raise OSError("404 Client Error")
            with open(file, "wb") as out:
                out.write(pages[url])

        monkeypatch.setattr(fetch.download, "__kwdefaults__", {"get": get})
        return asked

    asked = []
    return start


def put(folder, files=FILES):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def zipped(files=FILES, inside="ml-latest-small/") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(inside + name, text)
    return out.getvalue()


def made():
    when = pd.to_datetime(["2024-01-01"])
    events = pd.DataFrame({"user_id": ["1"], "item_id": ["2"], "event": ["view"], "timestamp": when})
    return canonical("made", events, pd.DataFrame({"item_id": ["2"], "title": ["x"]}), defaults=Defaults())


def no_reading(*_, **__):
    raise AssertionError("the raw files must not be read")


# --------------------------------------------------------------------------------------------------------------- names
@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("movielens-1M", "movielens-1m"),
        ("movilens-25m", "movielens-25m"),
        ("online retail", "online-retail"),
        ("Shop", "shop"),
        ("amazon-2018-giftcards", "amazon-2018-gift-cards"),
        ("amazon-2018-Gift_Cards", "amazon-2018-gift-cards"),
    ],
)
def test_a_misspelt_name_suggests_the_nearest(wrong, right):
    with pytest.raises(ValueError, match=f"unknown dataset '{wrong}'; did you mean '{right}'"):
        load_dataset(wrong)


def test_a_name_like_no_other_lists_them_all():
    with pytest.raises(ValueError, match="names are shop, movielens-latest-small") as caught:
        load_dataset("xyzzy")
    assert "did you mean" not in str(caught.value)
    with pytest.raises(TypeError, match="name must be text, got 3"):
        load_dataset(3)


def test_every_name_of_the_brochure_is_known():
    assert {"shop", "hm", "retailrocket", "online-retail", *movielens.FILES} == set(ENTRIES)
    assert {"amazon-2014-baby", "amazon-2018-amazon-fashion", "amazon-2023-cds-and-vinyl"} <= set(names())
    assert len(names()) == len(set(names()))
    assert [len(CATEGORIES[year]) for year in CATEGORIES] == [24, 29, 33]


def test_no_address_is_plain_http_and_no_hash_is_unverified():
    for name in names():
        for source in registry._entry(name).sources:
            assert all(url.startswith("https://") for url in source.urls)
            assert source.sha256 is None  # none could be verified; a pinned one needs its proof in data/README.md


def test_an_unknown_option_names_the_allowed_ones(tmp_path):
    with pytest.raises(TypeError, match=r"movielens-1m has no option \['tags'\]; its options are \['user_tags'\]"):
        load_dataset("movielens-1m", home=tmp_path, tags=True)
    with pytest.raises(TypeError, match=r"amazon-2018-software has no option .*its options are \['reviews'\]"):
        load_dataset("amazon-2018-software", home=tmp_path, core=5)


def test_a_wrong_size_names_the_sizes(tmp_path):
    with pytest.raises(ValueError, match=r"size must be one of \['small', 'medium', 'large'\], got 'tiny'"):
        load_dataset(SMALL, home=put(tmp_path / SMALL).parent, size="tiny")


# ---------------------------------------------------------------------------------------------------------------- homes
def test_the_argument_comes_before_the_environment_and_that_before_data(tmp_path, monkeypatch):
    def home(where, title):
        put(tmp_path / where / SMALL, FILES | {"movies.csv": MOVIES.replace("One", title)})
        return tmp_path / where

    def title(**where):
        return load_dataset(SMALL, **where).catalog["title"][0]

    home("local", "Data")
    assert title() == "Data (1999)"
    monkeypatch.setenv("RECO_DATA_HOME", str(home("named", "Environment")))
    assert title() == "Environment (1999)"
    assert title(home=home("given", "Argument")) == "Argument (1999)"
    assert title(home=str(tmp_path / "given")) == "Argument (1999)"


def test_what_the_environment_lacks_may_be_in_data(tmp_path, monkeypatch):
    monkeypatch.setenv("RECO_DATA_HOME", str(tmp_path / "empty"))
    folder = put(tmp_path / "local" / SMALL)
    assert find(SMALL) == folder


def test_the_publishers_own_folder_or_zip_is_read_where_it_is(tmp_path):
    flat = load_dataset(SMALL, home=put(tmp_path / "a" / SMALL).parent)
    nested = load_dataset(SMALL, home=put(tmp_path / "b" / SMALL / "ml-latest-small").parents[1])
    home = tmp_path / "c" / SMALL
    home.mkdir(parents=True)
    (home / "ml-latest-small.zip").write_bytes(zipped())
    archived = load_dataset(SMALL, home=tmp_path / "c")
    for other in (nested, archived):
        pd.testing.assert_frame_equal(flat.events, other.events)
        pd.testing.assert_frame_equal(flat.catalog, other.catalog)
    assert [p.name for p in home.iterdir() if not p.name.startswith(".")] == ["ml-latest-small.zip"]


def test_a_web_page_saved_as_the_zip_is_called_that_and_not_touched(tmp_path):
    path = put(tmp_path / SMALL, {"ml-latest-small.zip": "<!doctype html><html>moved"}) / "ml-latest-small.zip"
    with pytest.raises(ValueError, match="ml-latest-small.zip is a web page, not data"):
        load_dataset(SMALL, home=tmp_path)
    assert path.exists()  # a person put it there


def test_files_may_be_gzipped_and_spelt_in_capitals(tmp_path):
    flat = load_dataset(SMALL, home=put(tmp_path / "a" / SMALL).parent)
    folder = tmp_path / "b" / SMALL
    folder.mkdir(parents=True)
    (folder / "ratings.csv.gz").write_bytes(gzip.compress(RATINGS.encode()))
    (folder / "Movies.CSV").write_text(MOVIES)
    pd.testing.assert_frame_equal(load_dataset(SMALL, home=tmp_path / "b").events, flat.events)


def test_a_folder_in_place_of_a_file_is_no_file(tmp_path):
    (put(tmp_path / SMALL, {"ratings.csv": RATINGS}) / "movies.csv").mkdir()
    with pytest.raises(FileNotFoundError, match="and put movies.csv"):
        load_dataset(SMALL, home=tmp_path, download=False)


def test_an_unknown_category_is_accepted_when_its_folder_is_there(tmp_path):
    folder = tmp_path / "amazon-2018-hats-and-caps"
    folder.mkdir()
    line = {"overall": 5.0, "reviewerID": "A", "asin": "B", "unixReviewTime": 1_400_000_000}
    (folder / "Hats_and_Caps.json.gz").write_bytes(gzip.compress(json.dumps(line).encode()))
    assert len(load_dataset("amazon-2018-hats-and-caps", home=tmp_path).events) == 1
    assert find("amazon-2018-hats-and-caps", home=tmp_path) == folder


def test_a_folder_of_any_other_name_that_holds_events_is_your_own(tmp_path, monkeypatch):
    put(tmp_path / "my-shop", {"events.csv": "user_id\n1\n"})
    put(tmp_path / "notes", {"todo.txt": ""})
    put(tmp_path / "cache" / "a-copy", {"events.parquet": ""})
    asked = []
    files = types.SimpleNamespace(load=lambda name, folder, *, asof=None: asked.append((name, folder, asof)) or made())
    monkeypatch.setitem(sys.modules, "reco_utils.data.files", files)
    load_dataset("my-shop", home=tmp_path, asof="2025-01-01")
    assert asked == [("my-shop", tmp_path / "my-shop", "2025-01-01")]
    assert find("my-shop", home=tmp_path) == tmp_path / "my-shop"
    listed = list_datasets(tmp_path).set_index("name")
    assert listed.loc["my-shop", "on_disk"] == "yes" and not {"notes", "cache"} & set(listed.index)
    for name in ("notes", "cache", "", "..", "my-shop/"):
        with pytest.raises(ValueError, match="unknown dataset"):
            load_dataset(name, home=tmp_path)


# ---------------------------------------------------------------------------------------------------------- the listing
def test_the_listing_says_what_is_on_disk(tmp_path):
    put(tmp_path / SMALL)
    put(tmp_path / "movielens-1m", {"ratings.dat": "", "movies.dat": ""})  # users.dat is missing
    put(tmp_path / "amazon-2018-gift-cards", {"Gift_Cards.json": ""})
    put(tmp_path / "amazon-2018-software", {"meta_Software.json": ""})  # no reviews
    listed = list_datasets(tmp_path).set_index("name")
    assert listed.columns.tolist() == ["what", "licence", "size", "on_disk"]
    there = listed.index[listed["on_disk"] == "yes"].tolist()
    assert there == ["shop", SMALL, "amazon-2018-gift-cards"]
    assert listed.loc["movielens-1m", "on_disk"] == "no"
    assert {"hm", "retailrocket", "online-retail", "amazon-2023-<category>"} <= set(listed.index)
    assert listed.notna().all(axis=None)


def test_an_empty_home_or_none_lists_the_shop_alone(tmp_path):
    for home in (tmp_path, tmp_path / "nowhere"):
        listed = list_datasets(home)
        assert listed.loc[listed["on_disk"] == "yes", "name"].tolist() == ["shop"]


# ------------------------------------------------------------------------------------------------------------- download
URL = "https://files.grouplens.org/datasets/movielens/ml-latest-small.zip"


def test_what_is_missing_is_downloaded_and_read(tmp_path, server):
    asked = server({URL: zipped()})
    tables = load_dataset(SMALL, home=tmp_path)
    assert len(tables.events) == 900 and asked == [URL]
    load_dataset(SMALL, home=tmp_path)
    assert asked == [URL]  # once


def test_download_dataset_gives_the_folder(tmp_path, server):
    asked = server({URL: zipped()})
    assert download_dataset(SMALL, home=tmp_path) == tmp_path / SMALL
    assert download_dataset(SMALL, home=tmp_path) == tmp_path / SMALL
    assert asked == [URL]


def test_the_shop_needs_no_download():
    with pytest.raises(ValueError, match="the shop is built in"):
        download_dataset("shop")


def test_a_download_goes_to_the_first_home_that_can_be_written(tmp_path, server, monkeypatch):
    server({URL: zipped()})
    named = tmp_path / "named"
    named.mkdir()
    named.chmod(0o555)
    monkeypatch.setenv("RECO_DATA_HOME", str(named))
    assert download_dataset(SMALL) == tmp_path / "local" / SMALL
    named.chmod(0o755)


def test_a_zip_with_other_lines_than_documented_is_refused(tmp_path, server):
    url = "https://files.grouplens.org/datasets/movielens/ml-25m.zip"
    server({url: zipped(inside="ml-25m/")})
    with pytest.raises(OSError, match="ratings.csv has 901 lines, the publisher says 25,000,096"):
        load_dataset("movielens-25m", home=tmp_path)
    assert not list(tmp_path.iterdir())


def test_offline_the_error_says_which_file_goes_where_and_what_works_without(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError) as caught:
        load_dataset("movielens-1m", home="data")
    said = str(caught.value)
    assert "movielens-1m is not on disk; could not download ml-1m.zip" in said
    assert "https://files.grouplens.org/datasets/movielens/ml-1m.zip: no network in tests" in said
    assert "put ratings.dat and movies.dat and users.dat (or ml-1m.zip as it is) into data/movielens-1m/." in said
    assert "The built-in shop needs no data: load_dataset('shop')." in said
    assert str(tmp_path) not in said
    assert not list(tmp_path.iterdir())


def test_a_home_that_is_no_folder_is_named_and_nothing_is_made_there(tmp_path, server, monkeypatch):
    server({URL: zipped()})
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RECO_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(FileNotFoundError, match="RECO_DATA_HOME is '.*file', where there is no folder"):
        load_dataset("hm")
    assert download_dataset(SMALL) == tmp_path / "local" / SMALL


def test_only_the_missing_files_are_asked_for(tmp_path):
    put(tmp_path / "movielens-1m", {"ratings.dat": "", "users.dat": ""})
    with pytest.raises(OSError, match=r"put movies.dat \(or ml-1m.zip"):
        load_dataset("movielens-1m", home=tmp_path)


@pytest.mark.parametrize(
    ("name", "files"),
    [("hm", "articles.csv and customers.csv and transactions_train.csv"), ("retailrocket", "events.csv")],
)
def test_kaggle_data_is_never_downloaded(name, files, tmp_path, server, monkeypatch):
    asked = server({})
    monkeypatch.setenv("RECO_DATA_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="cannot be downloaded without an account"):
        load_dataset(name, download=False)
    with pytest.raises(FileNotFoundError, match="cannot be downloaded without an account") as caught:
        download_dataset(name)
    assert f"put {files} into $RECO_DATA_HOME/{name}/" in str(caught.value)
    assert "https://www.kaggle.com/" in str(caught.value) and "load_dataset('shop')" in str(caught.value)
    assert not asked


def test_downloads_can_be_switched_off(tmp_path, server):
    asked = server({URL: zipped()})
    with pytest.raises(FileNotFoundError, match="movielens-latest-small is not on disk and downloads are switched off"):
        load_dataset(SMALL, home=tmp_path, download=False)
    assert not asked


AMAZON = "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023/raw/"
REVIEW = {"rating": 5.0, "user_id": "A", "parent_asin": "B", "timestamp": 1_400_000_000_000}
PAGES = {
    AMAZON + "review_categories/CDs_and_Vinyl.jsonl.gz": gzip.compress(json.dumps(REVIEW).encode()),
    AMAZON + "meta_categories/meta_CDs_and_Vinyl.jsonl.gz": gzip.compress(b'{"parent_asin": "B", "title": "Blue"}'),
}


def test_an_amazon_category_comes_with_its_metadata(tmp_path, server):
    server(PAGES)
    tables = load_dataset("amazon-2023-cds-and-vinyl", home=tmp_path)
    assert tables.catalog["title"].tolist() == ["Blue"]


@pytest.mark.parametrize("name", ["movielens-latest-small", "amazon-2023-cds-and-vinyl"])
def test_ctrl_c_in_a_download_leaves_nothing_behind(name, tmp_path, monkeypatch):
    def stop(url, file):
        with open(file, "wb") as out:
            out.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(fetch.download, "__kwdefaults__", {"get": stop})
    with pytest.raises(KeyboardInterrupt):
        load_dataset(name, home=tmp_path / "home")
    assert not list(tmp_path.iterdir())


def test_missing_metadata_is_allowed_and_said(tmp_path, server, caplog):
    server({url: page for url, page in PAGES.items() if "meta" not in url})
    tables = load_dataset("amazon-2023-cds-and-vinyl", home=tmp_path)
    assert tables.catalog["title"].tolist() == ["item B"]
    assert "goes without meta_CDs_and_Vinyl.jsonl.gz" in caplog.text


def test_metadata_without_reviews_does_not_pass_for_the_dataset(tmp_path, server):
    server({url: page for url, page in PAGES.items() if "meta" in url})
    with pytest.raises(OSError, match="could not download CDs_and_Vinyl.jsonl.gz"):
        load_dataset("amazon-2023-cds-and-vinyl", home=tmp_path)
    assert find("amazon-2023-cds-and-vinyl", home=tmp_path) is None


# --------------------------------------------------------------------------------------------------------------- copies
def test_the_second_load_takes_the_parquet_copy_beside_the_files(tmp_path, monkeypatch):
    folder = put(tmp_path / SMALL)
    first = load_dataset(SMALL, home=tmp_path)
    monkeypatch.setattr(movielens, "load", lambda name, folder, *, user_tags=False: no_reading())
    second = load_dataset(SMALL, home=tmp_path)
    for table in ("events", "catalog", "profiles", "report"):
        pd.testing.assert_frame_equal(getattr(first, table), getattr(second, table), check_exact=True)
    assert [p.name[:9] for p in folder.iterdir() if p.is_dir()] == [".parquet-"]


def test_a_changed_file_or_option_is_read_again(tmp_path):
    folder = put(tmp_path / SMALL, FILES | {"tags.csv": "userId,movieId,tag,timestamp\n1,1,fun,978300760\n"})
    assert load_dataset(SMALL, home=tmp_path).catalog["tags"][0] == "Drama"
    assert load_dataset(SMALL, home=tmp_path, user_tags=True).catalog["tags"][0] == "Drama fun"
    put(folder, {"movies.csv": MOVIES.replace("Drama", "Crime film")})
    assert load_dataset(SMALL, home=tmp_path).catalog["tags"][0] == "Crime film"
    assert len([p for p in folder.iterdir() if p.is_dir()]) == 1  # the two stale copies are gone


def test_a_file_of_the_same_size_saved_later_is_read_again(tmp_path):
    path = put(tmp_path / SMALL) / "movies.csv"
    assert load_dataset(SMALL, home=tmp_path).catalog["title"][0] == "One (1999)"
    path.write_text(MOVIES.replace("One", "Uno"))
    os.utime(path, (path.stat().st_mtime + 10,) * 2)
    assert load_dataset(SMALL, home=tmp_path).catalog["title"][0] == "Uno (1999)"


def test_a_read_only_home_has_its_copy_in_data(tmp_path, monkeypatch):
    folder = put(tmp_path / "home" / SMALL)
    folder.chmod(0o555)
    load_dataset(SMALL, home=tmp_path / "home")
    assert sorted(p.name for p in folder.iterdir()) == sorted(FILES)
    (copy,) = (tmp_path / "local" / "cache").iterdir()
    assert copy.name.startswith(SMALL + "-")
    monkeypatch.setattr(movielens, "load", lambda name, folder, *, user_tags=False: no_reading())
    assert len(load_dataset(SMALL, home=tmp_path / "home").events) == 900
    folder.chmod(0o755)


def test_two_homes_do_not_share_a_copy(tmp_path):
    for home, title in (("a", "One"), ("b", "Uno")):
        put(tmp_path / home / SMALL, FILES | {"movies.csv": MOVIES.replace("One", title)}).chmod(0o555)
        assert load_dataset(SMALL, home=tmp_path / home).catalog["title"][0] == f"{title} (1999)"
    assert len(list((tmp_path / "local" / "cache").iterdir())) == 2
    for home in ("a", "b"):
        (tmp_path / home / SMALL).chmod(0o755)


def test_without_any_place_for_a_copy_the_text_is_read_each_time(tmp_path):
    folder = put(tmp_path / "home" / SMALL)
    (tmp_path / "local").write_text("in the way of a folder")
    folder.chmod(0o555)
    for _ in range(2):
        assert len(load_dataset(SMALL, home=tmp_path / "home").events) == 900
    folder.chmod(0o755)


# ---------------------------------------------------------------------------------------------------------------- sizes
def test_small_keeps_600_users_and_the_whole_catalogue(tmp_path):
    pytest.importorskip("reco_utils.data.clean")
    put(tmp_path / SMALL)
    small = load_dataset(SMALL, home=tmp_path, size="small")
    assert len(small.profiles) == 600 and small.events["user_id"].nunique() == 600
    assert small.catalog["item_id"].tolist() == ["1", "2", "3"]
    again = load_dataset(SMALL, home=tmp_path, size="small")
    pd.testing.assert_frame_equal(small.events, again.events)
    other = load_dataset(SMALL, home=tmp_path, size="small", seed=1)
    assert set(other.profiles["user_id"]) != set(small.profiles["user_id"])
    assert len(load_dataset(SMALL, home=tmp_path, size="large").events) == 900


def test_the_shop_takes_size_and_seed_and_no_home(monkeypatch, tmp_path):
    shop = pytest.importorskip("reco_utils.data.shop")
    asked = []
    monkeypatch.setattr(shop, "make_shop", lambda size="medium", *, seed=0: asked.append((size, seed)))
    load_dataset("shop")
    load_dataset("shop", size="small", seed=3, home=tmp_path)
    assert asked == [("medium", 0), ("small", 3)]
    with pytest.raises(TypeError, match=r"shop has no option \['n_users'\]; it has none"):
        load_dataset("shop", n_users=5)
