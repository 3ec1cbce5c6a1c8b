"""The application itself, and what follows from it alone."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmarks.plain_pandas.aggregates import KEY, ratio

SCORES = ["EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3"]
DOCUMENTS = [f"FLAG_DOCUMENT_{number}" for number in range(2, 22)]
CONTACTS = ["FLAG_EMP_PHONE", "FLAG_WORK_PHONE", "FLAG_PHONE", "FLAG_EMAIL"]
MISMATCHES = [
    "REG_REGION_NOT_LIVE_REGION",
    "REG_REGION_NOT_WORK_REGION",
    "LIVE_REGION_NOT_WORK_REGION",
    "REG_CITY_NOT_LIVE_CITY",
    "REG_CITY_NOT_WORK_CITY",
    "LIVE_CITY_NOT_WORK_CITY",
]
ENQUIRIES = [
    f"AMT_REQ_CREDIT_BUREAU_{period}" for period in ["HOUR", "DAY", "WEEK", "MON", "QRT", "YEAR"]
]
RATIOS = {
    "CREDIT_TO_INCOME": ("AMT_CREDIT", "AMT_INCOME_TOTAL"),
    "ANNUITY_TO_INCOME": ("AMT_ANNUITY", "AMT_INCOME_TOTAL"),
    "ANNUITY_TO_CREDIT": ("AMT_ANNUITY", "AMT_CREDIT"),
    "CREDIT_TO_GOODS": ("AMT_CREDIT", "AMT_GOODS_PRICE"),
    "GOODS_TO_INCOME": ("AMT_GOODS_PRICE", "AMT_INCOME_TOTAL"),
    "INCOME_PER_MEMBER": ("AMT_INCOME_TOTAL", "CNT_FAM_MEMBERS"),
    "INCOME_PER_ADULT": ("AMT_INCOME_TOTAL", "ADULTS"),
    "ANNUITY_PER_MEMBER": ("AMT_ANNUITY", "CNT_FAM_MEMBERS"),
    "EMPLOYED_TO_AGE": ("DAYS_EMPLOYED", "DAYS_BIRTH"),
    "REGISTRATION_TO_AGE": ("DAYS_REGISTRATION", "DAYS_BIRTH"),
    "ID_PUBLISH_TO_AGE": ("DAYS_ID_PUBLISH", "DAYS_BIRTH"),
    "PHONE_CHANGE_TO_AGE": ("DAYS_LAST_PHONE_CHANGE", "DAYS_BIRTH"),
    "PHONE_CHANGE_TO_EMPLOYED": ("DAYS_LAST_PHONE_CHANGE", "DAYS_EMPLOYED"),
    "CAR_AGE_TO_AGE": ("OWN_CAR_AGE", "DAYS_BIRTH"),
    "CAR_AGE_TO_EMPLOYED": ("OWN_CAR_AGE", "DAYS_EMPLOYED"),
    "SOCIAL_CIRCLE_DEF_30_SHARE": ("DEF_30_CNT_SOCIAL_CIRCLE", "OBS_30_CNT_SOCIAL_CIRCLE"),
}


def build(folder: Path) -> pd.DataFrame:
    """One row per applicant, of both tables of applications."""
    rows = pd.concat(
        [
            pd.read_parquet(folder / "application_train.parquet").drop(columns="TARGET"),
            pd.read_parquet(folder / "application_test.parquet"),
        ],
        ignore_index=True,
    )
    # Who is not employed has a date a thousand years away.
    rows["DAYS_EMPLOYED"] = rows["DAYS_EMPLOYED"].where(rows["DAYS_EMPLOYED"] != 365243)
    rows["ADULTS"] = rows["CNT_FAM_MEMBERS"] - rows["CNT_CHILDREN"]
    scores = rows[SCORES]
    sizes = rows.columns[rows.columns.str.endswith("_AVG")]
    new = {
        "CREDIT_ABOVE_GOODS": rows["AMT_CREDIT"] - rows["AMT_GOODS_PRICE"],
        "INCOME_LEFT_MONTHLY": rows["AMT_INCOME_TOTAL"] / 12 - rows["AMT_ANNUITY"],
        "EXT_SOURCE_MEAN": scores.mean(axis=1),
        "EXT_SOURCE_MIN": scores.min(axis=1),
        "EXT_SOURCE_MAX": scores.max(axis=1),
        "EXT_SOURCE_SPREAD": scores.max(axis=1) - scores.min(axis=1),
        "EXT_SOURCE_2_TIMES_3": rows["EXT_SOURCE_2"] * rows["EXT_SOURCE_3"],
        "EXT_SOURCE_MISSING": scores.isna().sum(axis=1),
        "HOUSING_SIZES_MISSING": rows[sizes].isna().sum(axis=1),
        "DOCUMENTS_GIVEN": rows[DOCUMENTS].sum(axis=1),
        "CONTACTS_GIVEN": rows[CONTACTS].sum(axis=1),
        "ADDRESS_MISMATCHES": rows[MISMATCHES].sum(axis=1),
        "ENQUIRIES_LAST_MONTH": rows[ENQUIRIES[:4]].sum(axis=1, skipna=False),
        "ENQUIRIES_LAST_YEAR": rows[ENQUIRIES].sum(axis=1, skipna=False),
        **{name: ratio(rows[above], rows[below]) for name, (above, below) in RATIOS.items()},
    }
    return pd.concat([rows, pd.DataFrame(new)], axis=1).sort_values(KEY)
