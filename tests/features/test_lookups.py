from typing import Any

import pytest

from mlrecipes.config.feature_schema import FeatureLookup
from mlrecipes.errors import DataError
from mlrecipes.feature_records import FeatureTable, FeatureTableInfo, Lookup
from mlrecipes.features.lookups import Spine, resolve_lookups, without_columns

COLUMNS = {"CLIENT": "bigint", "N": "bigint", "DEBT": "double"}
CREDITS = FeatureTableInfo(FeatureTable("credits", ("CLIENT",)), COLUMNS, 3, "id")
DAILY = FeatureTableInfo(
    FeatureTable("daily", ("CLIENT",), event_time="DAY"),
    {"CLIENT": "bigint", "DAY": "timestamp", "BALANCE": "double"},
    1,
    "id",
)
TABLES = {"credits": CREDITS, "daily": DAILY}
SPINE = Spine(("ID", "AT", "TARGET"), frozenset({"TARGET"}))


def resolve(*lookups: dict[str, Any], spine: Spine = SPINE) -> tuple[Lookup, ...]:
    declared = [FeatureLookup.model_validate({"lookup_key": "ID"} | item) for item in lookups]
    return resolve_lookups(declared, TABLES, spine, lambda key: f"recipe.yaml:9 ({key})")


def test_without_names_all_features_are_taken() -> None:
    (lookup,) = resolve({"table_name": "credits"})
    assert lookup == Lookup("credits", {"ID": "CLIENT"}, {"N": "N", "DEBT": "DEBT"}, version=3)


def test_features_are_named_excluded_and_renamed() -> None:
    (named,) = resolve({"table_name": "credits", "feature_names": ["DEBT"]})
    (rest,) = resolve({"table_name": "credits", "exclude": ["DEBT"], "rename_outputs": {"N": "M"}})
    assert (named.features, rest.features) == ({"DEBT": "DEBT"}, {"N": "M"})


def test_a_moment_goes_with_an_event_time() -> None:
    (lookup,) = resolve({"table_name": "daily", "timestamp_lookup_key": "AT"})
    assert lookup.event_time == "AT"


@pytest.mark.parametrize(
    ("lookup", "message"),
    [
        ({"table_name": "credit"}, r"no feature table 'credit'. Did you mean 'credits'\?"),
        (
            {"table_name": "credits", "feature_names": ["DEPT"]},
            r"names 'DEPT' in feature_names, which its table has not. Did you mean 'DEBT'\?",
        ),
        ({"table_name": "credits", "exclude": ["X"]}, "names 'X' in exclude"),
        ({"table_name": "credits", "rename_outputs": {"X": "Y"}}, "names 'X' in rename_outputs"),
        ({"table_name": "credits", "lookup_key": "IDD"}, "needs 'IDD', which is no column"),
        ({"table_name": "credits", "lookup_key": ["ID", "AT"]}, "has 2 lookup_key"),
        ({"table_name": "credits", "rename_outputs": {"N": "AT"}}, "gives 'AT', as does the data"),
        (
            {"table_name": "credits", "rename_outputs": {"N": "DEBT"}},
            "gives 'DEBT', as does itself",
        ),
        ({"table_name": "daily"}, "needs timestamp_lookup_key: the table has the event time 'DAY'"),
        (
            {"table_name": "credits", "timestamp_lookup_key": "AT"},
            "has timestamp_lookup_key, but its table has no event time",
        ),
        ({"table_name": "daily", "timestamp_lookup_key": "A"}, "needs 'A', which is no column"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(lookup: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as raised:
        resolve(lookup)
    assert str(raised.value).startswith("recipe.yaml:9 (steps.ingest.feature_lookups[0])")


def test_a_feature_that_no_model_sees_is_unused() -> None:
    spine = Spine(("ID",), frozenset({"DEBT"}))
    with pytest.raises(DataError, match=r"gives 'DEBT', which no model sees \(ignore_cols\)"):
        resolve({"table_name": "credits"}, spine=spine)


def test_two_lookups_must_not_give_one_column() -> None:
    with pytest.raises(DataError, match="gives 'N', as does the lookup of credits"):
        resolve({"table_name": "credits"}, {"table_name": "credits", "feature_names": ["N"]})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(DataError) as raised:
        resolve({"table_name": "x"}, {"table_name": "credits", "feature_names": ["A", "B"]})
    assert len(raised.value.message.splitlines()) == 3


def test_scoring_takes_the_newest_row_of_all() -> None:
    (lookup,) = resolve({"table_name": "daily"}, spine=Spine(("ID",), needs_time=False))
    assert lookup.event_time is None


def test_a_lookup_of_which_no_column_is_left_is_left_out() -> None:
    credit = Lookup("credits", {"ID": "CLIENT"}, {"N": "M", "DEBT": "DEBT"}, version=3)
    sex = Lookup("people", {"ID": "CLIENT"}, {"SEX": "SEX"}, version=1)
    (kept,) = without_columns([credit, sex], ("M", "SEX"))
    assert (kept.table, kept.features) == ("credits", {"DEBT": "DEBT"})
