"""Payments of earlier loans and cards at Home Credit, how late and how complete they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.plain_pandas.aggregates import (
    KEY,
    counts,
    joined,
    largest,
    means,
    part,
    ratio,
    read,
    smallest,
    sums,
    thousandths,
)

NUMBERS = {
    "NUM_INSTALMENT_VERSION": "version",
    "NUM_INSTALMENT_NUMBER": "number",
    "DAYS_INSTALMENT": "due_day",
    "DAYS_ENTRY_PAYMENT": "paid_day",
    "AMT_INSTALMENT": "due",
    "AMT_PAYMENT": "paid",
}


def build(folder: Path) -> pd.DataFrame:
    """One row per applicant with payments."""
    instalments = _instalments(folder)
    key = instalments[KEY].astype("category")
    parts = [
        _all(instalments, key),
        _late(instalments, key),
        _not_in_full(instalments, key),
        _loans_and_cards(instalments, key),
        *[_window(instalments, key, days) for days in [90, 365, 730]],
    ]
    table = joined(key, [*parts, _trend(instalments, key)])
    for what in ["DAYS_LATE", "DUE"]:
        recent = table[f"INST_{what}_MEAN_LAST_365D"]
        table[f"INST_{what}_LAST_365D_TO_ALL"] = ratio(recent, table[f"INST_{what}_MEAN"])
    return table.drop(columns="INST_DUE_MEAN_LAST_365D")


def _instalments(folder: Path) -> pd.DataFrame:
    """One row per instalment; one that was paid in parts has several payments."""
    payments = read(folder, "installments_payments", [KEY, "SK_ID_PREV", *NUMBERS])
    payments = payments.rename(columns=NUMBERS)
    payments["version"] = np.floor(payments["version"]).astype("int16")
    payments["due"] = thousandths(payments["due"])
    payments["paid"] = thousandths(payments["paid"])
    rows = (
        payments.groupby([KEY, "SK_ID_PREV", "version", "number"])
        .agg(
            due_day=("due_day", "max"),
            paid_day=("paid_day", "max"),
            due=("due", "max"),
            paid=("paid", "sum"),
            parts=("paid", "size"),
        )
        .reset_index()
        .drop(columns="SK_ID_PREV")
    )
    rows["is_card"] = rows["version"] == 0
    # What was never paid is late until the application, on day 0.
    days = rows["paid_day"].fillna(0) - rows["due_day"]
    rows["late"] = days.clip(lower=0)
    rows["early"] = (-days).clip(lower=0)
    rows["short"] = (rows["due"] - rows["paid"]).clip(lower=0).fillna(0) / 1000
    rows["due"] /= 1000
    rows["paid"] /= 1000
    return rows


def _all(rows: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    flags = {
        "INST_INSTALMENTS": rows["parts"] > 0,
        "INST_LOAN_INSTALMENTS": ~rows["is_card"],
        "INST_CARD_INSTALMENTS": rows["is_card"],
    }
    high = {
        "INST_DAYS_PAID_MAX": rows["paid_day"],
        "INST_NUMBER_MAX": rows["number"].where(~rows["is_card"]),
        "INST_DUE_MAX": rows["due"],
    }
    low = {"INST_DAYS_DUE_MIN": rows["due_day"], "INST_PAID_MIN": rows["paid"]}
    middle = {
        "INST_DAYS_PAID_MEAN": rows["paid_day"],
        "INST_CHANGED_SHARE": part(rows["version"] > 1, ~rows["is_card"]),
        "INST_IN_PARTS_SHARE": rows["parts"] > 1,
        "INST_DUE_MEAN": rows["due"],
    }
    parts = [counts(key, flags), largest(key, high), smallest(key, low), means(key, middle)]
    return pd.concat([*parts, sums(key, {"INST_DUE_SUM": rows["due"]})], axis=1)


def _late(rows: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    late, early, is_loan = rows["late"], rows["early"], ~rows["is_card"]
    is_late = late > 0
    flags = {f"INST_LATE_OVER_{days}D": late > days for days in [0, 7, 30]}
    middle = {
        "INST_DAYS_LATE_MEAN": late,
        "INST_DAYS_EARLY_MEAN": early,
        "INST_LATE_SHARE": is_late,
        "INST_LATE_OVER_7D_SHARE": late > 7,
        "INST_LATE_SHARE_OF_FIRST_3": part(is_late, is_loan & (rows["number"] <= 3)),
    }
    high = {
        "INST_DAYS_LATE_MAX": late,
        "INST_DAYS_EARLY_MAX": early,
        "INST_LAST_LATE_DAY": rows["due_day"].where(is_late),
        "INST_LAST_LATE_OVER_7D_DAY": rows["due_day"].where(late > 7),
    }
    of = sums(key, {"late": rows["due"].where(is_late), "all": rows["due"]})
    amount = ratio(of["late"], of["all"]).rename("INST_LATE_AMOUNT_SHARE")
    parts = [counts(key, flags), means(key, middle), largest(key, high), amount]
    return pd.concat(parts, axis=1)


def _not_in_full(rows: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    is_short = rows["short"] > 0
    to_due = ratio(rows["paid"], rows["due"])
    middle = {
        "INST_UNDERPAID_SHARE": is_short,
        "INST_OVERPAID_SHARE": rows["paid"] > rows["due"],
    }
    high = {"INST_LAST_UNDERPAID_DAY": rows["due_day"].where(is_short)}
    total = sums(key, {"INST_SHORT_SUM": rows["short"]})
    of = sums(key, {"paid": rows["paid"], "due": rows["due"]})
    total["INST_PAID_TO_DUE"] = ratio(of["paid"], of["due"])
    low = {"INST_PAID_TO_DUE_MIN": to_due}
    parts = [means(key, middle), largest(key, high), smallest(key, low), total]
    return pd.concat(parts, axis=1)


def _loans_and_cards(rows: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    parts = []
    for kind, is_kind in [("LOAN", ~rows["is_card"]), ("CARD", rows["is_card"])]:
        middle = {
            f"INST_{kind}_DAYS_LATE_MEAN": rows["late"].where(is_kind),
            f"INST_{kind}_LATE_SHARE": part(rows["late"] > 0, is_kind),
            f"INST_{kind}_UNDERPAID_SHARE": part(rows["short"] > 0, is_kind),
            f"INST_{kind}_PAID_MEAN": rows["paid"].where(is_kind),
        }
        parts.append(means(key, middle))
    return pd.concat(parts, axis=1)


def _window(rows: pd.DataFrame, key: pd.Series, days: int) -> pd.DataFrame:
    is_in = rows["due_day"] >= -days
    key, rows = key[is_in], rows[is_in]
    parts = [
        counts(key, {f"INST_INSTALMENTS_LAST_{days}D": rows["parts"] > 0}),
        means(
            key,
            {
                f"INST_LATE_SHARE_LAST_{days}D": rows["late"] > 0,
                f"INST_UNDERPAID_SHARE_LAST_{days}D": rows["short"] > 0,
            },
        ),
        largest(key, {f"INST_DAYS_LATE_MAX_LAST_{days}D": rows["late"]}),
        sums(key, {f"INST_DUE_SUM_LAST_{days}D": rows["due"]}),
    ]
    return pd.concat(parts, axis=1)


def _trend(rows: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    is_in = rows["due_day"] >= -365
    recent = {
        "INST_DAYS_LATE_MEAN_LAST_365D": rows["late"][is_in],
        "INST_DUE_MEAN_LAST_365D": rows["due"][is_in],
    }
    return means(key[is_in], recent)
