"""A key is equal if and only if all that decides the outcome is equal."""

import datetime

from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.dag.fingerprint import changes, content_key, digest_of_files, flatten
from mlrecipes.records import FileDigest

scalars = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)
parts = st.dictionaries(st.text(min_size=1), scalars, max_size=6)


@given(parts, parts)
def test_keys_are_equal_if_and_only_if_the_parts_are(
    one: dict[str, object], other: dict[str, object]
) -> None:
    are_same = {k: (type(v), v) for k, v in one.items()} == {
        k: (type(v), v) for k, v in other.items()
    }
    # 0.0 and -0.0 are equal numbers, but not the same setting
    is_signed_zero = any(str(v) == "-0.0" for v in (*one.values(), *other.values()))
    assert (content_key(one) == content_key(other)) == are_same or is_signed_zero


@given(parts)
def test_a_key_does_not_depend_on_the_order_of_the_parts(one: dict[str, object]) -> None:
    assert content_key(one) == content_key(dict(reversed(one.items())))


def test_settings_are_spread_over_dotted_names() -> None:
    flat = flatten("", {"steps.train": {"estimator_params": {"max_depth": 4}}, "seed": 42})
    assert flat == {"steps.train.estimator_params.max_depth": 4, "seed": 42}


def test_a_list_of_settings_is_spread_too() -> None:
    flat = flatten("criteria", [{"metric": "roc_auc", "threshold": 0.7}])
    assert flat == {"criteria[0].metric": "roc_auc", "criteria[0].threshold": 0.7}


def test_dates_in_settings_become_text() -> None:
    assert flatten("from", datetime.date(2005, 7, 1)) == {"from": "2005-07-01"}


def test_a_changed_setting_is_told_with_both_values() -> None:
    before, after = {"steps.train.max_depth": 4}, {"steps.train.max_depth": 8}
    assert changes(before, after) == ["steps.train.max_depth 4 → 8"]


def test_a_setting_that_was_removed_is_told() -> None:
    assert changes({"a.b": 1}, {}) == ["a.b is no longer set"]


def test_a_setting_that_is_new_is_told() -> None:
    assert changes({}, {"a.b": [1, 2]}) == ["a.b is set to [1, 2]"]


def test_changed_code_is_told_by_file_and_definition() -> None:
    before = {"code.steps/train.py:estimator_fn": "1"}
    after = {"code.steps/train.py:estimator_fn": "2"}
    assert changes(before, after) == ["steps/train.py: estimator_fn changed"]


def test_settings_are_told_before_code_and_versions() -> None:
    before = {"library.lightgbm": "4.6.0", "code.steps/a.py:f": "1", "z.depth": 1}
    after = {"library.lightgbm": "4.7.0", "code.steps/a.py:f": "2", "z.depth": 2}
    assert changes(before, after) == [
        "z.depth 1 → 2",
        "steps/a.py: f changed",
        "lightgbm 4.6.0 → 4.7.0",
    ]


def test_the_digest_of_an_artifact_changes_with_a_files_name() -> None:
    assert digest_of_files([FileDigest("a", 1, "s")]) != digest_of_files([FileDigest("b", 1, "s")])


def test_the_digest_of_an_artifact_does_not_depend_on_the_order_of_its_files() -> None:
    one, two = FileDigest("a", 1, "s"), FileDigest("b", 1, "t")
    assert digest_of_files([one, two]) == digest_of_files([two, one])


def test_a_reset_is_told_with_its_time() -> None:
    assert changes({}, {"reset.runs": "2026-01-02T12:00:00+00:00"}) == [
        "its runs went in the reset of 2026-01-02T12:00:00+00:00"
    ]
    assert changes({"reset.model": "2026"}, {}) == ["its model went in the reset of no known time"]
