"""Monthly states of earlier cash and consumer loans: how late, and how much is left."""

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
NUMBERS = {
    "MONTHS_BALANCE": "month",
    "CNT_INSTALMENT": "term",
    "CNT_INSTALMENT_FUTURE": "still_due",
    "SK_DPD": "late",
    "SK_DPD_DEF": "late_much",
}


def build(folder: Path) -> pd.DataFrame:
    """One row per applicant with earlier loans."""
    loans = _loans(folder)
    key = loans[KEY].astype("category")
    return joined(key, [_numbers(loans, key), _terms(loans, key), _late(loans, key)])


def _loans(folder: Path) -> pd.DataFrame:
    """One row per loan: what its months say."""
    columns = [KEY, "SK_ID_PREV", *NUMBERS]
    rows = read(folder, "POS_CASH_balance", columns, ["NAME_CONTRACT_STATUS"])
    rows = rows.rename(columns=NUMBERS)
    key = rows["SK_ID_PREV"].astype("category")
    month, late, late_much = rows["month"], rows["late"], rows["late_much"]
    status = rows["NAME_CONTRACT_STATUS"]
    last = {n: month >= -n for n in WINDOWS}
    n_months = counts(
        key,
        {
            "months": month < 1,
            "late": late > 0,
            "late_much": late_much > 0,
            "late_over_30": late > 30,
            **{f"last_{n}": last[n] for n in WINDOWS},
            **{f"late_last_{n}": (late > 0) & last[n] for n in WINDOWS},
        },
    ).add_prefix("n_")
    high = {
        KEY: rows[KEY],
        "last_month": month,
        "worst": late,
        "worst_much": late_much,
        "last_late_month": month.where(late > 0),
        "last_late_much_month": month.where(late_much > 0),
        **{f"worst_much_last_{n}": late_much.where(last[n]) for n in WINDOWS},
        "is_demanded_or_amortized": status.isin(["Demand", "Amortized debt"]),
        "is_returned": status.isin(["Returned to the store", "Canceled"]),
        "longest_term": rows["term"],
        "most_still_due": rows["still_due"],
    }
    low = {
        "first_month": month,
        "completed_month": month.where(status == "Completed"),
        "shortest_term": rows["term"],
    }
    at_last = {
        "is_active": status == "Active",
        "last_term": rows["term"],
        "last_still_due": rows["still_due"],
        "last_late": late,
    }
    parts = [
        n_months,
        largest(key, high),
        smallest(key, low),
        sums(key, {"days_late": late, "days_late_much": late_much}),
        latest(key, month, at_last),
    ]
    return joined(key, parts)


def _numbers(loans: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    completed = loans["completed_month"]
    # A loan that had begun before its first recorded month lasted longer than can be seen.
    is_seen_from_start = loans["most_still_due"] >= loans["longest_term"]
    until = (completed - loans["first_month"]).where(is_seen_from_start)
    flags = {
        "POS_LOANS": loans["n_months"] > 0,
        "POS_LOANS_COMPLETED": completed.notna(),
        "POS_LOANS_COMPLETED_LAST_12M": completed >= -12,
        "POS_LOANS_ACTIVE": loans["is_active"],
        "POS_LOANS_DEMANDED_OR_AMORTIZED": loans["is_demanded_or_amortized"],
        "POS_LOANS_RETURNED": loans["is_returned"],
    }
    totals = {
        "POS_MONTHS": loans["n_months"],
        **{f"POS_MONTHS_LAST_{n}M": loans[f"n_last_{n}"] for n in WINDOWS},
    }
    middle = {
        "POS_MONTHS_PER_LOAN_MEAN": loans["n_months"],
        "POS_MONTHS_UNTIL_COMPLETED_MEAN": until,
        "POS_MONTHS_COMPLETED_EARLY_MEAN": loans["longest_term"] - until,
    }
    high = {
        "POS_LAST_MONTH_MAX": loans["last_month"],
        "POS_COMPLETED_MONTH_MAX": completed,
    }
    low = {"POS_FIRST_MONTH_MIN": loans["first_month"]}
    parts = [counts(key, flags), sums(key, totals), means(key, middle)]
    return pd.concat([*parts, largest(key, high), smallest(key, low)], axis=1)


def _terms(loans: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    is_active = loans["is_active"]
    still_due = loans["last_still_due"].where(is_active)
    last_term = loans["last_term"].where(is_active)
    total = sums(key, {"POS_STILL_DUE_SUM": still_due})
    terms = sums(key, {"term": last_term})["term"]
    total["POS_STILL_DUE_SHARE"] = ratio(total["POS_STILL_DUE_SUM"], terms)
    middle = {
        "POS_TERM_MEAN": loans["longest_term"],
        "POS_ACTIVE_TERM_MEAN": last_term,
        "POS_STILL_DUE_MEAN": loans["last_still_due"],
    }
    high = {"POS_TERM_MAX": loans["longest_term"]}
    low = {"POS_TERM_MIN": loans["shortest_term"]}
    flags = {"POS_LOANS_TERM_CHANGED": loans["longest_term"] > loans["shortest_term"]}
    parts = [total, means(key, middle), largest(key, high), smallest(key, low), counts(key, flags)]
    return pd.concat(parts, axis=1)


def _late(loans: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    total = sums(
        key,
        {
            "POS_MONTHS_LATE": loans["n_late"],
            "POS_MONTHS_LATE_OVER_30D": loans["n_late_over_30"],
            **{f"POS_MONTHS_LATE_LAST_{n}M": loans[f"n_late_last_{n}"] for n in WINDOWS},
        },
    )
    of = sums(
        key,
        {
            "months": loans["n_months"],
            "late_much": loans["n_late_much"],
            "days_late": loans["days_late"],
            "days_late_much": loans["days_late_much"],
        },
    )
    late, late_12 = total["POS_MONTHS_LATE"], total["POS_MONTHS_LATE_LAST_12M"]
    total["POS_MONTHS_LATE_SHARE"] = late / of["months"]
    total["POS_MONTHS_LATE_MUCH_SHARE"] = of["late_much"] / of["months"]
    total["POS_DPD_MEAN"] = of["days_late"] / of["months"]
    total["POS_DPD_DEF_MEAN"] = of["days_late_much"] / of["months"]
    total["POS_MONTHS_LATE_RECENT_TO_ALL"] = ratio(late_12, late)
    middle = {
        "POS_LOANS_LATE_SHARE": loans["n_late"] > 0,
        "POS_LOANS_LATE_MUCH_SHARE": loans["n_late_much"] > 0,
    }
    high = {
        "POS_DPD_MAX": loans["worst"],
        "POS_DPD_DEF_MAX": loans["worst_much"],
        "POS_ACTIVE_DPD_MAX": loans["worst"].where(loans["is_active"]),
        "POS_LAST_DPD_MAX": loans["last_late"],
        "POS_LAST_LATE_MONTH": loans["last_late_month"],
        "POS_LAST_LATE_MUCH_MONTH": loans["last_late_much_month"],
        **{f"POS_DPD_DEF_MAX_LAST_{n}M": loans[f"worst_much_last_{n}"] for n in WINDOWS},
    }
    return pd.concat([total, means(key, middle), largest(key, high)], axis=1)
