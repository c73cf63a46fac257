"""MovieLens in its three layouts: csv (latest-small, 25M, 32M), double colons (1M), tabs and bars (100K).

A rating is an event of type "rating". Genres are the films' category (the first) and tags (all). The tags that users
wrote are later than many ratings, so they stay outside unless asked for. The year in a title is when a film came out,
not when it entered the catalogue, so `created_at` stays unknown.

Source: Harper and Konstan (2015), The MovieLens Datasets: History and Context, ACM TiiS 5(4); the README of each set.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from reco_utils.core import EVENT, ITEM, TIME, USER, Defaults, Tables
from reco_utils.data.fetch import Source
from reco_utils.data.schema import canonical, count_rows
from reco_utils.data.text import find_file, read_csv

DEFAULTS = Defaults(target=("rating",), positive_from=4.0, split="leave-last-out", keep_seen=False)
_CSV, _COLONS, _TABS = (
    ("ratings.csv", "movies.csv"),
    ("ratings.dat", "movies.dat", "users.dat"),
    ("u.data", "u.item", "u.user"),
)
SETS = {  # name: what, size of the zip, its name, the files in it, and one's number of lines as documented
    "movielens-latest-small": (
        "film ratings, 100,836 by 610 users, and tags", "1 MB", "ml-latest-small.zip", _CSV, None,
    ),
    "movielens-100k": (
        "film ratings, 100,000 by 943 users with age, gender, zip code", "5 MB", "ml-100k.zip", _TABS,
        ("u.data", 100_000),
    ),
    "movielens-1m": (
        "film ratings, 1,000,209 by 6,040 users with age, gender, zip code", "6 MB", "ml-1m.zip", _COLONS,
        ("ratings.dat", 1_000_209),
    ),
    "movielens-25m": (
        "film ratings, 25,000,095 by 162,541 users, and tags", "250 MB", "ml-25m.zip", _CSV,
        ("ratings.csv", 25_000_096),
    ),
    "movielens-32m": (
        "film ratings, 32,000,204 by 200,948 users, and tags", "239 MB", "ml-32m.zip", _CSV,
        ("ratings.csv", 32_000_205),
    ),
}  # fmt: skip
FILES = {name: needed for name, (_, _, _, needed, _) in SETS.items()}
OPTIONAL = ("tags.csv",)
LICENCE = "free for research, no commercial use; cite Harper and Konstan 2015"
PAGE = "https://grouplens.org/datasets/movielens/"
SERVER, ARCHIVE = "https://files.grouplens.org/datasets/movielens/", "https://web.archive.org/web/2024id_/"
GENRES_100K = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
NO_GENRE = ("(no genres listed)", "unknown", "")
RATING = {"userId": "category", "movieId": "category", "rating": "number", "timestamp": "whole"}


def sources(name: str) -> tuple[Source, ...]:
    """What to download for the dataset `name`: one zip, from the publisher or the Internet Archive."""
    _, _, file, needed, lines = SETS[name]
    return (Source(file, (SERVER + file, ARCHIVE + SERVER + file), members=needed, lines=lines),)


def load(name: str, folder: Path, *, user_tags: bool = False) -> Tables:
    """One MovieLens set from the publisher's files in `folder`.

    Parameters
    ----------
    name : str
        One of `FILES`; it decides the layout.
    user_tags : bool
        Add the words users tagged a film with to its `tags` (csv layouts only). They were written later than many of
        the ratings, so a backtest with them sees the future.

    Raises
    ------
    FileNotFoundError  when a file is missing
    ValueError  listing what is wrong with the files
    """
    folder = Path(folder)
    read = {_CSV: _read_csvs, _COLONS: _read_colons, _TABS: _read_tabs}[FILES[name]]
    ratings, films, people, notes = read(folder)
    if user_tags and FILES[name] is not _CSV:
        raise ValueError(f"{name} has no user tags; user_tags works on the sets with a tags.csv")
    catalog, no_genre = _catalog(films, _words_of_users(folder) if user_tags else None)
    report = count_rows([("catalog", "films without a genre", no_genre), *notes])
    return canonical(name, _events(ratings), catalog, people, defaults=DEFAULTS, report=report)


def _read_csvs(folder):
    ratings = read_csv(find_file(folder, "ratings.csv"), columns=RATING)
    films = read_csv(find_file(folder, "movies.csv"), columns=("movieId", "title", "genres"))
    return ratings, films, None, []


def _read_colons(folder):
    how = {"delimiter": "::", "encoding": "latin-1", "header": False, "quote": ""}
    ratings = read_csv(find_file(folder, "ratings.dat"), columns=RATING, **how)
    films = read_csv(find_file(folder, "movies.dat"), columns=("movieId", "title", "genres"), **how)
    who = {USER: "text", "gender": "text", "age": "number", "occupation": "text", "location": "text"}
    people = read_csv(find_file(folder, "users.dat"), columns=who, **how)
    banded = int(people["age"].notna().sum())
    return ratings, films, people, [("profiles", "age is the start of a band (1: under 18)", banded)]


def _read_tabs(folder):
    how = {"encoding": "latin-1", "header": False, "quote": ""}
    ratings = read_csv(find_file(folder, "u.data"), columns=RATING, delimiter="\t", **how)
    names = ("movieId", "title", "released", "video_released", "url", *GENRES_100K)
    films = read_csv(find_file(folder, "u.item"), columns=names, delimiter="|", **how)
    flags = films[list(GENRES_100K)].to_numpy() == "1"
    films["genres"] = ["|".join(np.array(GENRES_100K)[row]) for row in flags]
    who = {USER: "text", "age": "number", "gender": "text", "occupation": "text", "location": "text"}
    return ratings, films, read_csv(find_file(folder, "u.user"), columns=who, delimiter="|", **how), []


def _events(ratings):
    rating = pd.Categorical.from_codes(np.zeros(len(ratings), np.int8), ["rating"])
    times = pd.to_datetime(ratings["timestamp"], unit="s", errors="coerce")
    return pd.DataFrame(
        {USER: ratings["userId"], ITEM: ratings["movieId"], EVENT: rating, TIME: times, "rating": ratings["rating"]}
    )


def _catalog(films, words):
    """The films with category and tags from their genres, and how many have no genre."""
    genres = films["genres"].fillna("").astype(object)
    none = genres.isin(NO_GENRE)
    tags = genres.str.replace("|", " ", regex=False).where(~none, None)
    if words is not None:
        added = films["movieId"].map(words)
        tags = (tags.fillna("") + " " + added.fillna("")).str.strip().replace("", None)
    category = genres.str.partition("|")[0].where(~none, None)
    catalog = {ITEM: films["movieId"], "title": films["title"], "category": category, "tags": tags}
    return pd.DataFrame(catalog), int(none.sum())


def _words_of_users(folder):
    """Film -> the distinct tags users gave it, in lower case, oldest first, as one text."""
    kinds = {"movieId": "text", "tag": "text", "timestamp": "whole"}
    tags = read_csv(find_file(folder, *OPTIONAL), columns=kinds)
    tags = tags.dropna(subset=["tag"]).sort_values("timestamp", kind="stable")
    tags["tag"] = tags["tag"].str.strip().str.lower()
    return tags.drop_duplicates(["movieId", "tag"]).groupby("movieId")["tag"].agg(" ".join)
