"""Ten million events with four types, a half-life of 30 days and a window of 120: one weight per user and item."""

from pathlib import Path

import bench

ASOF, WINDOW, HALF_LIFE = "2025-07-01", 120, 30
WEIGHTS = {"view": 1, "click": 2, "add_to_cart": 3, "purchase": 5}


def prepare(folder: Path, options) -> None:
    """Events of 180 days as Parquet, in order of time. Eight events make five visits of a user to an item, so that 0.62
    pairs come of one event, as in the built-in shop (0.62) and RetailRocket (0.79); both sides have a long tail."""
    import duckdb

    duckdb.connect().execute(
        f"""
        COPY (
            SELECT CAST(FLOOR(POWER(hash(n * 5 // 8) / {2**64}, 2) * {options.users}) AS INTEGER) AS user_id,
                   CAST(FLOOR(POWER(hash(-n * 5 // 8) / {2**64}, 3) * {options.items}) AS INTEGER) AS item_id,
                   CASE WHEN luck < 70 THEN 'view' WHEN luck < 85 THEN 'click'
                        WHEN luck < 95 THEN 'add_to_cart' ELSE 'purchase' END AS event,
                   TIMESTAMP '2025-01-01' + INTERVAL (n * 180 * 86400 // {options.events}) SECOND AS timestamp
            FROM (SELECT range AS n, hash(range, 'luck') % 100 AS luck FROM range({options.events}))
        ) TO '{folder / "events.parquet"}' (FORMAT parquet)
        """
    )


def ours(folder):
    from reco_utils.data.weighting import score_events

    rule = {"asof": ASOF, "window_days": WINDOW, "half_life_days": HALF_LIFE}
    return lambda: score_events(folder / "events.parquet", **rule)


def ours_frame(folder):
    import pandas as pd

    from reco_utils.data.weighting import score_events

    events = pd.read_parquet(folder / "events.parquet").astype({"event": "category"})
    events = events.astype({"user_id": "category", "item_id": "category"})
    return lambda: score_events(events, asof=ASOF, window_days=WINDOW, half_life_days=HALF_LIFE)


def ours_to_file(folder):
    """Parquet to Parquet within 3 GB, for logs larger than memory."""
    import duckdb

    from reco_utils.data.weighting import score_events

    limits = {"memory_limit": "3GB", "temp_directory": str(folder / "spill")}
    rule = {"asof": ASOF, "window_days": WINDOW, "half_life_days": HALF_LIFE}
    con = duckdb.connect(config=limits)
    return lambda: score_events(folder / "events.parquet", out=folder / "weights.parquet", connection=con, **rule)


def ours_unordered(folder):
    """The definition alone: what `score_events` runs, without the order of rows that it promises."""
    import duckdb
    import pandas as pd

    from reco_utils.data.weighting import weighting_sql

    source = f"read_parquet('{folder / 'events.parquet'}')"
    sql = weighting_sql(asof=ASOF, half_life_days=HALF_LIFE, window_days=WINDOW, source=source)
    return lambda: pd.DataFrame(duckdb.sql(sql).fetchnumpy(), copy=False)


def polars_streaming(folder):
    import polars as pl

    asof = pl.lit(ASOF).str.to_datetime("%Y-%m-%d", time_unit="us")
    age = (asof - pl.col("timestamp")).dt.total_microseconds() / 86_400e6
    worth = pl.col("event").replace_strict(WEIGHTS, return_dtype=pl.Float64)
    query = (
        pl.scan_parquet(folder / "events.parquet")
        .filter((age >= 0) & (age < WINDOW))
        .with_columns(weight=worth * (2.0 ** (-age / HALF_LIFE)))
        .group_by("user_id", "item_id")
        .agg(pl.col("weight").sum().cast(pl.Float32), last=pl.col("timestamp").max(), n_events=pl.len())
    )
    return lambda: query.collect(engine="streaming")


def polars_sorted(folder):
    """The same with the rows in order, as ours are."""
    return lambda: polars_streaming(folder)().sort("user_id", "item_id")


def duckdb_by_hand(folder):
    import duckdb

    cases = " ".join(f"WHEN '{event}' THEN {weight}" for event, weight in WEIGHTS.items())
    decay = f"POWER(2.0, -epoch(TIMESTAMP '{ASOF}' - timestamp) / {86_400.0 * HALF_LIFE})"
    sql = f"""
        SELECT user_id, item_id, SUM((CASE event {cases} END) * {decay}) AS weight, MAX(timestamp), COUNT(*)
        FROM '{folder / "events.parquet"}'
        WHERE timestamp <= TIMESTAMP '{ASOF}' AND timestamp > TIMESTAMP '{ASOF}' - INTERVAL {WINDOW} DAY
        GROUP BY user_id, item_id
    """
    return lambda: duckdb.sql(sql).df()


def pandas(folder):
    import numpy as np
    import pandas as pd

    def call():
        events = pd.read_parquet(folder / "events.parquet")
        age = (pd.Timestamp(ASOF) - events["timestamp"]).dt.total_seconds() / 86_400
        events = events[(age >= 0) & (age < WINDOW)]
        weight = events["event"].map(WEIGHTS) * np.exp2(-age[events.index] / HALF_LIFE)
        grouped = events.assign(weight=weight).groupby(["user_id", "item_id"], sort=False)
        return grouped.agg(
            weight=("weight", "sum"), last=("timestamp", "max"), n_events=("weight", "size")
        ).reset_index()

    return call


def digest(result):
    """Rows and the sum of all weights, the same for every contender up to rounding."""
    if isinstance(result, Path):
        import duckdb

        sql = f"SELECT COUNT(*), SUM(CAST(weight AS DOUBLE)) FROM '{result}'"
        rows, total = duckdb.connect().execute(sql).fetchone()
    else:
        rows, total = len(result), float(result["weight"].to_numpy().astype("float64").sum())
    return f"{rows} rows, {total:.0f}"


CONTENDERS = {
    "ours": ours,
    "ours, unordered": ours_unordered,
    "polars streaming": polars_streaming,
    "polars streaming, sorted": polars_sorted,
    "duckdb by hand": duckdb_by_hand,
    "pandas": pandas,
    "ours, categorical frame": ours_frame,
    "ours, to a file in 3 GB": ours_to_file,
}

if __name__ == "__main__":
    sizes = {"events": 10_000_000, "users": 200_000, "items": 50_000}
    bench.main(__file__, CONTENDERS, prepare, digest=digest, options=sizes)
