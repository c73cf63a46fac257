"""Objects that come back from disk as they were, bit for bit, and files that are refused for what they are."""

import functools
import hashlib
import importlib
import json
import os
import pickle
import pkgutil
import subprocess
import sys
from collections import namedtuple
from dataclasses import is_dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal, assert_index_equal, assert_series_equal
from scipy.sparse import csc_matrix, csr_matrix

from reco_utils import models
from reco_utils.core import Dataset, Pipeline, recommend
from reco_utils.data.build import build_dataset
from reco_utils.data.registry import load_dataset
from reco_utils.models.cascade import Band, CascadeRecommender, leaning_bands
from reco_utils.models.content import ContentRecommender
from reco_utils.models.fitted import FrozenRecommender
from reco_utils.models.ials import IALSRecommender
from reco_utils.models.popularity import PopularityRecommender
from reco_utils.models.search import CatalogSearch
from reco_utils.rerank.mmr import MMR
from reco_utils.rerank.slots import Slots
from reco_utils.serve.plain import ArtifactError, read, write


@pytest.fixture(scope="module")
def data():
    return build_dataset(load_dataset("shop", size="small"))


def round_trip(obj, folder):
    return read(folder, write(obj, folder))


def name_of(files, ending):
    return next(name for name in files if name.endswith(ending))


def structure(folder, files) -> dict:
    return json.loads((folder / name_of(files, ".json")).read_text(encoding="utf-8"))


def with_structure(folder, files, changed) -> dict:
    """The files with another structure, whose checksum is right: what somebody could write who may write everything."""
    text = json.dumps(changed).encode()
    sha256 = hashlib.sha256(text).hexdigest()
    (folder / f"{sha256[:32]}.json").write_bytes(text)
    return {name: digest for name, digest in files.items() if not name.endswith(".json")} | {
        f"{sha256[:32]}.json": sha256
    }


def forged(folder, *records, **more) -> dict:
    """A store that holds these records and nothing else."""
    folder.mkdir(exist_ok=True)
    objects = {"format": 1, "objects": list(records), "root": {"see": len(records) - 1}} | more
    return with_structure(folder, {}, objects)


# --------------------------------------------------------------------------------------------------- what comes back
@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -(2**70), 1.5, 0.1 + 0.2, float("inf"), "", "é\U0001f600\x00\"\\", "\ud800", [], [1, [2, "a"]],
        (), (1, (2,)), {}, {"a": 1, 2: "b", (1, 2): None, None: 0.5}, set(), {1, 2}, frozenset({"a", "b"}),
        {frozenset({"red", "oak"}): 3}, np.int64(3), np.float32(0.1), np.bool_(True), np.str_("x"),
        np.datetime64("2024-06-30T12:00:00.000001"), pd.Timestamp("2024-06-30 12:00:00.000001"),
        pd.Timestamp("2024-06-30", tz="Europe/Berlin"),
    ],
)  # fmt: skip
def test_a_value_comes_back_with_its_type(value, tmp_path):
    back = round_trip(value, tmp_path)
    assert back == value
    assert type(back) is type(value)


def test_what_is_no_number_comes_back_as_none(tmp_path):
    back = round_trip([float("nan"), np.float32("nan"), pd.NaT, np.datetime64("NaT")], tmp_path)
    assert np.isnan(back[0])
    assert np.isnan(back[1])
    assert back[2] is pd.NaT
    assert np.isnat(back[3])


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.int32).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.empty((0, 4)),
        np.array(3.5), np.array([True, False]), np.array(["2024-01-01", "NaT"], "M8[us]"), np.array(["ab", "c"]),
        np.array([np.nan, -0.0, np.inf], np.float32), np.arange(10)[::2], np.array(["a", None, "é"], object),
    ],
    ids=lambda a: f"{a.dtype} {a.shape}",
)  # fmt: skip
def test_an_array_comes_back_bit_for_bit(array, tmp_path):
    back = round_trip(array, tmp_path)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tolist() == array.tolist() or back.tobytes() == array.tobytes()  # NaN is not equal to itself
    assert type(back) is np.ndarray
    assert back.flags.f_contiguous == np.ascontiguousarray(array).flags.f_contiguous or array.flags.f_contiguous


def test_an_array_is_read_only_if_it_was(tmp_path):
    fixed = np.arange(3.0)
    fixed.flags.writeable = False
    fixed, free = round_trip([fixed, np.arange(4.0)], tmp_path)
    free[0] = 7  # stays in memory
    assert free[0] == 7
    with pytest.raises(ValueError, match="read-only"):
        fixed[0] = 7


def test_writing_to_a_mapped_array_does_not_reach_the_file(tmp_path):
    files = write(np.zeros(5), tmp_path)
    read(tmp_path, files)[:] = 1
    assert_array_equal(read(tmp_path, files), np.zeros(5))


def test_equal_arrays_are_stored_once_and_are_two_arrays_again(tmp_path):
    files = write([np.arange(5), np.arange(5)], tmp_path)
    assert len(files) == 2  # the structure and one array
    one, two = read(tmp_path, files)
    one[0] = 9
    assert two[0] == 0


@pytest.mark.parametrize("kind", [csr_matrix, csc_matrix])
def test_a_sparse_matrix_keeps_its_arrays_and_marks(kind, tmp_path):
    matrix = kind(np.array([[0, 1.5, 0], [2, 0, 0]], np.float32))
    matrix.indices = matrix.indices.astype(np.int64)  # not what scipy would choose
    back = round_trip(matrix, tmp_path)
    assert type(back) is kind
    for name in ("data", "indices", "indptr"):
        assert getattr(back, name).dtype == getattr(matrix, name).dtype
        assert_array_equal(getattr(back, name), getattr(matrix, name))
    assert back.has_sorted_indices
    unsorted = csr_matrix((np.ones(2), np.array([1, 0]), np.array([0, 2])), (1, 2))
    assert not round_trip(unsorted, tmp_path / "unsorted").has_sorted_indices


def frame_of_everything() -> pd.DataFrame:
    when = pd.DatetimeIndex(np.array(["2024-01-01", "NaT", "2024-03-01T12:00:00.000001"], "M8[us]"))
    frame = pd.DataFrame(
        {
            "user_id": ["a", "b", None],
            "text": pd.Series(["é", None, "x"], dtype=object),
            "mixed": pd.Series([None, float("nan"), True], dtype=object),
            "names": pd.Series([["a", "b"], [], ["c"]], dtype=object),
            "prices": pd.Series([[1.5, 2.0], None, []], dtype=object),
            "range": pd.Series([(1.0, 2.0), None, (3.0, 4.0)], dtype=object),
            "counts": pd.Series([[1], [2, 3], []], dtype=object),
            "flag": pd.Series([True, None, False], dtype="boolean"),
            "n": np.array([1, 2, 3], np.int16),
            "x": np.array([1.5, np.nan, np.inf], np.float32),
            "seconds": when.astype("datetime64[s]"),
            "when": when.astype("datetime64[us]"),
            "kind": pd.Categorical(["toy", None, "tool"], categories=["tool", "toy", "unused"], ordered=True),
            "grade": pd.Categorical([3, 1, 3]),
        }
    )
    frame.attrs["asof"] = "2024-03-01"
    return frame


def test_a_frame_comes_back_with_every_column_type(tmp_path):
    frame = frame_of_everything()
    back = round_trip(frame, tmp_path)
    assert_frame_equal(back, frame)
    assert back.attrs == frame.attrs
    assert back["mixed"].tolist()[0] is None
    assert [type(cell) for cell in back["range"]] == [tuple, type(None), tuple]
    assert back["prices"].tolist() == [[1.5, 2.0], None, []]
    for rows in (slice(0, 0), slice(1, 2)):
        part = frame.iloc[rows]
        assert_frame_equal(round_trip(part, tmp_path / str(rows.stop)), part)


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(2, 8, 3, name="n"), pd.Index([3, 1], name="x"), pd.Index(["a", None, "é"], dtype=object),
        pd.Index(["a", "b"], dtype="str"), pd.Index([], dtype=object), pd.Index(["a", 1, 2.5, None], dtype=object),
        pd.DatetimeIndex(["2024-01-01", "2024-01-03"]), pd.Index([1.5, np.nan]),
    ],
    ids=repr,
)  # fmt: skip
def test_an_index_comes_back_exactly(index, tmp_path):
    assert_index_equal(round_trip(index, tmp_path), index, exact=True)


def test_a_series_comes_back_with_index_and_name(tmp_path):
    for name in ("lift", None, 3):
        series = pd.Series([1.5, 2.5], index=pd.Index(["a", "b"]), name=name)
        assert_series_equal(round_trip(series, tmp_path), series)


def test_what_is_shared_stays_shared(tmp_path):
    words, array = ["a", 1.5], np.arange(3)
    first, second, matrix = round_trip([{"w": words, "a": array}, (words, array), csr_matrix((2, 2))], tmp_path)
    assert first["w"] is second[0]
    assert first["a"] is second[1]
    assert matrix.shape == (2, 2)


def test_functions_and_partials_of_ours_come_back_by_name(tmp_path):
    recipe = functools.partial(leaning_bands, worth=0.5)
    plain, recipe = round_trip([leaning_bands, recipe], tmp_path)
    assert plain is leaning_bands
    assert (recipe.func, recipe.args, recipe.keywords) == (leaning_bands, (), {"worth": 0.5})


def test_the_caller_s_object_is_left_as_it_is(data, tmp_path):
    model = PopularityRecommender().fit(data)
    before = pickle.dumps(model)
    write(model, tmp_path)
    assert pickle.dumps(model) == before


# ---------------------------------------------------------------------------------------------------------- models
def all_models() -> dict:
    """Every model of the package as it is by default, by name; those whose packages are not installed are left out."""
    found = {}
    for module in pkgutil.iter_modules(models.__path__):
        try:
            inside = vars(importlib.import_module(f"reco_utils.models.{module.name}"))
        except ImportError:
            continue
        classes = [inside[name] for name in inside if name.endswith("Recommender") and isinstance(inside[name], type)]
        found |= {cls.__name__: cls for cls in classes if is_dataclass(cls) and cls.__module__.endswith(module.name)}
    del found["FrozenRecommender"]  # a model that was fitted already; it has tests of its own
    if "RetrievalRecommender" in found:
        found["RetrievalRecommender"] = functools.partial(found["RetrievalRecommender"], IALSRecommender())
    return found


@pytest.mark.parametrize("name", all_models())
def test_every_model_lists_the_same_bit_for_bit_after_it_was_read(name, data, tmp_path):
    model = all_models()[name]().fit(data)
    files = write([model, data], tmp_path)
    users = [*data.users, "a stranger", "another"]  # 500 and two
    session = [[] for _ in users]
    session[0], session[-1] = list(data.items[:3]), list(data.items[5:7])
    one = recommend(model, data.batch(users, history=session), 20)
    back, data_back = read(tmp_path, files)
    two = recommend(back, data_back.batch(users, history=session), 20)
    assert one.items.tobytes() == two.items.tobytes()
    assert one.scores.tobytes() == two.scores.tobytes()
    if hasattr(model, "similar_items"):
        for was, comes in zip(model.similar_items([0, 5], 7), back.similar_items([0, 5], 7)):
            assert was.tobytes() == comes.tobytes()


def test_frozen_parts_share_one_dataset_and_are_still_fitted_on_it(data, tmp_path):
    content = FrozenRecommender(ContentRecommender().fit(data), data)
    model = CascadeRecommender([Band(0, PopularityRecommender(), "all"), Band(1, content, "words")]).fit(data)
    files = write({"data": data, "pipeline": Pipeline(model, (MMR(content.vectors_),))}, tmp_path)
    kinds = [next(iter(record.values())) for record in structure(tmp_path, files)["objects"] if "instance" in record]
    assert [kind[0] for kind in kinds].count("reco_utils.core:Dataset") == 1
    back = read(tmp_path, files)
    part = back["pipeline"].model.bands_[1].model
    assert part.data is back["data"]
    assert part.fit(back["data"]) is part
    assert back["pipeline"].rerankers[0].vectors is part.vectors_
    one, two = (p(d.batch(d.users), 10) for p, d in ((Pipeline(model), data), (back["pipeline"], back["data"])))
    assert one.items.shape == two.items.shape


def test_a_search_finds_the_same_after_it_was_read(data, tmp_path):
    search = CatalogSearch().fit(data)
    back = round_trip(search, tmp_path)
    for query in ("oak table under 50", "chep lamp", ""):
        one, two = search.search(query, 10), back.search(query, 10)
        assert_array_equal(one.items, two.items)
        assert one.understood == two.understood


def test_a_dataset_comes_back_with_everything(data, tmp_path):
    back = round_trip(data, tmp_path)
    assert isinstance(back, Dataset)
    assert_index_equal(back.users, data.users, exact=True)
    assert_frame_equal(back.catalog, data.catalog)
    assert_frame_equal(back.profiles, data.profiles)
    assert back.asof == data.asof
    assert_array_equal(back.last, data.last)
    assert not back.weights.data.flags.writeable


# ------------------------------------------------------------------------------------------------ what is not written
Foreign = namedtuple("Foreign", "a b")


class Mine:
    """Not one of ours."""


@pytest.mark.parametrize(
    "value",
    [Mine(), Foreign(1, 2), len, os.system, lambda: 0, object(), np.array([Mine()], object), {1: Path("x")}, int],
)
def test_anything_else_is_refused(value, tmp_path):
    with pytest.raises(TypeError, match="cannot be stored"):
        write(value, tmp_path)


def test_the_refusal_says_where_it_is(data, tmp_path):
    model = PopularityRecommender().fit(data)
    model.surprise = open
    cascade = CascadeRecommender([Band(0, PopularityRecommender(), "all"), Band(1, model, "more")])
    cascade.bands_ = (*cascade.bands,)
    del cascade.bands
    with pytest.raises(TypeError, match=r"^pipeline\.model\.bands_\[1\]\.model\.surprise cannot be stored"):
        write({"pipeline": Pipeline(cascade)}, tmp_path)


def test_a_reranker_made_of_a_local_function_is_refused_by_its_place(data, tmp_path):
    slots = Slots(data.catalog["category"].to_numpy(object), (("new", 2),), {"new": lambda batch, k: None})
    with pytest.raises(TypeError, match=r"pipeline.rerankers\[0\].pools\['new'\] cannot be stored: .*<lambda>"):
        write({"pipeline": Pipeline(PopularityRecommender(), (slots,))}, tmp_path)


def test_a_list_that_holds_itself_is_refused(tmp_path):
    ring = [1]
    ring.append([ring])
    with pytest.raises(TypeError, match=r"\[1\]\[0\] refers to itself"):
        write(ring, tmp_path)


def test_a_frame_with_strange_columns_or_cells_is_refused(tmp_path):
    with pytest.raises(TypeError, match="columns must be different texts"):
        write(pd.DataFrame([[1, 2]], columns=["a", "a"]), tmp_path)
    with pytest.raises(TypeError, match=r"'x'\] cannot be stored: a cell holds a dict"):
        write(pd.DataFrame({"x": pd.Series([{}], dtype=object)}), tmp_path)


# --------------------------------------------------------------------------------------------------- what is not read
@pytest.fixture
def stored(tmp_path):
    files = write({"a": np.arange(1000), "f": pd.DataFrame({"x": [1.5]}), "t": "text"}, tmp_path / "store")
    for name in files:
        (tmp_path / "store" / name).chmod(0o644)
    return tmp_path / "store", files


@pytest.mark.parametrize("ending", [".npy", ".parquet", ".json"])
def test_a_file_cut_short_is_refused_by_name(stored, ending):
    folder, files = stored
    name = name_of(files, ending)
    whole = (folder / name).read_bytes()
    for size in (0, 1, len(whole) // 2, len(whole) - 1):
        (folder / name).write_bytes(whole[:size])
        with pytest.raises(ArtifactError, match=rf"store/{name}: sha256 of its {size:,} bytes .* cut short or altered"):
            read(folder, files)


@pytest.mark.parametrize("ending", [".npy", ".parquet", ".json"])
def test_a_flipped_bit_is_refused_by_name(stored, ending):
    folder, files = stored
    name = name_of(files, ending)
    whole = bytearray((folder / name).read_bytes())
    for at in (0, len(whole) // 2, len(whole) - 1):
        whole[at] ^= 1
        (folder / name).write_bytes(whole)
        with pytest.raises(ArtifactError, match=name):
            read(folder, files)
        whole[at] ^= 1


def test_a_missing_file_and_a_link_are_refused_by_name(stored, tmp_path):
    folder, files = stored
    name = name_of(files, ".npy")
    (folder / name).rename(tmp_path / "elsewhere")
    with pytest.raises(ArtifactError, match=f"store/{name} is missing"):
        read(folder, files)
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtifactError, match=f"store/{name} is missing"):
        read(folder, files)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a.npy", "0" * 32 + ".pkl", "", "0" * 32 + ".npy\n"]
)
def test_a_name_that_leads_elsewhere_is_refused(stored, name):
    folder, files = stored
    with pytest.raises(ArtifactError, match="is no file name of an artifact"):
        read(folder, files | {name: "0"})


def test_two_structures_or_none_are_refused(stored):
    folder, files = stored
    with pytest.raises(ArtifactError, match="there must be 1 structure"):
        read(folder, {name_of(files, ".npy"): files[name_of(files, ".npy")]})


def test_another_format_is_refused_with_what_to_do(tmp_path):
    for number, todo in ((2, r"update this code \(git pull, make install\)"), (0, "train anew")):
        with pytest.raises(ArtifactError, match=f"has format {number}, this code reads 1: {todo}"):
            read(tmp_path, forged(tmp_path, {"list": []}, format=number))


def test_an_array_of_pickled_objects_is_refused_and_not_run(tmp_path):
    folder, files = tmp_path / "store", write([np.arange(3)], tmp_path / "store")
    old, mark = name_of(files, ".npy"), tmp_path / "it ran"

    class Bomb:
        def __reduce__(self):
            return Path.touch, (mark,)

    np.save(tmp_path / "bomb.npy", np.array([Bomb()], object), allow_pickle=True)
    raw = (tmp_path / "bomb.npy").read_bytes()
    for content in (raw, pickle.dumps(Bomb())):
        sha256 = hashlib.sha256(content).hexdigest()
        name = f"{sha256[:32]}.npy"
        (folder / name).write_bytes(content)
        text = json.dumps(structure(folder, files)).replace(old, name)
        smuggled = with_structure(folder, {name: sha256}, json.loads(text))
        with pytest.raises(ArtifactError, match=f"{name} holds no plain array"):
            read(folder, smuggled)
    assert not mark.exists()


@pytest.mark.parametrize(
    "record, refusal",
    [
        ({"function": "os:system"}, "'os:system' is not in reco_utils.core"),
        ({"function": "builtins:eval"}, "'builtins:eval' is not in"),
        ({"function": "reco_utils.serve.artifact:prune"}, "'reco_utils.serve.artifact:prune' is not in"),
        ({"function": "reco_utils.data.fetch:os.system"}, "is not in"),
        ({"function": "reco_utils.data.fetch:shutil"}, "this version of the package has no"),
        ({"function": "reco_utils.core:recommend.__globals__"}, "is not in"),
        ({"function": "reco_utils.core.os:system"}, "is not in"),
        ({"function": "reco_utils.data.nothing:f"}, "this version of the package has no"),
        ({"function": "reco_utils.core:Dataset"}, "this version of the package has no"),
        ({"instance": ["subprocess:Popen", {}]}, "'subprocess:Popen' is not in"),
        ({"instance": ["reco_utils.core:Nothing", {}]}, "has no 'reco_utils.core:Nothing'"),
        ({"instance": ["reco_utils.core:recommend", {}]}, "has no 'reco_utils.core:recommend'"),
        ({"instance": ["reco_utils.data.amazon:Path", {}]}, "this version of the package has no"),
        ({"instance": ["reco_utils.models.cascade:Band", {}]}, "more than its attributes"),
        ({"row": ["reco_utils.models.cascade:Band", [1]]}, "is no named tuple of 1"),
        ({"row": ["reco_utils.core:Dataset", []]}, "is no named tuple"),
        ({"array": ["0" * 32 + ".npy", True]}, "is not one of the artifact's"),
        ({"array": ["../../secret.npy", True]}, "is not one of the artifact's"),
        ({"pickle": "gASV"}, "'pickle' is no kind of object"),
        ({"_init__": []}, "is no kind of object"),
        ({"path": "x"}, "is no kind of object"),
        ({"list": [{"see": 0}]}, "it refers to object 0"),
        ({"list": [{"see": -1}]}, "it refers to object -1"),
        ({"list": [{"eval": "1"}]}, "KeyError"),
        ({"dict": [[1, 2], [3]]}, "cannot be read"),
        ({"time": [0, "fortnights", None]}, "cannot be read"),
        ({"list": [], "tuple": []}, "cannot be read"),
        ("list", "cannot be read"),
    ],
)
def test_a_forged_structure_is_refused_by_name(record, refusal, tmp_path):
    with pytest.raises(ArtifactError, match=refusal):
        read(tmp_path, forged(tmp_path, record))


def test_a_partial_of_anything_but_a_function_of_ours_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="a partial must be of a function"):
        read(tmp_path, forged(tmp_path, {"tuple": []}, {"dict": [[], []]}, {"partial": ["x", {"see": 0}, {"see": 1}]}))


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"3", b"[" * 100_000, b"\xff"])
def test_a_structure_that_makes_no_sense_is_refused(text, tmp_path):
    sha256 = hashlib.sha256(text).hexdigest()
    (tmp_path / f"{sha256[:32]}.json").write_bytes(text)
    with pytest.raises(ArtifactError, match="no structure of an artifact"):
        read(tmp_path, {f"{sha256[:32]}.json": sha256})


@pytest.mark.parametrize(
    "indices, indptr", [([0, 9], [0, 1, 2]), ([0, -1], [0, 1, 2]), ([0, 1], [0, 2, 1]), ([0], [0, 1])]
)
def test_a_matrix_that_points_outside_of_itself_is_refused(indices, indptr, tmp_path):
    matrix = csr_matrix((2, 3))
    matrix.data, matrix.indices, matrix.indptr = np.ones(len(indices)), np.array(indices), np.array(indptr)
    matrix.has_canonical_format = True
    with pytest.raises(ArtifactError, match="sparse matrix"):
        round_trip(matrix, tmp_path)


# ---------------------------------------------------------------------------------------------------------- a full disk
def test_a_disk_that_fills_up_leaves_no_half_file(tmp_path, monkeypatch):
    real, written = os.fsync, []

    def full(handle):
        written.append(handle)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write([np.arange(n) for n in range(1, 9)], tmp_path)
    left = list(tmp_path.iterdir())
    assert len(left) == 2
    assert all(hashlib.sha256(path.read_bytes()).hexdigest()[:32] == path.stem for path in left)


def test_a_limit_on_file_size_is_an_error_and_no_half_file(tmp_path):
    code = f"""
import signal, resource, numpy as np
from reco_utils.serve.plain import write
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write([np.zeros(100), np.zeros(1_000_000)], {str(tmp_path)!r})
except OSError as error:
    print("refused", error.errno)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "refused 27"  # EFBIG
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [928]  # 100 numbers and the header of 128 bytes
