"""One reader for all delimited text: what it accepts, and the one clear error for each kind of bad file."""

import gzip

import duckdb
import pandas as pd
import pytest

from reco_utils.data.text import ctrl_c, find_file, read_csv

AB = {"a": "whole", "b": "number"}


@pytest.fixture
def file(tmp_path):
    def write(content: bytes | str, name="rows.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def test_ids_keep_their_leading_zeros_and_gaps_stay_gaps(file):
    rows = read_csv(file("id,b,c\n007,1.5,x\n7,,\n"), columns={"c": "text", "id": "text", "b": "number"})
    assert list(rows) == ["c", "id", "b"] and rows["id"].tolist() == ["007", "7"]
    assert rows["b"].isna().tolist() == rows["c"].isna().tolist() == [False, True]


def test_categories_hold_each_text_once_in_order_of_appearance(file):
    rows = read_csv(file("a\nx\ny\nx\n"), columns={"a": "category"})
    assert rows["a"].cat.codes.tolist() == [0, 1, 0] and list(rows["a"].cat.categories) == ["x", "y"]


def test_times_with_an_offset_come_back_in_utc(file):
    rows = read_csv(file("t\n2020-01-01 00:00:00+02:00\n2020-01-01T00:00:00Z\n2020-01-02\n"), columns={"t": "time"})
    assert rows["t"].tolist() == [pd.Timestamp(t) for t in ("2019-12-31 22:00", "2020-01-01", "2020-01-02")]


def test_gzip_is_recognised_by_its_first_bytes_and_a_byte_order_mark_is_skipped(file):
    for content in (b"a,b\n1,2\n", b"\xef\xbb\xbfa,b\n1,2\n"):
        for packed in (content, gzip.compress(content)):
            assert read_csv(file(packed), columns=AB).values.tolist() == [[1, 2.0]]


def test_double_colons_latin_1_and_files_without_a_header_are_read(file):
    path = file('1::Café "x\n2::Zoë\n'.encode("latin-1"))
    rows = read_csv(path, columns=["id", "title"], delimiter="::", encoding="latin-1", header=False, quote="")
    assert rows["title"].tolist() == ['Café "x', "Zoë"]


def test_another_spelling_counts_only_when_the_name_itself_is_absent(file):
    assert read_csv(file("A,b\n1,2\n"), columns=AB, aliases={"A": "a"}).a.tolist() == [1]
    assert read_csv(file("A,a,b\n1,9,2\n"), columns=AB, aliases={"A": "a"}).a.tolist() == [9]


def test_optional_columns_may_be_absent(file):
    assert list(read_csv(file("a\n1\n"), columns=AB, optional=["b"])) == ["a"]


@pytest.mark.parametrize(
    "content, said",
    [
        ("", r"rows.csv is empty \(0 bytes\)"),
        ("a,b\n", "it has a header line and no rows"),
        ("<!DOCTYPE html><html>", "rows.csv is a web page, not data"),
        (b"PK\x03\x04rest", "rows.csv is a zip archive; unpack it first"),
        (b"PAR1rest", "a Parquet file, not text"),
        ("a;b;c\n1;2;3\n", "the delimiter is probably a semicolon, not a comma"),
        ("a\tb\n1\t2\n", "the delimiter is probably a tab, not a comma"),
        ("A,z\n1,2\n", r"missing the columns \['a', 'b'\]; it has \['A', 'z'\]; did you mean 'A' for 'a'\?"),
        ("a,a,b\n1,2,3\n", "the column 'a' is there 2 times"),
        ("a,b\n1,2\n1,2,3\n", r"too many fields \(there are 2 columns\): 1 row"),
        ("a,b\n1,2\n3\n", r"too few fields \(there are 2 columns\): 1 row"),
        ('a,b\n1,2\n"3,4\n', "a quotation mark is opened and never closed"),
        ("a,b\n1,é\n".encode("latin-1"), "bytes that are not utf-8 text"),
        ("\na,b\n1,2\n", "rows.csv begins with an empty line"),
        ("\ufeff", "rows.csv begins with an empty line"),
        ("a,b\r1,2\r", r"ends its lines with \\r alone"),
        ("a,b\n1,2\r\n3,4\n", r"its lines end in several ways"),
        ("a,b\n1,2\n".encode("utf-16"), "is no utf-8 text; is it encoding='utf-16'"),
        (gzip.compress(gzip.compress(b"a,b\n1,2\n", mtime=0), mtime=0), "is no utf-8 text; .* packed twice"),
        ("a,b\n1," + "x" * 3_000_000 + "\n", "a line is longer than 2 MB"),
    ],
)
def test_a_bad_file_is_refused_by_name(file, content, said):
    with pytest.raises(ValueError, match=said):
        read_csv(file(content), columns={"a": "text", "b": "text"})


def test_a_line_that_is_too_short_for_two_columns_is_counted_once(file):
    with pytest.raises(ValueError, match="too few fields") as error:
        read_csv(file("a,b,c\n1,2,3\n1\n"), columns={"a": "text", "b": "text", "c": "text"})
    assert str(error.value).count("too few fields") == 1 and "1 row" in str(error.value)


def test_a_folder_in_place_of_a_file_is_called_that(tmp_path):
    (tmp_path / "rows.csv").mkdir()
    with pytest.raises(ValueError, match="rows.csv is a folder, not a file"):
        read_csv(tmp_path / "rows.csv", columns=AB)


def test_only_some_rows_are_read_and_none_is_no_error(file):
    path = file("a,b\nx,1\ny,2\n")
    assert read_csv(path, columns={"b": "whole", "a": "category"}, only={"a": ["y"]})["b"].tolist() == [2]
    nothing = read_csv(path, columns={"b": "whole", "a": "category"}, only={"a": ["z"]})
    assert len(nothing) == 0 and list(nothing) == ["b", "a"]


@pytest.mark.parametrize("said", [duckdb.InterruptException("Interrupted!"), RuntimeError("Query interrupted")])
def test_ctrl_c_inside_duckdb_is_ctrl_c(said):
    with pytest.raises(KeyboardInterrupt), ctrl_c():
        raise said


def test_another_error_inside_duckdb_stays_what_it_is():
    with pytest.raises(RuntimeError, match="no memory"), ctrl_c():
        raise RuntimeError("no memory")


def test_a_file_is_found_plain_or_gzipped_in_any_case_and_a_folder_is_none(tmp_path):
    (tmp_path / "Rows.CSV.gz").write_text("")
    assert find_file(tmp_path, "other.csv", "rows.csv") == tmp_path / "Rows.CSV.gz"
    (tmp_path / "rows.csv").mkdir()
    assert find_file(tmp_path, "rows.csv") == tmp_path / "Rows.CSV.gz"
    assert find_file(tmp_path, "other.csv", optional=True) is None
    with pytest.raises(FileNotFoundError, match=r"put other.csv into .*, which holds \['Rows.CSV.gz', 'rows.csv'\]"):
        find_file(tmp_path, "other.csv")
    with pytest.raises(FileNotFoundError, match="which does not exist"):
        find_file(tmp_path / "none", "other.csv")


def test_unreadable_numbers_are_counted_and_shown_together_with_the_other_problems(file):
    path = file("a,b\n1,2\nx,3\ny,4\nz,5\n3\n")
    with pytest.raises(ValueError, match="a is not a whole number: 3 rows") as error:
        read_csv(path, columns=AB)
    assert "x,3" in str(error.value) and "too few fields" in str(error.value)


@pytest.mark.parametrize("kept", [8, 500, -6])
def test_a_gzip_stream_that_was_cut_is_refused(file, kept):
    whole = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i % 97) for i in range(5000)))
    with pytest.raises(ValueError, match="cut off"):
        read_csv(file(whole[:kept]), columns=AB)


def test_a_gzip_with_one_wrong_byte_is_refused_though_it_can_be_read(file):
    whole = bytearray(gzip.compress(b"a,b\n12345,1\n", compresslevel=0))  # stored as it is: a digit can be changed
    at = whole.index(b"12345")
    whole[at : at + 5] = b"12845"
    with pytest.raises(ValueError, match="rows.csv was cut off or damaged .*CRC"):
        read_csv(file(bytes(whole)), columns=AB)


def test_a_missing_file_is_a_file_not_found_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.csv"):
        read_csv(tmp_path / "none.csv", columns=AB)


def test_kinds_and_encodings_are_checked(file):
    with pytest.raises(ValueError, match="kinds must be among"):
        read_csv(file("a\n1\n"), columns={"a": "int"})
    with pytest.raises(ValueError, match="encoding must be one of"):
        read_csv(file("a\n1\n"), columns=["a"], encoding="cp1252")
