"""H&M in the publisher's layout, on files made here: ids as text, pieces added up, first prices, gaps."""

import numpy as np
import pandas as pd
import pytest

from reco_utils.data.hm import load

CUSTOMERS = [f"{n:064x}" for n in (0xABC, 1, 2)]
ARTICLES = """\
article_id,product_code,prod_name,product_type_no,product_type_name,product_group_name,graphical_appearance_no,\
graphical_appearance_name,colour_group_code,colour_group_name,index_name,section_name,garment_group_name,detail_desc
0108775015,0108775,Strap top,253,Vest top,Garment Upper body,1010016,Solid,09,Black,Ladieswear,Womens Everyday Basics,\
Jersey Basic,"Jersey top with narrow shoulder straps, in cotton."
0108775044,0108775,Strap top,253,Vest top,Garment Upper body,1010016,Solid,10,White,Ladieswear,Womens Everyday Basics,\
Jersey Basic,
0110065001,0110065,OP T-shirt (Idro),306,Bra,Underwear,1010016,Solid,09,Black,Ladieswear,Womens Lingerie,\
"Under-, Nightwear",x
"""
TRANSACTIONS = [
    ("2018-09-20", 0, "0108775015", 0.05, 2),
    ("2018-09-20", 1, "0108775044", 0.03, 1),
    ("2018-09-20", 0, "0108775015", 0.05, 2),
    ("2018-09-20", 0, "0108775015", 0.04, 1),
    ("2018-09-21", 1, "0108775044", 0.01, 1),
]


def write(folder, transactions=TRANSACTIONS, customers=CUSTOMERS):
    people = "customer_id,FN,Active,club_member_status,fashion_news_frequency,age,postal_code\n"
    people += "".join(f"{c},,,ACTIVE,NONE,{age},{c[::-1]}\n" for c, age in zip(customers, ("49.0", "", "25.0")))
    rows = "".join(
        f"{day},{CUSTOMERS[c]},{article},{price},{channel}\n" for day, c, article, price, channel in transactions
    )
    (folder / "articles.csv").write_text(ARTICLES)
    (folder / "customers.csv").write_text(people)
    (folder / "transactions_train.csv").write_text("t_dat,customer_id,article_id,price,sales_channel_id\n" + rows)
    return folder


def test_equal_rows_become_a_quantity_and_the_order_of_the_file_stays(tmp_path):
    events = load("hm", write(tmp_path)).events
    assert events["user_id"].tolist() == [CUSTOMERS[c] for c in (0, 1, 0, 1)]
    assert events["item_id"].tolist() == ["0108775015", "0108775044", "0108775015", "0108775044"]
    assert events["quantity"].tolist() == [2, 1, 1, 1]
    assert events["value"].tolist() == pytest.approx([0.10, 0.03, 0.04, 0.01])
    assert events["device"].tolist() == ["online", "store", "store", "store"]
    assert events["timestamp"].iloc[-1] == pd.Timestamp("2018-09-21")


def test_adding_up_agrees_with_a_naive_group_by(tmp_path):
    rng = np.random.default_rng(0)
    days = np.sort(rng.integers(0, 5, 400))
    articles = np.array(["0108775015", "0108775044", "0110065001"])
    rows = [
        (f"2018-09-{20 + d}", c, a, round(p, 3), s)
        for d, c, a, p, s in zip(
            days, rng.integers(0, 3, 400), rng.choice(articles, 400), rng.random(400), rng.integers(1, 3, 400)
        )
    ]
    events = load("hm", write(tmp_path, rows)).events
    naive = {}
    for day, c, article, price, channel in rows:
        naive.setdefault((day, CUSTOMERS[c], article, {1: "store", 2: "online"}[channel]), []).append(price)
    keys = [
        events["timestamp"].dt.strftime("%Y-%m-%d"),
        *(events[c].astype(str) for c in ("user_id", "item_id", "device")),
    ]
    assert list(zip(*keys)) == list(naive)
    assert events["quantity"].tolist() == [len(prices) for prices in naive.values()]
    assert events["value"].to_numpy() == pytest.approx([sum(prices) for prices in naive.values()])


def test_rows_of_an_unknown_channel_are_added_up_among_themselves(tmp_path):
    rows = [("2018-09-20", 0, article, 0.05, channel) for article, channel in
            (("0108775015", 1), ("0108775015", 2), ("0108775044", ""), ("0108775044", ""))]  # fmt: skip
    events = load("hm", write(tmp_path, rows)).events
    assert events["item_id"].tolist() == ["0108775015", "0108775015", "0108775044"]
    assert events["quantity"].tolist() == [1, 1, 2] and events["device"].isna().tolist() == [False, False, True]


def test_the_catalogue_says_colour_department_and_the_first_price(tmp_path):
    catalog = load("hm", write(tmp_path)).catalog.set_index("item_id")
    assert catalog["title"].tolist() == ["Strap top, black", "Strap top, white", "OP T-shirt (Idro), black"]
    assert catalog.loc["0108775044", ["category", "subcategory"]].tolist() == ["Garment Upper body", "Vest top"]
    assert catalog.loc["0110065001", "tags"] == "Black, Solid, Ladieswear, Womens Lingerie, Under-, Nightwear"
    assert catalog["price"].iloc[:2].tolist() == [0.05, 0.03] and np.isnan(catalog["price"].iloc[2])


def test_gaps_are_counted(tmp_path):
    tables = load("hm", write(tmp_path))
    assert tables.report.set_index("what")["rows"].to_dict() == {
        "equal rows, added up as quantity": 1,
        "articles without a single event": 1,
        "articles without a description": 1,
        "customers without an age": 1,
    }
    assert tables.profiles["age"].iloc[[0, 2]].tolist() == [49, 25] and np.isnan(tables.profiles["age"].iloc[1])
    assert tables.offers == {"text", "category", "price", "revenue", "demographics"}


def test_customers_that_the_customer_file_lacks_are_refused(tmp_path):
    with pytest.raises(ValueError, match="events have 1 user_id that profiles lacks"):
        load("hm", write(tmp_path, customers=CUSTOMERS[1:]))


def test_a_transaction_without_an_article_is_refused_with_the_file_named(tmp_path):
    with pytest.raises(ValueError, match=r"transactions_train.csv: article_id is missing: 1 row"):
        load("hm", write(tmp_path, [*TRANSACTIONS, ("2018-09-22", 0, "", 0.1, 1)]))


def test_a_missing_file_is_named(tmp_path):
    write(tmp_path)
    (tmp_path / "articles.csv").unlink()
    with pytest.raises(FileNotFoundError, match="put articles.csv into"):
        load("hm", tmp_path)
