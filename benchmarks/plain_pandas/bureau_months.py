"""How an applicant's credits at other lenders were paid, month by month."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmarks.plain_pandas.aggregates import (
    KEY,
    counts,
    joined,
    largest,
    latest,
    means,
    ratio,
    read,
    smallest,
    sums,
)

WINDOWS = [3, 12, 24]
LATE = {"C": 0, "X": 0, "0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5}


def build(folder: Path) -> pd.DataFrame:
    """One row per applicant with credits whose months are known."""
    bureau = read(folder, "bureau", [KEY, "SK_ID_BUREAU"], ["CREDIT_ACTIVE", "CREDIT_TYPE"])
    owned = bureau.merge(_credits(folder), on="SK_ID_BUREAU")
    key = owned[KEY].astype("category")
    parts = [
        _history(owned, key),
        _late(owned, key),
        _how_late(owned, key),
        _by_state_and_kind(owned, key),
    ]
    return joined(key, parts)


def _credits(folder: Path) -> pd.DataFrame:
    """One row per credit: what its months say."""
    rows = read(folder, "bureau_balance", ["SK_ID_BUREAU", "MONTHS_BALANCE"], ["STATUS"])
    key = rows["SK_ID_BUREAU"].astype("category")
    month, status = rows["MONTHS_BALANCE"], rows["STATUS"]
    late = status.map(LATE).astype("int8")
    is_closed, is_unknown, is_late = status == "C", status == "X", late > 0
    last = {n: month > -n for n in WINDOWS}  # The newest month is 0.
    n_months = counts(
        key,
        {
            "months": month < 1,
            "closed": is_closed,
            "unknown": is_unknown,
            "late": is_late,
            "late_over_30": late > 1,
            "last_12": last[12],
            **{f"late_last_{n}": is_late & last[n] for n in WINDOWS},
        },
    ).add_prefix("n_")
    high = largest(
        key,
        {
            "worst": late,
            "last_month": month,
            "last_late_month": month.where(is_late),
            "last_open_month": month.where(~(is_closed | is_unknown)),
            **{f"worst_last_{n}": late.where(last[n]) for n in WINDOWS},
        },
    )
    firsts = {
        "first_month": month,
        "first_late_month": month.where(is_late),
        "closing_month": month.where(is_closed),
    }
    at_last = {"last_status": late, "is_unknown_at_last": is_unknown}
    parts = [
        n_months,
        high,
        smallest(key, firsts),
        sums(key, {"severity": late}),
        latest(key, month, at_last),
    ]
    return joined(key, parts)


def _history(c: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    total = sums(key, {"BUREAU_MONTHS_TOTAL": c["n_months"]})
    of = sums(key, {"closed": c["n_closed"], "unknown": c["n_unknown"]})
    total["BUREAU_MONTHS_CLOSED_SHARE"] = of["closed"] / total["BUREAU_MONTHS_TOTAL"]
    total["BUREAU_MONTHS_UNKNOWN_SHARE"] = of["unknown"] / total["BUREAU_MONTHS_TOTAL"]
    flags = {
        "BUREAU_MONTHS_CREDITS": c["n_months"] > 0,
    }
    middle = {
        "BUREAU_MONTHS_PER_CREDIT_MEAN": c["n_months"],
        "BUREAU_MONTHS_UNTIL_CLOSED_MEAN": c["closing_month"] - c["first_month"],
        "BUREAU_MONTHS_UNKNOWN_AT_LAST_SHARE": c["is_unknown_at_last"],
    }
    high = {
        "BUREAU_MONTHS_LAST_MAX": c["last_month"],
        "BUREAU_MONTHS_LAST_OPEN_MAX": c["last_open_month"],
    }
    low = {"BUREAU_MONTHS_FIRST_MIN": c["first_month"]}
    parts = [total, counts(key, flags), means(key, middle), largest(key, high), smallest(key, low)]
    return pd.concat(parts, axis=1)


def _late(c: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    total = sums(
        key,
        {
            "BUREAU_MONTHS_LATE": c["n_late"],
            "BUREAU_MONTHS_LATE_OVER_30D": c["n_late_over_30"],
            **{f"BUREAU_MONTHS_LATE_LAST_{n}M": c[f"n_late_last_{n}"] for n in WINDOWS},
        },
    )
    is_open = c["n_months"] - c["n_closed"] - c["n_unknown"]
    of = sums(key, {"months": c["n_months"], "open": is_open, "last_12": c["n_last_12"]})
    late, late_12 = total["BUREAU_MONTHS_LATE"], total["BUREAU_MONTHS_LATE_LAST_12M"]
    total["BUREAU_MONTHS_LATE_SHARE"] = late / of["months"]
    total["BUREAU_MONTHS_LATE_SHARE_OF_OPEN"] = ratio(late, of["open"])
    total["BUREAU_MONTHS_LATE_SHARE_LAST_12M"] = ratio(late_12, of["last_12"])
    total["BUREAU_MONTHS_LATE_RECENT_TO_ALL"] = ratio(late_12, late)
    high = {
        **{f"BUREAU_MONTHS_WORST_LAST_{n}M": c[f"worst_last_{n}"] for n in WINDOWS},
    }
    flags = {
        "BUREAU_MONTHS_CREDITS_OVER_120D_OR_WRITTEN_OFF": c["worst"] == 5,
    }
    middle = {
        "BUREAU_MONTHS_CREDITS_LATE_SHARE": c["n_late"] > 0,
    }
    parts = [total, largest(key, high), counts(key, flags), means(key, middle)]
    return pd.concat(parts, axis=1)


def _how_late(c: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    total = sums(key, {"severity": c["severity"], "months": c["n_months"]})
    severity = (total["severity"] / total["months"]).rename("BUREAU_MONTHS_SEVERITY_MEAN")
    high = {
        "BUREAU_MONTHS_WORST": c["worst"],
        "BUREAU_MONTHS_LAST_LATE_MAX": c["last_late_month"],
    }
    middle = {
        "BUREAU_MONTHS_UNTIL_LATE_MEAN": c["first_late_month"] - c["first_month"],
        "BUREAU_MONTHS_LAST_STATUS_MEAN": c["last_status"],
    }
    return pd.concat([severity, largest(key, high), means(key, middle)], axis=1)


def _by_state_and_kind(c: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    among = {
        "ACTIVE": c["CREDIT_ACTIVE"] == "Active",
        "CLOSED": c["CREDIT_ACTIVE"] == "Closed",
        "CARD": c["CREDIT_TYPE"] == "Credit card",
        "CONSUMER": c["CREDIT_TYPE"] == "Consumer credit",
    }
    late = {f"BUREAU_MONTHS_{name}_LATE": c["n_late"].where(flag) for name, flag in among.items()}
    months = {
        f"BUREAU_MONTHS_{name}_TOTAL": c["n_months"].where(among[name])
        for name in ["ACTIVE", "CLOSED"]
    }
    return sums(key, late | months)
