"""Earlier applications, what was asked for, granted, refused and still runs."""

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
    six_decimals,
    smallest,
    sums,
    thousandths,
)

STATES = ["Approved", "Refused", "Canceled", "Unused offer"]
KINDS = {"CASH": "Cash loans", "CONSUMER": "Consumer loans", "REVOLVING": "Revolving loans"}
CHANNELS = {
    "OFFICE": "Credit and cash offices",
    "COUNTRY_WIDE": "Country-wide",
    "STONE": "Stone",
    "CONTACT_CENTER": "Contact center",
}
TEXTS = [
    "NAME_CONTRACT_TYPE",
    "NAME_CONTRACT_STATUS",
    "NAME_YIELD_GROUP",
    "NAME_PRODUCT_TYPE",
    "NAME_GOODS_CATEGORY",
    "CODE_REJECT_REASON",
    "CHANNEL_TYPE",
]
NUMBERS = {
    "DAYS_DECISION": "decided",
    "HOUR_APPR_PROCESS_START": "hour",
    "AMT_APPLICATION": "asked",
    "AMT_CREDIT": "credit",
    "AMT_ANNUITY": "annuity",
    "AMT_DOWN_PAYMENT": "down_payment",
    "RATE_DOWN_PAYMENT": "down_payment_rate",
    "CNT_PAYMENT": "term",
    "NFLAG_INSURED_ON_APPROVAL": "insured",
}
DAYS = {
    "DAYS_FIRST_DRAWING": "first_drawing",
    "DAYS_LAST_DUE_1ST_VERSION": "last_due_agreed",
    "DAYS_LAST_DUE": "last_due",
    "DAYS_TERMINATION": "ended",
}


def build(folder: Path) -> pd.DataFrame:
    """One row per applicant with earlier applications."""
    rows = read(folder, "previous_application", [KEY, "SK_ID_PREV", *NUMBERS, *DAYS], TEXTS)
    rows = rows.rename(columns=NUMBERS | DAYS)
    # The last of an applicant's rows is the latest.
    rows = rows.sort_values([KEY, "decided", "SK_ID_PREV"], ignore_index=True)
    rows["approved"] = rows["NAME_CONTRACT_STATUS"] == "Approved"
    rows["refused"] = rows["NAME_CONTRACT_STATUS"] == "Refused"
    for kind, name in KINDS.items():
        rows[kind] = rows["NAME_CONTRACT_TYPE"] == name
    rows["is_running"] = rows["approved"] & (rows["ended"] == 365243)
    # 365243 says that there is no such day.
    rows[list(DAYS.values())] = rows[list(DAYS.values())].replace(365243, float("nan"))
    rows["to_asked"] = ratio(rows["credit"], rows["asked"])
    annuity, credit = thousandths(rows["annuity"]), thousandths(rows["credit"])
    rows["paid_back"] = ratio(annuity * rows["term"], credit)
    key = rows[KEY].astype("category")
    sections = [_outcomes, _why_and_how, _decided, _amounts, _ratios, _course, _running, _latest]
    return joined(key, [section(rows, key) for section in sections])


def _outcomes(rows: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    status = rows["NAME_CONTRACT_STATUS"]
    flags = {"PREV_APPLICATIONS": rows["decided"].notna()}
    for state in STATES:
        flags[f"PREV_{state.upper().replace(' ', '_')}"] = status == state
    for kind in KINDS:
        flags[f"PREV_{kind}"] = rows[kind]
        flags[f"PREV_{kind}_APPROVED"] = rows[kind] & rows["approved"]
        flags[f"PREV_{kind}_REFUSED"] = rows[kind] & rows["refused"]
    n = counts(key, flags)
    n["PREV_APPROVED_SHARE"] = n["PREV_APPROVED"] / n["PREV_APPLICATIONS"]
    n["PREV_REFUSED_SHARE_OF_DECIDED"] = ratio(
        n["PREV_REFUSED"], n["PREV_APPROVED"] + n["PREV_REFUSED"]
    )
    return n


def _why_and_how(rows: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    reason, group = rows["CODE_REJECT_REASON"], rows["NAME_YIELD_GROUP"]
    product, channel = rows["NAME_PRODUCT_TYPE"], rows["CHANNEL_TYPE"]
    goods = rows["NAME_GOODS_CATEGORY"]
    flags = {f"PREV_REJECT_{code}": reason == code for code in ["HC", "LIMIT", "SCO", "SCOFR"]}
    groups = ["high", "middle", "low_normal", "low_action"]
    shares = {
        **{f"PREV_YIELD_{name.upper()}_SHARE": group == name for name in groups},
        "PREV_WALK_IN_SHARE": product == "walk-in",
        **{f"PREV_CHANNEL_{name}_SHARE": channel == value for name, value in CHANNELS.items()},
        "PREV_GOODS_MOBILE_SHARE": part(goods == "Mobile", goods != "XNA"),
        "PREV_HOUR_MEAN": rows["hour"],
    }
    return pd.concat([counts(key, flags), means(key, shares)], axis=1)


def _decided(rows: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    decided, refused = rows["decided"], rows["refused"]
    among = {f"PREV_{name}": decided.where(rows[name]) for name in KINDS}
    outcomes = {
        "PREV": decided,
        "PREV_APPROVED": decided.where(rows["approved"]),
        "PREV_REFUSED": decided.where(refused),
    }
    high = {f"{name}_DAYS_DECISION_MAX": days for name, days in (outcomes | among).items()}
    middle = {f"{name}_DAYS_DECISION_MEAN": days for name, days in outcomes.items()}
    middle["PREV_REFUSED_SHARE_LAST_730D"] = part(refused, decided >= -730)
    flags = {"n": decided.notna()}
    for days in [180, 365, 730]:
        flags[f"PREV_APPLICATIONS_LAST_{days}D"] = decided >= -days
        flags[f"PREV_REFUSED_LAST_{days}D"] = refused & (decided >= -days)
    low = {"PREV_DAYS_DECISION_MIN": decided}
    parts = [largest(key, high), smallest(key, low), means(key, middle), counts(key, flags)]
    table = pd.concat(parts, axis=1)
    span = table["PREV_DAYS_DECISION_MAX"] - table["PREV_DAYS_DECISION_MIN"]
    table["PREV_DAYS_BETWEEN_DECISIONS"] = ratio(span, table["n"] - 1)
    return table.drop(columns="n")


def _amounts(rows: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    approved = rows["approved"]
    middle, high = {"PREV_ASKED_MEAN": rows["asked"]}, {"PREV_ASKED_MAX": rows["asked"]}
    for name in ["credit", "annuity"]:
        granted = rows[name].where(approved)
        middle[f"PREV_{name.upper()}_MEAN"] = rows[name]
        middle[f"PREV_APPROVED_{name.upper()}_MEAN"] = granted
        middle[f"PREV_REFUSED_{name.upper()}_MEAN"] = rows[name].where(rows["refused"])
        high[f"PREV_APPROVED_{name.upper()}_MAX"] = granted
    for kind in KINDS:
        middle[f"PREV_{kind}_CREDIT_MEAN"] = rows["credit"].where(rows[kind] & approved)
        middle[f"PREV_{kind}_ANNUITY_MEAN"] = rows["annuity"].where(rows[kind] & approved)
    recent = rows["credit"].where(approved & (rows["decided"] >= -365))
    totals = {
        "PREV_APPROVED_CREDIT_SUM": rows["credit"].where(approved),
        "PREV_APPROVED_CREDIT_SUM_LAST_365D": recent,
    }
    return pd.concat([means(key, middle), largest(key, high), sums(key, totals)], axis=1)


def _ratios(rows: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    approved, refused = rows["approved"], rows["refused"]
    to_asked = rounded_ratio(rows["credit"], rows["asked"])
    paid_back = rows["paid_back"].where(approved)
    to_credit = rounded_ratio(rows["annuity"], rows["credit"]).where(approved)
    middle = {
        "PREV_CREDIT_TO_ASKED_MEAN": to_asked,
        "PREV_REFUSED_CREDIT_TO_ASKED_MEAN": to_asked.where(refused),
        "PREV_ANNUITY_TO_CREDIT_MEAN": to_credit,
        "PREV_PAID_BACK_TO_CREDIT_MEAN": six_decimals(paid_back),
        "PREV_DOWN_PAYMENT_MEAN": rows["down_payment"],
        "PREV_DOWN_PAYMENT_RATE_MEAN": six_decimals(rows["down_payment_rate"]),
        "PREV_TERM_MEAN": rows["term"].where(approved),
        "PREV_REFUSED_TERM_MEAN": rows["term"].where(refused),
        "PREV_INSURED_SHARE": rows["insured"],
    }
    high = {
        "PREV_PAID_BACK_TO_CREDIT_MAX": paid_back,
        "PREV_DOWN_PAYMENT_RATE_MAX": rows["down_payment_rate"],
    }
    low = {"PREV_CREDIT_TO_ASKED_MIN": rows["to_asked"]}
    return pd.concat([means(key, middle), largest(key, high), smallest(key, low)], axis=1)


def _course(rows: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    early = rows["last_due_agreed"] - rows["last_due"]
    high = {
        "PREV_DAYS_LAST_DUE_MAX": rows["last_due"],
        "PREV_DAYS_LAST_DUE_AGREED_MAX": rows["last_due_agreed"],
        "PREV_DAYS_FIRST_DRAWING_MAX": rows["first_drawing"],
    }
    middle = {
        "PREV_DAYS_TERMINATION_MEAN": rows["ended"],
        "PREV_DAYS_PAID_EARLY_MEAN": early,
    }
    return pd.concat([largest(key, high), means(key, middle)], axis=1)


def _running(rows: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    is_running = rows["is_running"]
    totals = {"PREV_RUNNING_ANNUITY_SUM": rows["annuity"].where(is_running)}
    high = {"PREV_RUNNING_DAYS_LAST_DUE_MAX": rows["last_due_agreed"].where(is_running)}
    flags = {"PREV_RUNNING": is_running}
    return pd.concat([counts(key, flags), sums(key, totals), largest(key, high)], axis=1)


def _latest(rows: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    """Of each applicant's last row, whether or not it says everything."""
    is_last = ~key.duplicated(keep="last")
    approved = rows[rows["approved"]]
    is_last_approved = ~key[rows["approved"]].duplicated(keep="last")
    last, granted = (
        part.set_axis(part[KEY]) for part in (rows[is_last], approved[is_last_approved])
    )
    return pd.DataFrame(
        {
            "PREV_LAST_CREDIT": last["credit"],
            "PREV_LAST_CREDIT_TO_ASKED": last["to_asked"],
            "PREV_LAST_IS_REFUSED": last["refused"].astype("float64"),
            "PREV_LAST_APPROVED_ANNUITY": granted["annuity"],
            "PREV_LAST_APPROVED_CREDIT": granted["credit"],
            "PREV_LAST_APPROVED_TERM": granted["term"],
            "PREV_LAST_APPROVED_PAID_BACK_TO_CREDIT": granted["paid_back"],
        }
    )
