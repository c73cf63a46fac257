"""Masks that act before the cut: each rule by hand, what is not known, what is refused, and that k stays k."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, recommend
from reco_utils.rerank.rules import allowed, forbidden

CATALOG = pd.DataFrame(
    {
        "item_id": ["mug", "pot", "pan", "tea", "oil", "jar"],
        "category": ["Cups", "Pots", "Pots", "Food", "Food", None],
        "brand": ["Acme", "Acme", "Bolt", "Bolt", np.nan, "Acme"],
        "price": [5.0, 20.0, 30.0, 4.0, np.nan, 10.0],
        "in_stock": pd.array([True, False, True, None, True, True], dtype="boolean"),
    }
)


def ids(mask):
    assert mask.dtype == bool and mask.shape == (len(CATALOG),)
    return CATALOG["item_id"][mask].tolist()


def data_of(catalog=CATALOG, users=("ann", "bob", "cat")):
    shape = (len(users), len(catalog))
    nothing = csr_matrix(shape, dtype=np.float32)
    users, items = pd.Index(users), pd.Index(catalog["item_id"])
    profiles = pd.DataFrame({"user_id": users})
    last = np.empty(0, "M8[us]")
    return Dataset(users, items, nothing, last, nothing.astype(bool), catalog, profiles, pd.Timestamp("2024-01-01"))


class FirstIsBest:
    def score(self, batch):
        return np.tile(-np.arange(batch.history.shape[1], dtype=np.float32), (len(batch), 1))


# ------------------------------------------------------------------------------------------------------ for everybody
def test_without_rules_only_what_is_sold_out_is_left_out_and_unknown_stock_counts_as_in_stock():
    assert ids(allowed(CATALOG)) == ["mug", "pan", "tea", "oil", "jar"]
    assert ids(allowed(CATALOG, in_stock=False)) == CATALOG["item_id"].tolist()
    assert ids(allowed(CATALOG.drop(columns="in_stock"))) == CATALOG["item_id"].tolist()


@pytest.mark.parametrize("flags", [[True, False, True, None, True, True], [1, 0, 1, np.nan, 1, 1]])
def test_flags_of_any_kind_are_understood(flags):
    assert ids(allowed(CATALOG.assign(in_stock=flags))) == ["mug", "pan", "tea", "oil", "jar"]


def test_a_price_range_includes_its_ends_and_not_what_has_no_price():
    assert ids(allowed(CATALOG, price=(5, 30))) == ["mug", "pan", "jar"]
    assert ids(allowed(CATALOG, price=(10, None))) == ["pan", "jar"]
    assert ids(allowed(CATALOG, price=(None, 5))) == ["mug", "tea"]
    assert ids(allowed(CATALOG, price=(10, 10))) == ["jar"]


def test_only_these_and_none_of_these():
    assert ids(allowed(CATALOG, categories=["Pots", "Food"])) == ["pan", "tea", "oil"]
    assert ids(allowed(CATALOG, not_categories=["Pots", "Food"])) == ["mug", "jar"]  # unknown is neither
    assert ids(allowed(CATALOG, brands=["Acme"], in_stock=False)) == ["mug", "pot", "jar"]
    assert ids(allowed(CATALOG, not_brands={"Acme"}, in_stock=False)) == ["pan", "tea", "oil"]
    assert ids(allowed(CATALOG, categories=[])) == []


def test_categories_may_be_categorical():
    catalog = CATALOG.astype({"category": "category", "brand": "category"})
    assert ids(allowed(catalog, categories=["Food"], not_brands=["Bolt"])) == ["oil"]


def test_blocked_items_may_have_left_the_catalogue():
    assert ids(allowed(CATALOG, blocked_items=["tea", "gone"])) == ["mug", "pan", "oil", "jar"]


def test_rules_add_up():
    assert ids(allowed(CATALOG, price=(None, 20), not_categories=["Cups"], blocked_items=["jar"])) == ["tea"]


def test_k_stays_k():
    data = data_of()
    mask = allowed(CATALOG, not_categories=["Cups"])
    lists = recommend(FirstIsBest(), data.batch(["ann"]), 3, allow=mask)
    assert data.items[lists.items[0]].tolist() == ["pan", "tea", "oil"]


def test_the_catalogue_is_left_as_it_is():
    before = CATALOG.copy(deep=True)
    allowed(CATALOG, price=(1, 2), categories=["Pots"], blocked_items=["tea"])
    pd.testing.assert_frame_equal(CATALOG, before)


def test_an_empty_catalogue_has_nothing_to_show():
    assert allowed(CATALOG[:0], price=(1, 2), blocked_items=["tea"]).shape == (0,)


@pytest.mark.parametrize(
    "rules, error, match",
    [
        (dict(price=(30, 5)), ValueError, r"price must be \(lowest, highest\), got \(30, 5\)"),
        (dict(price=(np.nan, 5)), ValueError, r"price must be \(lowest, highest\), got \(nan, 5\)"),
        (dict(categories=["Pot"]), ValueError, r"no item has the category \['Pot'\]; .*did you mean 'Pots'\?"),
        (dict(not_categories=["zzz"]), ValueError, r"no item has the category \['zzz'\]; there are 3, e.g. \['Cups'"),
        (dict(not_brands=["Acmee"]), ValueError, r"no item has the brand \['Acmee'\].*did you mean 'Acme'"),
        (dict(categories="Pots"), TypeError, r"category must be a list, got 'Pots'"),
        (dict(blocked_items="tea"), TypeError, r"blocked_items must be a list, got 'tea'; write \['tea'\]"),
        (dict(blocked_items=[17]), TypeError, r"blocked_items are .* here, got int64"),
        (dict(in_stock="yes"), TypeError, r"in_stock must be True .* got 'yes'"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(rules, error, match):
    with pytest.raises(error, match=match):
        allowed(CATALOG, **rules)


@pytest.mark.parametrize("column, rules", [("price", dict(price=(1, 2))), ("brand", dict(not_brands=["Acme"]))])
def test_a_column_that_is_not_there_is_refused(column, rules):
    with pytest.raises(ValueError, match=rf"catalog has no column '{column}', .* it has \['item_id'"):
        allowed(CATALOG.drop(columns=column), **rules)


# ------------------------------------------------------------------------------------------------------- for each user
def shown(hidden, data):
    return [data.items[~row.astype(bool)].tolist() for row in hidden.toarray()]


def test_each_blocklist_hides_from_its_own_user():
    data = data_of()
    batch = data.batch(["bob", "ann", "stranger", "bob"])
    hidden = forbidden(batch, data, items={"ann": ["mug"]}, categories={"bob": ["Pots"]}, brands={"bob": ["Bolt"]})
    everything = CATALOG["item_id"].tolist()
    bobs = ["mug", "oil", "jar"]  # neither pots nor Bolt's tea; an unknown brand is not Bolt
    assert shown(hidden, data) == [bobs, everything[1:], everything, bobs]
    assert hidden.dtype == bool and hidden.shape == (4, 6) and hidden.has_sorted_indices


def test_without_blocklists_nothing_is_hidden():
    data = data_of()
    assert forbidden(data.batch(["ann", "bob"]), data).nnz == 0
    assert forbidden(data.batch([]), data, brands={"ann": ["Acme"]}).shape == (0, 6)
    assert forbidden(data.batch(["bob"]), data, items={"ann": ["mug"], "bob": []}).nnz == 0


def test_a_blocklist_may_be_older_than_the_catalogue():
    data = data_of()
    hidden = forbidden(data.batch(["ann"]), data, items={"ann": ["gone", "jar", "jar"]}, brands={"ann": ["Ruined Ltd"]})
    assert hidden.indices.tolist() == [5]  # the jar, and nothing for what is gone


def test_recommend_fills_the_list_from_what_is_left():
    data = data_of()
    batch = data.batch(["ann", "bob"])
    lists = recommend(FirstIsBest(), batch, 2, forbid=forbidden(batch, data, brands={"ann": ["Acme"]}))
    assert [data.items[row].tolist() for row in lists.items] == [["pan", "tea"], ["mug", "pot"]]


@pytest.mark.parametrize(
    "lists, error, match",
    [
        (dict(brands={"ann": "Acme"}), TypeError, r"brand must be a list, got 'Acme'"),
        (dict(items={"ann": [17]}), TypeError, r"items are .* here, got int64"),
    ],
)
def test_a_blocklist_that_cannot_be_meant_is_refused(lists, error, match):
    data = data_of()
    with pytest.raises(error, match=match):
        forbidden(data.batch(["ann"]), data, **lists)


def test_a_blocklist_needs_its_column_and_the_batch_its_catalogue():
    data, fewer = data_of(), data_of(CATALOG[:3].drop(columns="brand"))
    with pytest.raises(ValueError, match="catalog has no column 'brand'"):
        forbidden(fewer.batch(["ann"]), fewer, brands={"ann": ["Acme"]})
    with pytest.raises(ValueError, match="the batch has 3 items, the catalogue 6"):
        forbidden(fewer.batch(["ann"]), data)
