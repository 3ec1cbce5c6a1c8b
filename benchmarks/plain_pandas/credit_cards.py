"""Monthly states of earlier credit cards, what was drawn, owed and paid back."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmarks.plain_pandas.aggregates import (
    KEY,
    counts,
    joined,
    largest,
    latest,
    ratio,
    read,
    rounded_ratio,
    smallest,
    sums,
    thousandths,
)

WINDOWS = [3, 12]
DRAWINGS = ["ATM", "POS"]
NUMBERS = {
    "MONTHS_BALANCE": "month",
    "AMT_BALANCE": "balance",
    "AMT_CREDIT_LIMIT_ACTUAL": "credit_limit",
    "AMT_DRAWINGS_CURRENT": "drawn",
    "CNT_DRAWINGS_CURRENT": "drawings",
    **{f"AMT_DRAWINGS_{kind}_CURRENT": f"drawn_{kind}" for kind in DRAWINGS},
    **{f"CNT_DRAWINGS_{kind}_CURRENT": f"drawings_{kind}" for kind in DRAWINGS},
    "AMT_INST_MIN_REGULARITY": "least_payment",
    "AMT_PAYMENT_TOTAL_CURRENT": "paid",
    "AMT_RECEIVABLE_PRINCIPAL": "principal",
    "AMT_TOTAL_RECEIVABLE": "receivable",
    "CNT_INSTALMENT_MATURE_CUM": "instalments_paid",
    "SK_DPD": "late",
    "SK_DPD_DEF": "late_much",
}


def build(folder: Path) -> pd.DataFrame:
    """One row per applicant with earlier cards."""
    cards = _cards(folder)
    key = cards[KEY].astype("category")
    # What is added up over the cards, of which most features are ratios.
    added = [name for name in cards.columns if name.startswith(("n_", "sum_", "last_of_"))]
    total = sums(key, {name: cards[name] for name in added})
    parts = [
        _used(cards, key, total),
        _owed(cards, key, total),
        _drawn(cards, key, total),
        _paid(total),
        _late(cards, key, total),
        _windows(total),
    ]
    return joined(key, parts)


def _cards(folder: Path) -> pd.DataFrame:
    """One row per card: what its months say."""
    columns = [KEY, "SK_ID_PREV", *NUMBERS]
    rows = read(folder, "credit_card_balance", columns).rename(columns=NUMBERS)
    key = rows["SK_ID_PREV"].astype("category")
    rows["utilisation"] = ratio(rows["balance"], rows["credit_limit"])
    month, late = rows["month"], rows["late"]
    high = {
        KEY: rows[KEY],
        "last_month": month,
        "last_month_with_drawings": month.where(rows["drawings"] > 0),
        "last_late_month": month.where(late > 0),
        "worst": late,
        "worst_much": rows["late_much"],
        "balance_max": rows["balance"],
        "limit_max": rows["credit_limit"],
        "utilisation_max": rows["utilisation"],
        "drawn_max": rows["drawn"],
        "sum_instalments_paid": rows["instalments_paid"],
    }
    at_last = {
        "last_of_balance": rows["balance"],
        "last_of_limit": rows["credit_limit"],
        "last_late": late,
    }
    parts = [
        _flags(rows, key),
        _sums(rows, key),
        largest(key, high),
        smallest(key, {"first_month": month}),
        latest(key, month, at_last),
    ]
    return joined(key, parts)


def _flags(rows: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    month, late = rows["month"], rows["late"]
    least, paid = thousandths(rows["least_payment"]), thousandths(rows["paid"])
    has_to_pay = least > 0
    flags = {
        "months": month < 1,
        "with_balance": rows["balance"] > 0,
        "with_drawings": rows["drawings"] > 0,
        "late": late > 0,
        "over_limit": rows["balance"] > rows["credit_limit"],
        "to_pay": has_to_pay,
        "underpaid": has_to_pay & (paid < least),
        "paid_least": has_to_pay & (paid >= least) & (10 * paid <= 11 * least),
        "paid_off": has_to_pay & (paid >= thousandths(rows["receivable"])),
        "utilisation": rows["utilisation"].notna(),
        **{f"last_{n}": month >= -n for n in WINDOWS},
        **{f"late_last_{n}": (late > 0) & (month >= -n) for n in WINDOWS},
    }
    return counts(key, flags).add_prefix("n_")


def _sums(rows: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    columns = {
        "utilisation": rounded_ratio(rows["balance"], rows["credit_limit"]),
        "least_payment": rows["least_payment"],
        "interest": rows["receivable"] - rows["principal"],
        "drawings": rows["drawings"],
        **{f"drawings_{kind}": rows[f"drawings_{kind}"] for kind in DRAWINGS},
        **{f"drawn_{kind}": rows[f"drawn_{kind}"] for kind in DRAWINGS},
    }
    for name in ["balance", "drawn", "paid"]:
        columns[name] = rows[name]
    for n in WINDOWS:
        is_in = rows["month"] >= -n
        for name in ["balance", "credit_limit", "drawn", "drawn_ATM", "paid"]:
            columns[f"{name}_last_{n}"] = rows[name].where(is_in)
    return sums(key, columns).add_prefix("sum_")


def _used(cards: pd.DataFrame, key: pd.Series, total: pd.DataFrame) -> pd.DataFrame:
    used = largest(
        key,
        {
            "CARD_LAST_MONTH": cards["last_month"],
            "CARD_LAST_MONTH_WITH_DRAWINGS": cards["last_month_with_drawings"],
        },
    )
    used["CARD_CARDS"] = counts(key, {"cards": cards["n_months"] > 0})["cards"]
    used["CARD_MONTHS"] = total["n_months"]
    used["CARD_FIRST_MONTH"] = smallest(key, {"month": cards["first_month"]})["month"]
    for what in ["balance", "drawings"]:
        share = total[f"n_with_{what}"] / total["n_months"]
        used[f"CARD_MONTHS_WITH_{what.upper()}_SHARE"] = share
    used["CARD_INSTALMENTS_PAID"] = total["sum_instalments_paid"]
    return used


def _owed(cards: pd.DataFrame, key: pd.Series, total: pd.DataFrame) -> pd.DataFrame:
    owed = largest(
        key,
        {
            "CARD_BALANCE_MAX": cards["balance_max"],
            "CARD_LIMIT_MAX": cards["limit_max"],
            "CARD_UTILISATION_MAX": cards["utilisation_max"],
        },
    )
    last_balance, last_limit = total["last_of_balance"], total["last_of_limit"]
    most_limit = sums(key, {"limit": cards["limit_max"]})["limit"]
    owed["CARD_LAST_BALANCE"] = last_balance
    owed["CARD_LAST_LIMIT"] = last_limit
    owed["CARD_LAST_UTILISATION"] = ratio(last_balance, last_limit)
    owed["CARD_BALANCE_MEAN"] = total["sum_balance"] / total["n_months"]
    owed["CARD_LAST_LIMIT_TO_MAX"] = ratio(last_limit, most_limit)
    owed["CARD_UTILISATION_MEAN"] = ratio(total["sum_utilisation"], total["n_utilisation"])
    owed["CARD_MONTHS_OVER_LIMIT_SHARE"] = total["n_over_limit"] / total["n_months"]
    owed["CARD_INTEREST_SUM"] = total["sum_interest"]
    return owed


def _drawn(cards: pd.DataFrame, key: pd.Series, total: pd.DataFrame) -> pd.DataFrame:
    drawn = largest(key, {"CARD_DRAWN_MAX": cards["drawn_max"]})
    amount = total["sum_drawn"]
    drawn["CARD_DRAWN_MEAN"] = amount / total["n_months"]
    drawn["CARD_DRAWINGS_MEAN"] = total["sum_drawings"] / total["n_months"]
    drawn["CARD_DRAWN_PER_DRAWING"] = ratio(amount, total["sum_drawings"])
    for kind in DRAWINGS:
        drawn[f"CARD_DRAWN_{kind}_SHARE"] = ratio(total[f"sum_drawn_{kind}"], amount)
        drawn[f"CARD_DRAWINGS_{kind}_SUM"] = total[f"sum_drawings_{kind}"]
    return drawn


def _paid(total: pd.DataFrame) -> pd.DataFrame:
    amount = total["sum_paid"]
    paid = pd.DataFrame({"CARD_PAID_MEAN": amount / total["n_months"]})
    paid["CARD_PAID_TO_BALANCE"] = ratio(amount, total["sum_balance"])
    paid["CARD_PAID_TO_LEAST_PAYMENT"] = ratio(amount, total["sum_least_payment"])
    for how in ["underpaid", "paid_least", "paid_off"]:
        paid[f"CARD_MONTHS_{how.upper()}_SHARE"] = ratio(total[f"n_{how}"], total["n_to_pay"])
    return paid


def _late(cards: pd.DataFrame, key: pd.Series, total: pd.DataFrame) -> pd.DataFrame:
    late = largest(
        key,
        {
            "CARD_DPD_MAX": cards["worst"],
            "CARD_DPD_DEF_MAX": cards["worst_much"],
            "CARD_LAST_DPD": cards["last_late"],
            "CARD_LAST_LATE_MONTH": cards["last_late_month"],
        },
    )
    late["CARD_MONTHS_LATE_SHARE"] = total["n_late"] / total["n_months"]
    return late


def _windows(total: pd.DataFrame) -> pd.DataFrame:
    found = {}
    for n in WINDOWS:
        months, balance = total[f"n_last_{n}"], total[f"sum_balance_last_{n}"]
        drawn, limit = total[f"sum_drawn_last_{n}"], total[f"sum_credit_limit_last_{n}"]
        found[f"CARD_MONTHS_LATE_LAST_{n}M"] = total[f"n_late_last_{n}"]
        found[f"CARD_BALANCE_MEAN_LAST_{n}M"] = ratio(balance, months)
        found[f"CARD_UTILISATION_LAST_{n}M"] = ratio(balance, limit)
        found[f"CARD_DRAWN_MEAN_LAST_{n}M"] = ratio(drawn, months)
        atm = total[f"sum_drawn_ATM_last_{n}"]
        found[f"CARD_DRAWN_ATM_SHARE_LAST_{n}M"] = ratio(atm, drawn)
        found[f"CARD_PAID_TO_BALANCE_LAST_{n}M"] = ratio(total[f"sum_paid_last_{n}"], balance)
    for name in ["balance", "drawn"]:
        recent = total["n_months"] * total[f"sum_{name}_last_3"]
        of_all = total["n_last_3"] * total[f"sum_{name}"]
        found[f"CARD_{name.upper()}_LAST_3M_TO_ALL"] = ratio(recent, of_all)
    return pd.DataFrame(found)
