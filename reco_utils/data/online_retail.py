"""UCI Online Retail II: every invoice line of a British gift wholesaler, December 2009 to December 2011.

One row of the file is one line of an invoice. An event here is one product on one invoice: its lines are added up, its
value is quantity times unit price in pounds, and the invoice is the session. Lines that are no purchase by a known
customer are left out, each counted under the first reason that applies (see `load`). The set names neither categories
nor brands. Times are the shop's own clock, taken as UTC.

Source: Chen, D. (2012), Online Retail II, UCI Machine Learning Repository, CC BY 4.0.
"""

import re
import zipfile
from pathlib import Path

import pandas as pd

from reco_utils.core import EVENT, ITEM, TIME, USER, Defaults, Tables
from reco_utils.data.fetch import check_file
from reco_utils.data.schema import Problems, canonical, count_rows
from reco_utils.data.text import find_file, missing_columns, read_csv

WHOLE = ("online_retail_II.csv", "online_retail_II.xlsx", "Online Retail.xlsx", "OnlineRetail.csv")
YEARS = ("online_retail_II_2009-2010.csv", "online_retail_II_2010-2011.csv")
FILES = WHOLE + YEARS  # any one of these, .csv also as .csv.gz; both years are read when both are there

KINDS = {
    "Invoice": "text", "StockCode": "text", "Description": "text", "Quantity": "whole", "InvoiceDate": "text",
    "Price": "number", "Customer ID": "text", "Country": "text",
}  # fmt: skip
ALIASES = {"InvoiceNo": "Invoice", "UnitPrice": "Price", "CustomerID": "Customer ID"}  # the older one-year file
CHECKED = {"session_id": "Invoice", ITEM: "StockCode", TIME: "InvoiceDate", "quantity": "Quantity", "price": "Price"}
PRODUCT = r"\d{5}|DCGS|SP1002"  # how the codes of goods begin; POST, M, D, AMAZONFEE, gift_0001_20 ... are none
CARRIAGE = "23444"  # next-day delivery, under a code that looks like a product's

DEFAULTS = Defaults(target=("purchase",), half_life_days=90, split="time", keep_seen=False)

PROPER = """Christmas Xmas Easter Halloween Valentine Santa Noel Union Jack London Paris England English French Danish
Russian Chinese Japanese Indian Indians Moroccan Mexican Scandinavian Swiss Dutch Roman Czech Afghan Arabic Hawaiian
Edwardian Victorian Georgian Tokyo Vegas Murano Kashmir Kashmiri Suki Charlotte Charlie Lola Buddha TV CD LED VIP UK US
WC VW DIY I I'm Mr Mrs George Morris Piccadilly Kensington Portobello Provence""".split()


def load(name: str, folder: Path, *, encoding: str = "utf-8") -> Tables:
    """Purchases, products and customers of the wholesaler.

    Left out, in this order: bad-debt adjustments (invoices A...), cancellations (invoices C...), what is no product
    (postage, carriage, fees, manual entries, discounts, samples, tests, cushion pads at 0.001, gift vouchers), lines
    that sold nothing (stock notes) or cost nothing, lines without a customer (a quarter of the sales: they can teach
    what is popular but not whom to serve), and exact copies of a line. Copies cannot be told from double entries, and
    the nine days that the publisher's two sheets share are copies.

    A purchase that was cancelled later stays: on the day of a recommendation nobody knew. The report counts those
    whose cancellation names the same customer, product and quantity.

    The catalogue has every product sold, also to unknown customers. Its title is the product's most frequent
    description, which tells nothing about demand. Its price is the first one that a known customer paid (retail buyers
    without a number pay about twice as much), so it never looks ahead.

    Defaults. No window, because half of the customers order at most twice a year; `half_life_days` 90 as a compromise:
    in the four weeks after 14 October 2010 cosine item-kNN (50 neighbours, NDCG@10 on products new to the customer)
    had .050 without decay, .047 at 90 days and .043 at 60, while popularity rose from .036 to .041 and .042.
    `keep_seen` False: 42 % of what warm customers bought in the last four weeks they had bought before, so buying again
    is real here, but such a list shows nobody anything new; measure both ways.

    Parameters
    ----------
    folder : Path
        Holds one of `FILES`. The workbook (both sheets) needs openpyxl, the extra "excel".
    encoding : str
        Of a CSV file; some mirrors of the older file are "latin-1".

    Raises
    ------
    FileNotFoundError  when none of the files is there
    ModuleNotFoundError  when the file is a workbook and openpyxl is not installed
    ValueError  listing what is wrong with the file
    """
    rows = _tidy(_read(Path(folder), encoding))
    _check(name, rows)
    sales, report = _leave_out(rows, _no_sale(rows))
    bought, more = _leave_out(sales, _unknown(sales))
    events = _events(bought)
    merged = len(bought) - len(events)
    report += more + [("events", "lines of one product on one invoice, added up", merged)]
    report += [("events", "kept, though cancelled later", _cancelled(events, rows))]
    catalog, profiles = _catalog(sales), _profiles(bought)
    unsold = (~catalog[ITEM].isin(set(events[ITEM]))).sum()
    report += [("catalog", "products that no known customer bought", unsold)]
    report += [("catalog", "titles made up", catalog["title"].str.fullmatch(r"item \S+").sum())]
    return canonical(name, events, catalog, profiles, defaults=DEFAULTS, report=count_rows(report))


# ------------------------------------------------------------------------------------------------------------- reading
def _read(folder, encoding) -> pd.DataFrame:
    """The publisher's rows under the newer column names; numbers and times not yet read."""
    path = find_file(folder, *WHOLE, optional=True)
    paths = [path] if path else [p for year in YEARS if (p := find_file(folder, year, optional=True))]
    if not paths:
        find_file(folder, *FILES)  # raises, naming them all
    if paths[0].suffix == ".xlsx":
        return _read_workbook(paths[0])
    parts = [read_csv(path, columns=KINDS, aliases=ALIASES, encoding=encoding) for path in paths]
    return pd.concat(parts, ignore_index=True)


def _read_workbook(path) -> pd.DataFrame:
    """All sheets of the workbook below one another."""
    try:
        import openpyxl  # noqa: F401
    except ModuleNotFoundError:
        advice = "install it with: pip install 'reco-utils[excel]', or save both sheets as csv"
        raise ModuleNotFoundError(f"{path.name} is a workbook and needs openpyxl; {advice}") from None
    check_file(path)
    as_text = {name: str for name in (*KINDS, *ALIASES) if KINDS.get(ALIASES.get(name, name)) == "text"}
    as_text.pop("InvoiceDate")  # Excel knows it is a date
    try:
        sheets = pd.read_excel(path, sheet_name=None, dtype=as_text, engine="openpyxl")
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path.name} is no workbook, or a damaged one ({error}); get the file again") from None
    for sheet, rows in sheets.items():
        rows = sheets[sheet] = rows.rename(columns={a: n for a, n in ALIASES.items() if n not in rows})
        if missing := [column for column in KINDS if column not in rows]:
            raise ValueError(f"{path.name}, sheet {sheet!r}: {missing_columns(missing, list(rows))}")
    return pd.concat(sheets.values(), ignore_index=True)[list(KINDS)]


def _tidy(rows) -> pd.DataFrame:
    """Canonical names and spellings: codes in capitals, customers without ".0", times as times."""
    return pd.DataFrame({
        USER: rows["Customer ID"].str.strip().str.removesuffix(".0"),
        ITEM: rows["StockCode"].str.strip().str.upper(),
        TIME: _times(rows["InvoiceDate"]),
        "session_id": rows["Invoice"].str.strip().str.removesuffix(".0"),
        "quantity": pd.to_numeric(rows["Quantity"], errors="coerce"),
        "price": pd.to_numeric(rows["Price"], errors="coerce"),
        "title": titles(rows["Description"]),
        "location": rows["Country"].str.strip().replace("Unspecified", None),
    })  # fmt: skip


def _times(column) -> pd.Series:
    """ISO times, or month/day/year as mirrors of the older file have them; missing where neither can be read."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column
    times = pd.to_datetime(column, format="ISO8601", errors="coerce")
    if times.isna().all():
        times = pd.to_datetime(column, format="%m/%d/%Y %H:%M", errors="coerce")
    return times


def _check(name, rows):
    """Refuse rows without an invoice, a code, or a readable time, quantity or price."""
    problems = Problems(name)
    for column, publishers in CHECKED.items():
        problems.add(f"{publishers} is missing or cannot be read", rows[rows[column].isna()])
    problems.stop()


def titles(descriptions: pd.Series) -> pd.Series:
    """Shouted, oddly spaced descriptions as a person would write them: " WHITE CHERRY LIGHTS" -> "White cherry lights".

    Sets are spelt out (S/4 -> Set of 4), spaces and commas put right, and names of places, feasts and peoples keep
    their capital.
    """
    codes, unique = pd.factorize(descriptions)  # half a million lines, five thousand descriptions
    tidy = pd.Series([_title(str(text)) for text in unique], dtype=descriptions.dtype)
    return tidy.reindex(codes).set_axis(descriptions.index)


_PROPER = {word.lower(): word for word in PROPER}


def _title(text) -> str:
    text = re.sub(r"\s+", " ", text.lower()).strip(" .,")
    text = re.sub(r" ?,\s*", ", ", text)
    text = re.sub(r"\b(?:set|s)(?: of)? ?/ ?(\d+)(?: of\b)?", r"set of \1", text)
    text = re.sub(r"[a-z']+", lambda word: _PROPER.get(word[0], word[0]), text)
    return text[:1].upper() + text[1:]


# -------------------------------------------------------------------------------------------------------- leaving out
def _no_sale(rows) -> dict[str, pd.Series]:
    """Why a line is no sale of a product: reason -> mask."""
    invoice, code = rows["session_id"], rows[ITEM]
    return {
        "bad-debt adjustments (invoice A...)": invoice.str.startswith("A"),
        "cancellations (invoice C...)": invoice.str.startswith("C"),
        "no product (postage, fees, vouchers, tests ...)": ~code.str.match(PRODUCT) | (code == CARRIAGE),
        "quantity not above 0": rows["quantity"] <= 0,
        "price not above 0": rows["price"] <= 0,
    }


def _unknown(sales) -> dict[str, pd.Series]:
    """Why a sale cannot be an event: reason -> mask."""
    line = [USER, ITEM, TIME, "session_id", "quantity", "price", "title"]
    return {"no customer id": sales[USER].isna(), "the same line again": sales.duplicated(line)}


def _leave_out(rows, reasons) -> tuple[pd.DataFrame, list]:
    """The other rows, and how many were left out under the first reason that holds for them."""
    kept, counts = pd.Series(True, rows.index), []
    for reason, mask in reasons.items():
        counts.append(("events", reason, int((kept & mask).sum())))
        kept &= ~mask
    return rows[kept], counts


# ------------------------------------------------------------------------------------------------------------- tables
def _events(bought) -> pd.DataFrame:
    """One purchase per product and invoice."""
    bought = bought.assign(value=bought["quantity"] * bought["price"])
    whole = bought.groupby([USER, "session_id", ITEM], sort=False, as_index=False)
    events = whole.agg({TIME: "first", "quantity": "sum", "value": "sum"})
    return events.assign(**{EVENT: "purchase", "value": events["value"].round(2)})


def _cancelled(events, rows) -> int:
    """How many purchases have a later cancellation of the same customer, product and quantity."""
    gone = rows[rows["session_id"].str.startswith("C") & rows[USER].notna()]
    gone = gone.assign(quantity=-gone["quantity"])[[USER, ITEM, "quantity", TIME]].sort_values(TIME)
    bought = events[[USER, ITEM, "quantity", TIME]].assign(row=range(len(events))).sort_values(TIME)
    return int(pd.merge_asof(gone, bought, on=TIME, by=[USER, ITEM, "quantity"])["row"].nunique())


def _catalog(sales) -> pd.DataFrame:
    """Every product with its most frequent title and the first price, known customers' prices before the others'."""
    counts = sales.groupby([ITEM, "title"], sort=False).size().sort_values(ascending=False, kind="stable")
    title = counts.reset_index().drop_duplicates(ITEM).set_index(ITEM)["title"]
    first = sales.assign(unknown=sales[USER].isna()).sort_values(["unknown", TIME], kind="stable").drop_duplicates(ITEM)
    catalog = first[[ITEM, "price"]].sort_values(ITEM)
    return catalog.assign(title=catalog[ITEM].map(title).fillna("item " + catalog[ITEM]))


def _profiles(bought) -> pd.DataFrame:
    """Every customer with the country of the first purchase."""
    return bought.sort_values(TIME, kind="stable").drop_duplicates(USER)[[USER, "location"]].sort_values(USER)
