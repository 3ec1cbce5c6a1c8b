"""What an applicant owes at other lenders, of which kinds, and how it was paid."""

from __future__ import annotations

from pathlib import Path

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
    rounded_ratio,
    smallest,
    sums,
)

KINDS = {
    "CONSUMER": "Consumer credit",
    "CARD": "Credit card",
    "CAR": "Car loan",
    "MORTGAGE": "Mortgage",
    "MICROLOAN": "Microloan",
}
COMMON_KINDS = ["CONSUMER", "CARD"]
NUMBERS = {
    "DAYS_CREDIT": "opened",
    "CREDIT_DAY_OVERDUE": "days_overdue",
    "CNT_CREDIT_PROLONG": "prolonged",
    "DAYS_CREDIT_UPDATE": "updated",
    "DAYS_ENDDATE_FACT": "closed",
    "DAYS_CREDIT_ENDDATE": "ends",
    "AMT_CREDIT_SUM": "credit",
    "AMT_CREDIT_SUM_DEBT": "debt",
    "AMT_CREDIT_SUM_LIMIT": "unused",
    "AMT_CREDIT_SUM_OVERDUE": "overdue",
    "AMT_CREDIT_MAX_OVERDUE": "worst_overdue",
    "AMT_ANNUITY": "annuity",
}


def build(folder: Path) -> pd.DataFrame:
    """One row per applicant with credits at other lenders."""
    texts = ["CREDIT_ACTIVE", "CREDIT_TYPE"]
    credits = read(folder, "bureau", [KEY, *NUMBERS], texts).rename(columns=NUMBERS)
    # Cards without an end are reported to end in a hundred years.
    credits["ends"] = credits["ends"].where(credits["ends"].between(-20000, 20000))
    credits["is_active"] = credits["CREDIT_ACTIVE"] == "Active"
    credits["is_closed"] = credits["CREDIT_ACTIVE"] == "Closed"
    for kind, name in KINDS.items():
        credits[f"is_{kind}"] = credits["CREDIT_TYPE"] == name
    key = credits[KEY].astype("category")
    return joined(
        key,
        [
            _numbers_of_credits(credits, key),
            _opened(credits, key),
            _ended(credits, key),
            _amounts(credits, key),
            _debt(credits, key),
            _late(credits, key),
        ],
    )


def _numbers_of_credits(c: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    other = ~c["CREDIT_TYPE"].isin(list(KINDS.values()))
    n = counts(
        key,
        {
            "BUREAU_CREDITS": c["opened"].notna(),
            "BUREAU_CREDITS_ACTIVE": c["is_active"],
            "BUREAU_CREDITS_CLOSED": c["is_closed"],
            "BUREAU_CREDITS_SOLD_OR_BAD": ~(c["is_active"] | c["is_closed"]),
            **{f"BUREAU_CREDITS_{kind}": c[f"is_{kind}"] for kind in KINDS},
            **{f"BUREAU_CREDITS_{k}_ACTIVE": c[f"is_{k}"] & c["is_active"] for k in COMMON_KINDS},
            "BUREAU_CREDITS_OTHER_KIND": other,
        },
    )
    n["BUREAU_ACTIVE_SHARE"] = n["BUREAU_CREDITS_ACTIVE"] / n["BUREAU_CREDITS"]
    of_kinds = n[[f"BUREAU_CREDITS_{kind}" for kind in [*KINDS, "OTHER_KIND"]]]
    n["BUREAU_KINDS"] = (of_kinds > 0).sum(axis=1)
    return n


def _opened(c: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    states = {
        "BUREAU_": c["opened"],
        "BUREAU_ACTIVE_": c["opened"].where(c["is_active"]),
        "BUREAU_CLOSED_": c["opened"].where(c["is_closed"]),
    }
    kinds = {
        f"BUREAU_{kind}_DAYS_CREDIT_MAX": c["opened"].where(c[f"is_{kind}"])
        for kind in COMMON_KINDS
    }
    newest = largest(key, {f"{s}DAYS_CREDIT_MAX": days for s, days in states.items()} | kinds)
    oldest = smallest(key, {"BUREAU_DAYS_CREDIT_MIN": c["opened"]})
    n = key.groupby(key, observed=False).size()
    span = newest["BUREAU_DAYS_CREDIT_MAX"] - oldest["BUREAU_DAYS_CREDIT_MIN"]
    windows = {days: c["opened"] >= -days for days in [90, 365, 730]}
    amounts = {
        "BUREAU_CREDIT_SUM_LAST_365D": c["credit"].where(windows[365]),
        "BUREAU_DEBT_SUM_LAST_365D": c["debt"].where(windows[365]),
        "BUREAU_DEBT_SUM_LAST_730D": c["debt"].where(windows[730]),
    }
    return pd.concat(
        [
            newest,
            oldest,
            means(key, {f"{state}DAYS_CREDIT_MEAN": days for state, days in states.items()}),
            ratio(span, n.set_axis(span.index) - 1).rename("BUREAU_DAYS_BETWEEN_CREDITS"),
            counts(key, {f"BUREAU_CREDITS_LAST_{d}D": flag for d, flag in windows.items()}),
            means(key, {"BUREAU_CREDITS_LAST_365D_SHARE": windows[365]}),
            sums(key, amounts),
        ],
        axis=1,
    )


def _ended(c: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    active_ends = c["ends"].where(c["is_active"])
    early = c["ends"] - c["closed"]
    agreed = c["ends"] - c["opened"]
    high = {
        "BUREAU_ACTIVE_DAYS_ENDDATE_MAX": active_ends,
        "BUREAU_DAYS_CLOSED_MAX": c["closed"],
        "BUREAU_DAYS_UPDATE_MAX": c["updated"],
    }
    low = {"BUREAU_ACTIVE_DAYS_ENDDATE_MIN": active_ends, "BUREAU_DAYS_CLOSED_EARLY_MIN": early}
    middle = {
        "BUREAU_DAYS_ENDDATE_MEAN": c["ends"],
        "BUREAU_DAYS_CLOSED_MEAN": c["closed"],
        "BUREAU_DAYS_CLOSED_EARLY_MEAN": early,
        "BUREAU_DAYS_OPEN_MEAN": c["closed"] - c["opened"],
        "BUREAU_DAYS_AGREED_MEAN": agreed,
        "BUREAU_DAYS_UPDATE_MEAN": c["updated"],
        "BUREAU_ACTIVE_DAYS_UPDATE_MEAN": c["updated"].where(c["is_active"]),
    }
    flags = {
        "BUREAU_CREDITS_ACTIVE_AFTER_END": active_ends < 0,
        "BUREAU_CREDITS_CLOSED_LAST_365D": c["closed"] >= -365,
    }
    parts = [largest(key, high), smallest(key, low), means(key, middle), counts(key, flags)]
    return pd.concat(parts, axis=1)


def _amounts(c: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    states = {
        "BUREAU_CREDIT": c["credit"],
        "BUREAU_ACTIVE_CREDIT": c["credit"].where(c["is_active"]),
        "BUREAU_CLOSED_CREDIT": c["credit"].where(c["is_closed"]),
    }
    kinds = {f"BUREAU_{kind}_CREDIT": c["credit"].where(c[f"is_{kind}"]) for kind in COMMON_KINDS}
    return pd.concat(
        [
            sums(key, {f"{name}_SUM": amount for name, amount in (states | kinds).items()}),
            means(key, {f"{name}_MEAN": amount for name, amount in states.items()}),
        ],
        axis=1,
    )


def _debt(c: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    # Only where both are known; what is overdrawn or overpaid uses all or nothing.
    known = c["is_active"] & c["debt"].notna()
    owed, of = c["debt"].where(known & c["credit"].notna()), c["credit"].where(known)
    is_card = known & c["is_CARD"] & c["unused"].notna()
    card_used = c["debt"].where(is_card).clip(lower=0)
    total = sums(
        key,
        {
            "BUREAU_DEBT_SUM": c["debt"],
            **{f"BUREAU_{kind}_DEBT_SUM": c["debt"].where(c[f"is_{kind}"]) for kind in KINDS},
            "BUREAU_CARD_UNUSED_SUM": c["unused"].where(c["is_active"] & c["is_CARD"]),
        },
    )
    used = sums(
        key,
        {
            "card_used": card_used,
            "card_limit": card_used + c["unused"].clip(lower=0),
            "all": owed,
            "of_all": of,
            **{kind: owed.where(c[f"is_{kind}"]) for kind in COMMON_KINDS},
            **{f"of_{kind}": of.where(c[f"is_{kind}"]) for kind in COMMON_KINDS},
        },
    )
    total["BUREAU_CARD_UTILISATION"] = ratio(used["card_used"], used["card_limit"])
    total["BUREAU_DEBT_TO_CREDIT"] = ratio(used["all"], used["of_all"])
    for kind in COMMON_KINDS:
        total[f"BUREAU_{kind}_DEBT_TO_CREDIT"] = ratio(used[kind], used[f"of_{kind}"])
    share = rounded_ratio(owed, of)
    return pd.concat([total, means(key, {"BUREAU_DEBT_TO_CREDIT_MEAN": share})], axis=1)


def _late(c: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    worst, ever = c["worst_overdue"], c["worst_overdue"] > 0
    high = {
        "BUREAU_DAYS_OVERDUE_MAX": c["days_overdue"],
        "BUREAU_WORST_OVERDUE_MAX": worst,
        "BUREAU_ACTIVE_WORST_OVERDUE_MAX": worst.where(c["is_active"]),
        "BUREAU_EVER_OVERDUE_DAYS_CREDIT_MAX": c["opened"].where(ever),
    }
    to_credit = rounded_ratio(c["annuity"], c["credit"]).where(c["annuity"] > 0)
    middle = {
        "BUREAU_WORST_OVERDUE_MEAN": worst,
        "BUREAU_EVER_OVERDUE_SHARE": part(ever, worst.notna()),
        "BUREAU_WORST_OVERDUE_TO_CREDIT_MEAN": rounded_ratio(worst, c["credit"]),
        "BUREAU_ANNUITY_TO_CREDIT_MEAN": to_credit,
    }
    flags = {"BUREAU_CREDITS_EVER_OVERDUE": ever}
    totals = {
        "BUREAU_OVERDUE_SUM": c["overdue"],
        "BUREAU_PROLONGED_SUM": c["prolonged"],
        "BUREAU_ACTIVE_ANNUITY_SUM": c["annuity"].where(c["is_active"]),
    }
    parts = [largest(key, high), means(key, middle), counts(key, flags), sums(key, totals)]
    return pd.concat(parts, axis=1)
