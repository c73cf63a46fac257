"""MovieLens in its three layouts, made by hand, and what goes wrong with such files."""

import gzip

import numpy as np
import pandas as pd
import pytest

from reco_utils.core import Defaults
from reco_utils.data.movielens import FILES, GENRES_100K, load, sources

RATINGS = [  # userId, movieId, rating, timestamp: the same events in every layout
    (1, 10, 4, 978300760),
    (2, 10, 5, 978300719),
    (2, 30, 3, 978300760),
    (1, 20, 1, 978301968),
]
CAFE = "Café: Part II (1995)"


def in_csv(folder):
    lines = ["userId,movieId,rating,timestamp", *(f"{u},{i},{r}.0,{t}" for u, i, r, t in RATINGS)]
    (folder / "ratings.csv").write_bytes("\r\n".join(lines).encode() + b"\r\n")
    movies = f'movieId,title,genres\n10,"{CAFE}",Comedy|Drama\n20,"American President, The (1995)",Sci-Fi\n'
    (folder / "movies.csv").write_text(movies + "30,Nowhere,(no genres listed)\n", encoding="utf-8")
    tags = "userId,movieId,tag,timestamp\n1,10,Funny,978300800\n2,10,in Paris,978300790\n1,10,funny,978300900\n"
    (folder / "tags.csv").write_text(tags)
    return folder


def in_colons(folder):
    (folder / "ratings.dat").write_text("".join(f"{u}::{i}::{r}::{t}\n" for u, i, r, t in RATINGS))
    movies = f"10::{CAFE}::Comedy|Drama\n20::American President, The (1995)::Sci-Fi\n30::Nowhere::\n"
    (folder / "movies.dat").write_bytes(movies.encode("latin-1"))
    (folder / "users.dat").write_text("1::F::1::10::02139\n2::M::56::16::T8H1N\n3::M::25::7::00001\n")
    return folder


def in_tabs(folder):
    (folder / "u.data").write_text("".join(f"{u}\t{i}\t{r}\t{t}\n" for u, i, r, t in RATINGS))

    def film(number, title, *genres):
        flags = "|".join("01"[g in genres] for g in GENRES_100K)
        return f"{number}|{title}|01-Jan-1995||http://us.imdb.com/M/{number}|{flags}\n"

    films = film(10, CAFE, "Comedy", "Drama") + film(20, "American President, The (1995)", "Sci-Fi")
    (folder / "u.item").write_bytes((films + film(30, "Nowhere", "unknown")).encode("latin-1"))
    (folder / "u.user").write_text("1|24|F|technician|02139\n2|53|M|other|T8H1N\n3|23|M|writer|00001\n")
    return folder


LAYOUTS = {"movielens-latest-small": in_csv, "movielens-1m": in_colons, "movielens-100k": in_tabs}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_same_events(name, tmp_path):
    events = load(name, LAYOUTS[name](tmp_path)).events
    assert events["user_id"].tolist() == ["2", "1", "2", "1"]  # by time, ties in the file's order
    assert events["item_id"].tolist() == ["10", "10", "30", "20"]
    assert events["rating"].tolist() == [5.0, 4.0, 3.0, 1.0]
    assert events["timestamp"].iloc[0] == pd.Timestamp("2000-12-31 22:11:59")
    assert set(events["event"]) == {"rating"}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_same_films(name, tmp_path):
    tables = load(name, LAYOUTS[name](tmp_path))
    films = tables.catalog
    assert films["item_id"].tolist() == ["10", "20", "30"]
    assert films["title"].tolist() == [CAFE, "American President, The (1995)", "Nowhere"]  # as published
    assert films["category"].tolist()[:2] == ["Comedy", "Sci-Fi"] and pd.isna(films["category"][2])
    assert films["tags"].tolist()[:2] == ["Comedy Drama", "Sci-Fi"] and pd.isna(films["tags"][2])
    assert "created_at" not in films  # the year in a title is no date of arrival
    assert tables.offers >= {"text", "category", "ratings"}
    assert tables.report.iloc[0].tolist() == ["catalog", "films without a genre", 1]


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_defaults_are_those_of_ratings(name, tmp_path):
    assert load(name, LAYOUTS[name](tmp_path)).defaults == Defaults(
        ("rating",), 4.0, None, None, "leave-last-out", False
    )


@pytest.mark.parametrize(("name", "ages"), [("movielens-1m", [1, 56, 25]), ("movielens-100k", [24, 53, 23])])
def test_demographics_are_kept_also_of_users_without_ratings(name, ages, tmp_path):
    tables = load(name, LAYOUTS[name](tmp_path))
    assert tables.profiles["user_id"].tolist() == ["1", "2", "3"]
    assert tables.profiles["age"].tolist() == ages
    assert tables.profiles["gender"].tolist() == ["F", "M", "M"]
    assert tables.profiles["location"].tolist() == ["02139", "T8H1N", "00001"]  # zeros kept
    assert "demographics" in tables.offers


def test_the_one_million_set_says_that_its_ages_are_bands(tmp_path):
    report = load("movielens-1m", in_colons(tmp_path)).report
    assert ["profiles", "age is the start of a band (1: under 18)", 3] in report.values.tolist()


def test_user_tags_are_in_the_catalogue_only_when_asked_for(tmp_path):
    in_csv(tmp_path)
    assert load("movielens-25m", tmp_path).catalog["tags"][0] == "Comedy Drama"
    tags = load("movielens-25m", tmp_path, user_tags=True).catalog["tags"]
    assert tags[0] == "Comedy Drama in paris funny"  # distinct, lower case, oldest first
    assert tags[1] == "Sci-Fi" and pd.isna(tags[2])


def test_a_layout_without_user_tags_says_so(tmp_path):
    with pytest.raises(ValueError, match="movielens-1m has no user tags"):
        load("movielens-1m", in_colons(tmp_path), user_tags=True)


def test_the_files_are_left_as_they_are(tmp_path):
    in_csv(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    load("movielens-latest-small", tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_every_name_has_its_files_in_one_zip_of_the_publisher():
    assert FILES["movielens-32m"] == ("ratings.csv", "movies.csv")
    (source,) = sources("movielens-32m")
    assert source.file == "ml-32m.zip" and source.members == FILES["movielens-32m"]
    assert source.urls[0] == "https://files.grouplens.org/datasets/movielens/ml-32m.zip"
    assert source.lines == ("ratings.csv", 32_000_204 + 1)  # and the header


def test_one_rating_is_enough(tmp_path):
    in_csv(tmp_path)
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n7,10,0.5,978300760\n")
    tables = load("movielens-latest-small", tmp_path)
    assert len(tables.events) == 1 and len(tables.catalog) == 3 and tables.profiles["user_id"].tolist() == ["7"]


# --------------------------------------------------------------------------------------------------------- bad files
HEADER = "userId,movieId,rating,timestamp\n"
BAD = {
    "no columns": ("movieId,rating\n10,4.0\n", r"ratings.csv.*missing the columns \['userId', 'timestamp'\]"),
    "semicolons": ("userId;movieId;rating;timestamp\n1;10;4.0;978300760\n", "delimiter is probably a semicolon"),
    "nan": (HEADER + "1,10,NaN,978300760\n1,20,4,978300760\n", "need a finite rating: 1 row"),
    "infinite": (HEADER + "1,10,inf,978300760\n1,20,-inf,978300760\n", "rating is not a finite number: 2 rows"),
    "words": (HEADER + "1,10,good,978300760\n", "rating is not a number: 1 row"),
    "a date": (HEADER + "1,10,4.0,yesterday\n", "timestamp is not a whole number: 1 row"),
    "no time": (HEADER + "1,10,4.0,\n1,20,4.0,978300760\n", "timestamp is missing: 1 row"),
    "milliseconds": (HEADER + "1,10,4.0,978300\n", "timestamp before 1990-01-01.*: 1 row"),
    "no rows": (HEADER, "ratings.csv is empty"),
    "nothing": ("", "ratings.csv is empty"),
    "a web page": ("<!DOCTYPE html>\n<html>", "ratings.csv is a web page"),
    "an unknown film": (HEADER + "1,99,4.0,978300760\n", "1 item_id that catalog lacks"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_ratings_file_is_one_clear_error(case, tmp_path):
    text, message = BAD[case]
    in_csv(tmp_path)
    (tmp_path / "ratings.csv").write_text(text)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        load("movielens-latest-small", tmp_path)


def test_a_byte_order_mark_is_skipped(tmp_path):
    in_csv(tmp_path)
    path = tmp_path / "ratings.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(load("movielens-latest-small", tmp_path).events) == 4


def test_a_csv_saved_as_latin_1_is_refused_not_garbled(tmp_path):
    in_csv(tmp_path)
    path = tmp_path / "movies.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("latin-1"))
    with pytest.raises(ValueError, match="(?s)movies.csv.*latin-1"):
        load("movielens-latest-small", tmp_path)


def test_the_same_film_twice_is_refused(tmp_path):
    in_csv(tmp_path)
    with open(tmp_path / "movies.csv", "a") as file:
        file.write("10,Again,Drama\n")
    with pytest.raises(ValueError, match="the same item_id more than once: 1 row"):
        load("movielens-latest-small", tmp_path)


@pytest.mark.parametrize("name", LAYOUTS)
def test_gzipped_files_are_read_as_they_are(name, tmp_path):
    whole = load(name, LAYOUTS[name](tmp_path))
    for path in list(tmp_path.iterdir()):
        (tmp_path / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    pd.testing.assert_frame_equal(load(name, tmp_path).events, whole.events)


def test_a_missing_file_is_named(tmp_path):
    in_csv(tmp_path)
    (tmp_path / "movies.csv").unlink()
    with pytest.raises(FileNotFoundError, match="movies.csv"):
        load("movielens-latest-small", tmp_path)


def test_ratings_keep_their_halves(tmp_path):
    in_csv(tmp_path)
    halves = np.arange(1, 11) / 2
    rows = "".join(f"{n},10,{r},978300760\n" for n, r in enumerate(halves))
    (tmp_path / "ratings.csv").write_text(HEADER + rows)
    assert load("movielens-latest-small", tmp_path).events["rating"].tolist() == halves.tolist()
