"""The known signal of the synthetic Home Credit tables: AUCs and default rates as measured."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

EXT = ["EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3"]
Tables = dict[str, pd.DataFrame]


def _cross_validated_auc(features: pd.DataFrame, target: pd.Series) -> float:
    texts = features.select_dtypes(exclude="number").columns
    features = features.astype(dict.fromkeys(texts, "category"))
    model = LGBMClassifier(
        n_estimators=200,
        learning_rate=0.04,
        num_leaves=12,
        min_child_samples=80,
        colsample_bytree=0.4,
        random_state=1,
        n_jobs=1,
        verbosity=-1,
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=42)
    scores = cross_val_predict(model, features, target, cv=folds, method="predict_proba")
    return float(roc_auc_score(target, scores[:, 1]))


def _application_features(tables: Tables) -> pd.DataFrame:
    return tables["application_train"].drop(columns=["SK_ID_CURR", "TARGET"])


def test_the_default_rate_is_the_real_one(tables: Tables) -> None:
    assert tables["application_train"]["TARGET"].mean() == pytest.approx(0.080729, abs=1e-4)


@pytest.mark.parametrize(
    ("column", "auc", "tolerance"),
    [
        ("EXT_SOURCE_1", 0.335, 0.02),
        ("EXT_SOURCE_2", 0.341, 0.02),
        ("EXT_SOURCE_3", 0.312, 0.02),
        ("DAYS_BIRTH", 0.585, 0.02),
        ("REGION_RATING_CLIENT", 0.557, 0.02),
    ],
)
def test_a_column_separates_defaults_as_in_the_real_data(
    tables: Tables, column: str, auc: float, tolerance: float
) -> None:
    known = tables["application_train"].dropna(subset=[column])
    assert roc_auc_score(known["TARGET"], known[column]) == pytest.approx(auc, abs=tolerance)


def test_days_employed_separates_defaults_among_the_employed(tables: Tables) -> None:
    employed = tables["application_train"].query("DAYS_EMPLOYED < 0")
    auc = roc_auc_score(employed["TARGET"], employed["DAYS_EMPLOYED"])
    assert auc == pytest.approx(0.60, abs=0.025)


@pytest.mark.parametrize(
    ("column", "value", "rate"),
    [
        ("CODE_GENDER", "M", 0.103),
        ("CODE_GENDER", "F", 0.068),
        ("NAME_CONTRACT_TYPE", "Revolving loans", 0.056),
        ("NAME_EDUCATION_TYPE", "Higher education", 0.054),
        ("NAME_INCOME_TYPE", "Working", 0.096),
        ("NAME_INCOME_TYPE", "Pensioner", 0.051),
    ],
)
def test_a_group_defaults_as_often_as_measured(
    tables: Tables, column: str, value: str, rate: float
) -> None:
    train = tables["application_train"]
    assert train.loc[train[column] == value, "TARGET"].mean() == pytest.approx(rate, abs=0.014)


def test_three_external_scores_reach_the_real_auc(tables: Tables) -> None:
    train = tables["application_train"]
    assert _cross_validated_auc(train[EXT], train["TARGET"]) == pytest.approx(0.72, abs=0.02)


def test_the_history_adds_what_the_application_does_not_show(tables: Tables, folder: Path) -> None:
    target = tables["application_train"]["TARGET"]
    application = _application_features(tables)
    alone = _cross_validated_auc(application, target)
    history = (
        duckdb.connect()
        .execute(HISTORY.format(folder=folder.as_posix()))
        .df()
        .drop(columns="SK_ID_CURR")
    )
    both = _cross_validated_auc(pd.concat([application, history], axis=1), target)
    assert 0.745 <= alone <= 0.775
    assert both - alone >= 0.02


HISTORY = """
with bureau as (
  select SK_ID_CURR, avg((CREDIT_ACTIVE = 'Active')::int) b1, count(*) b2,
    avg((AMT_CREDIT_MAX_OVERDUE > 0)::int) b3, avg(DAYS_CREDIT) b4, max(CREDIT_DAY_OVERDUE) b5,
    sum(AMT_CREDIT_SUM_DEBT) / nullif(sum(AMT_CREDIT_SUM), 0) b6
  from '{folder}/bureau.parquet' group by 1),
previous as (
  select SK_ID_CURR, avg((NAME_CONTRACT_STATUS = 'Refused')::int) p1, count(*) p2,
    avg((NAME_CONTRACT_STATUS = 'Approved')::int) p3, max(DAYS_DECISION) p4
  from '{folder}/previous_application.parquet' group by 1),
pos as (
  select SK_ID_CURR, avg((SK_DPD > 0)::int) s1, max(SK_DPD) s2, count(*) s3
  from '{folder}/POS_CASH_balance.parquet' group by 1),
card as (
  select SK_ID_CURR, avg(AMT_BALANCE / nullif(AMT_CREDIT_LIMIT_ACTUAL, 0)) c1,
    avg((SK_DPD > 0)::int) c2, count(*) c3
  from '{folder}/credit_card_balance.parquet' group by 1),
paid as (
  select SK_ID_CURR, avg((DAYS_ENTRY_PAYMENT > DAYS_INSTALMENT)::int) i1,
    avg((AMT_PAYMENT < AMT_INSTALMENT)::int) i2, avg(DAYS_ENTRY_PAYMENT - DAYS_INSTALMENT) i3,
    count(*) i4
  from '{folder}/installments_payments.parquet' group by 1)
select SK_ID_CURR, bureau.* exclude SK_ID_CURR, previous.* exclude SK_ID_CURR,
  pos.* exclude SK_ID_CURR, card.* exclude SK_ID_CURR, paid.* exclude SK_ID_CURR
from '{folder}/application_train.parquet' left join bureau using (SK_ID_CURR)
left join previous using (SK_ID_CURR) left join pos using (SK_ID_CURR)
left join card using (SK_ID_CURR) left join paid using (SK_ID_CURR)
order by SK_ID_CURR
"""
