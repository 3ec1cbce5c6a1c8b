"""Drift from counts: laws of the measures, and how often the verdict is wrong."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlrecipes.checks.drift_counting import count_column, plan_numbers
from mlrecipes.checks.drift_measures import (
    chance_of,
    chi_squared,
    jensen_shannon,
    ks_distance,
    measure,
    psi,
    rank_test,
)
from mlrecipes.checks.drift_reference import reference_columns
from mlrecipes.checks.drift_verdict import judge, significant
from mlrecipes.checks.training_profile import training_profile
from mlrecipes.monitor_records import (
    ColumnCounts,
    ColumnKind,
    ColumnPlan,
    DriftLevel,
    DriftLimits,
    DriftVerdict,
    ReferenceColumn,
)

LIMITS = DriftLimits()
cells = st.lists(st.integers(0, 1_000), min_size=2, max_size=12).filter(any)
numbers = st.lists(
    st.floats(-1e6, 1e6) | st.sampled_from([0.0, math.nan, math.inf, -math.inf, 7.0]), min_size=1
)


def pair_of(draw_cells: st.DataObject) -> tuple[np.ndarray, np.ndarray]:
    then = draw_cells.draw(cells)
    now = draw_cells.draw(
        st.lists(st.integers(0, 1_000), min_size=len(then), max_size=len(then)).filter(any)
    )
    return np.array(then, float), np.array(now, float)


# ---- counting ------------------------------------------------------------------------------------


@given(values=numbers, cut=st.integers(0, 20))
def test_counts_of_parts_add_up_to_those_of_the_whole(values: list[float], cut: int) -> None:
    column = pd.Series(values)
    plan = ColumnPlan("x", ColumnKind.NUMBER, (-5.0, 0.0, 7.0))
    whole = count_column(column, plan)
    assert count_column(column[:cut], plan) + count_column(column[cut:], plan) == whole
    assert whole.n_rows == len(values)
    assert whole.n_missing == sum(math.isnan(value) for value in values)


@given(values=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=200))
def test_edges_increase_and_the_training_rows_fall_where_they_were_counted(
    values: list[float],
) -> None:
    edges, counts, means = plan_numbers(np.array(values))
    assert list(edges) == sorted(set(edges))
    assert len(counts) == len(means) == len(edges) + 1
    plan = ColumnPlan("x", ColumnKind.NUMBER, edges)
    assert count_column(pd.Series(values), plan).cells == counts
    assert sum(n * mean for n, mean in zip(counts, means, strict=True)) == pytest.approx(
        sum(values), rel=1e-9, abs=1e-3
    )


def test_a_value_that_changes_what_was_constant_is_counted_on_either_side() -> None:
    edges, counts, _ = plan_numbers(np.full(10, 5.0))
    assert counts == (0, 10, 0)
    plan = ColumnPlan("x", ColumnKind.NUMBER, edges)
    assert count_column(pd.Series([4.9, 5.0, 5.1, 6.0]), plan).cells == (1, 1, 2)


def test_categories_are_told_by_their_text_and_new_ones_together() -> None:
    plan = ColumnPlan("x", ColumnKind.CATEGORY, values=("a", "3", "True"))
    column = pd.Series(["a", 3.0, True, "new", None, "other"], dtype=object)
    assert count_column(column, plan) == ColumnCounts((1, 1, 1, 2), 1)


def test_text_that_nobody_shares_and_moments_are_counted_as_missing_or_not() -> None:
    frame = pd.DataFrame(
        {
            "name": [f"n{i}" for i in range(50)],
            "at": pd.date_range("2026-01-01", periods=50),
            "town": ["Ulm"] * 30 + ["Bonn"] * 20,
        }
    )
    columns = reference_columns(training_profile(frame))
    kinds = {name: one.plan.kind for name, one in columns.items()}
    assert kinds == {
        "name": ColumnKind.OTHER,
        "at": ColumnKind.OTHER,
        "town": ColumnKind.CATEGORY,
    }
    assert columns["town"].counts == ColumnCounts((30, 20, 0), 0)


# ---- measures ------------------------------------------------------------------------------------


@given(data=st.data())
def test_distances_are_symmetric_finite_and_nothing_between_equals(data: st.DataObject) -> None:
    then, now = pair_of(data)
    for distance in (psi, jensen_shannon, ks_distance):
        assert distance(then, now) == pytest.approx(distance(now, then), abs=1e-12)
        assert distance(then, then) == pytest.approx(0, abs=1e-9)
        assert math.isfinite(distance(then, now))
        assert distance(then, now) >= -1e-12
    assert jensen_shannon(then, now) <= 1 + 1e-12
    assert ks_distance(then, now) <= 1 + 1e-12


@given(data=st.data())
def test_chances_lie_between_nought_and_one(data: st.DataObject) -> None:
    then, now = pair_of(data)
    plan = ColumnPlan("x", ColumnKind.NUMBER, tuple(map(float, range(len(then) - 1))))
    means = tuple(map(float, range(len(then))))
    reference = ReferenceColumn(plan, ColumnCounts(tuple(map(int, then)), 3), means, 1.0)
    found = measure(reference, ColumnCounts(tuple(map(int, now)), 0), LIMITS)
    for chance in (found.p_value, found.p_chi2, found.p_beyond, found.p_ks, rank_test(then, now)):
        assert chance is not None
        assert 0 <= chance <= 1
    assert found.psi_excess <= found.psi


def test_the_tests_are_those_of_scipy() -> None:
    then, now = np.array([300.0, 500, 200]), np.array([40.0, 30, 30])
    expected = stats.chi2_contingency(np.array([then, now]), correction=False)
    assert chi_squared(then, now) == pytest.approx((expected.statistic, expected.pvalue))
    rows = [np.repeat([0, 1, 2], side.astype(int)) for side in (then, now)]
    by_rows = stats.mannwhitneyu(*rows, use_continuity=False, method="asymptotic").pvalue
    assert rank_test(then, now) == pytest.approx(by_rows, rel=1e-9)
    assert ks_distance(then, now) == pytest.approx(stats.ks_2samp(*rows).statistic)


def test_distances_are_those_of_scipy_and_of_the_textbook() -> None:
    then, now = np.array([500.0, 300, 200]), np.array([400.0, 400, 200])
    by_hand = (0.5 - 0.4) * math.log(0.5 / 0.4) + (0.3 - 0.4) * math.log(0.3 / 0.4)
    assert psi(then, now) == pytest.approx(by_hand, rel=0.01)
    from scipy.spatial.distance import jensenshannon

    assert jensen_shannon(then, now) == pytest.approx(jensenshannon(then, now, base=2))
    plan = ColumnPlan("x", ColumnKind.NUMBER, (1.0, 2.0))
    reference = ReferenceColumn(plan, ColumnCounts((500, 300, 200)), (1.0, 2.0, 4.0), 2.0)
    found = measure(reference, ColumnCounts((400, 400, 200)), LIMITS)
    expected = stats.wasserstein_distance([1, 2, 4], [1, 2, 4], then, now) / 2.0
    assert found.wasserstein == pytest.approx(expected)
    assert found.shift == pytest.approx(0.05)


def test_the_floor_of_psi_is_what_simulation_gave() -> None:
    """Ten cells, a reference of 10,000 rows: the 99th percentile of drift-free PSI."""
    plan = ColumnPlan("x", ColumnKind.NUMBER, tuple(map(float, range(1, 10))))
    reference = ReferenceColumn(plan, ColumnCounts((1_000,) * 10), tuple(range(10)), 3.0)
    found = measure(reference, ColumnCounts((50,) * 10), LIMITS)
    assert found.psi_floor == pytest.approx(0.045, abs=0.002)
    assert found.p_beyond == pytest.approx(1, abs=1e-3)


def test_few_missing_values_are_judged_exactly() -> None:
    reference = ReferenceColumn(ColumnPlan("x", ColumnKind.OTHER), ColumnCounts((9_990,), 10))
    few = measure(reference, ColumnCounts((197,), 3), LIMITS).p_value
    assert few > 1e-4
    assert measure(reference, ColumnCounts((180,), 20), LIMITS).p_value < 1e-12


def test_what_chance_makes_of_a_difference_is_what_simulation_gives() -> None:
    """Standard deviations over 400 pairs of tables that are drawn from one."""
    random = np.random.default_rng(0)
    shares = np.array([0.3, 0.25, 0.2, 0.13, 0.02, 0.1])  # the last one: missing values
    means, plan = (
        (0.0, 1.0, 2.0, 5.0, 9.0),
        ColumnPlan("x", ColumnKind.NUMBER, (0.5, 1.5, 3.0, 7.0)),
    )
    found, told = [], []
    for _ in range(400):
        then, now = (
            ColumnCounts(tuple(map(int, drawn[:-1])), int(drawn[-1]))
            for drawn in (random.multinomial(n, shares) for n in (1_500, 500))
        )
        reference = ReferenceColumn(plan, then, means, 2.0)
        one = measure(reference, now, LIMITS)
        unseen = now.cells[-1] / now.n_known - then.cells[-1] / then.n_known
        found.append((one.shift, one.missing_change, unseen))
        chance = chance_of(reference, now)
        told.append((chance.shift, chance.missing, chance.unseen))
        other = chance_of(replace(reference, counts=now), then)
        assert (other.shift, other.missing) == pytest.approx((chance.shift, chance.missing))
    spread = np.std(np.array(found, float), axis=0)
    assert np.mean(told, axis=0) == pytest.approx(spread, rel=0.12)


def test_a_column_that_nobody_filled_has_no_shift_by_chance() -> None:
    empty = ReferenceColumn(ColumnPlan("x", ColumnKind.OTHER), ColumnCounts((0,), 50))
    found = chance_of(empty, ColumnCounts((0,), 20))
    assert (found.shift, found.missing, found.unseen) == (0, 0, 0)


# ---- verdict -------------------------------------------------------------------------------------


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=30), share=st.floats(0.001, 0.2))
def test_without_weights_it_is_the_procedure_of_benjamini_and_hochberg(
    p: list[float], share: float
) -> None:
    adjusted = stats.false_discovery_control(p)
    found = significant(p, [1.0] * len(p), share)
    for is_found, one in zip(found, adjusted, strict=True):
        if abs(one - share) > 1e-9:
            assert is_found == (one <= share)


def world() -> dict[str, ReferenceColumn]:
    """A training of 7,000 rows and 120 columns: numbers, gaps, categories, a few atoms."""
    random = np.random.default_rng(1)
    columns = {}
    for i in range(120):
        z = random.normal(size=7_000)
        if i % 10 == 5:
            z = np.where(z < 0.3, 0.0, np.exp(z))
        elif i % 10 == 6:
            z = np.floor(np.exp(z))
        elif i % 10 == 7:
            z = np.where(random.random(7_000) < 0.3, np.nan, z)
        columns[f"c{i:03}"] = z
    frame = pd.DataFrame(columns)
    for i in range(8, 120, 10):
        frame[f"c{i:03}"] = pd.cut(frame[f"c{i:03}"], [-9, -1, 0, 1, 2, 9], labels=list("abcde"))
    found = reference_columns(training_profile(frame.astype({"c008": object})))
    shares = {name: 0.96**i for i, name in enumerate(found)}
    total = sum(shares.values())
    return {name: replace(one, importance=shares[name] / total) for name, one in found.items()}


def window(
    columns: dict[str, ReferenceColumn], n_rows: int, random: np.random.Generator, shift: float = 0
) -> DriftVerdict:
    """Rows that are drawn as the training was; the first column may be moved."""
    counts = {}
    for name, one in columns.items():
        cells = np.array([*one.counts.cells, one.counts.n_missing], float)
        drawn = random.multinomial(n_rows, cells / cells.sum())
        counts[name] = ColumnCounts(tuple(map(int, drawn[:-1])), int(drawn[-1]))
    if shift:
        moved = pd.Series(random.normal(shift, 1, n_rows))
        counts["c000"] = count_column(moved, columns["c000"].plan)
    return judge(columns, counts, LIMITS)


@pytest.fixture(scope="module")
def columns() -> dict[str, ReferenceColumn]:
    return world()


def test_windows_without_drift_raise_hardly_any_alarm(columns: dict[str, ReferenceColumn]) -> None:
    """At most one in a hundred may; a fixed limit of 0.1 alarms in nearly every window."""
    random = np.random.default_rng(0)
    found = [window(columns, 200, random) for _ in range(80)]
    assert sum(one.is_alarm for one in found) <= 1
    usual = [
        any(c.measures is not None and c.measures.psi >= 0.1 for c in v.columns) for v in found
    ]
    assert sum(usual) > 40


def test_a_shift_of_a_top_feature_is_seen_in_a_thousand_rows(
    columns: dict[str, ReferenceColumn],
) -> None:
    random = np.random.default_rng(0)
    found = [window(columns, 1_000, random, shift=0.25) for _ in range(25)]
    assert sum(one.is_alarm for one in found) >= 24
    assert {one.columns[0].name for one in found if one.is_alarm} == {"c000"}


def test_a_window_of_few_rows_is_not_judged(columns: dict[str, ReferenceColumn]) -> None:
    found = window(columns, 63, np.random.default_rng(0))
    assert not found.is_alarm
    assert found.notes["rows"].startswith("too few rows (n=63) to judge drift: at least 100")
    assert {one.level for one in found.columns} == {DriftLevel.TOO_FEW}


def number(shares: tuple[int, ...], importance: float) -> ReferenceColumn:
    plan = ColumnPlan("x", ColumnKind.NUMBER, tuple(map(float, range(1, len(shares)))))
    means = tuple(map(float, range(len(shares))))
    return ReferenceColumn(plan, ColumnCounts(shares), means, 1.0, importance)


def test_what_is_significant_and_small_is_no_drift() -> None:
    """A shift of 0.02 standard deviations is beyond chance in a million rows, and nothing."""
    reference = number((500_000, 500_000), 1.0)
    found = judge({"x": reference}, {"x": ColumnCounts((490_000, 510_000))}, LIMITS)
    assert found.columns[0].measures is not None
    assert found.columns[0].measures.p_value < 1e-9
    assert found.columns[0].level is DriftLevel.STABLE


def test_a_feature_that_hardly_counts_is_told_and_raises_no_alarm() -> None:
    columns = {f"x{i}": number((500, 500), 0.199) for i in range(5)} | {
        "y": number((500, 500), 0.005)
    }
    counts = {name: ColumnCounts((500, 500)) for name in columns} | {"y": ColumnCounts((100, 900))}
    found = judge(columns, counts, LIMITS)
    assert not found.is_alarm
    assert (found.columns[0].name, found.columns[0].level) == ("y", DriftLevel.SEVERE)
    alone = judge({"y": columns["y"]}, {"y": counts["y"]}, LIMITS)
    assert alone.is_alarm


def test_where_no_importance_is_known_each_feature_counts() -> None:
    columns = {f"x{i}": number((500, 500), 0.0) for i in range(9)}
    counts = {name: ColumnCounts((500, 500)) for name in columns} | {"x7": ColumnCounts((300, 700))}
    found = judge(columns, counts, LIMITS)
    assert found.reasons == (
        "x7: PSI 0.169, of which chance explains 0.002 (limit 0.1), "
        "mean +0.20 ± 0.02 sd (limit 0.13)",
    )


def test_a_leap_of_missing_values_and_of_new_values_is_told() -> None:
    town = ReferenceColumn(
        ColumnPlan("town", ColumnKind.CATEGORY, values=("a", "b")),
        ColumnCounts((600, 400, 0)),
        (),
        None,
        1,
    )
    found = judge({"town": town}, {"town": ColumnCounts((500, 300, 100), 100)}, LIMITS)
    said = found.columns[0].reasons
    assert "missing +10.0 ± 1.0 points (limit 3)" in said
    assert "unknown values +11.1 ± 1.0 points (limit 1)" in said


def test_few_values_that_training_did_not_have_are_beyond_chance() -> None:
    """Chi-squared alone would merge their cell with another one."""
    values = ColumnPlan("town", ColumnKind.CATEGORY, values=("a", "b"))
    town = ReferenceColumn(values, ColumnCounts((4_000, 3_000, 0)), (), None, 1)
    found = measure(town, ColumnCounts((115, 81, 4)), LIMITS)
    assert found.p_chi2 > 0.01
    assert found.p_value < 1e-5
    same = measure(town, ColumnCounts((115, 85, 0)), LIMITS)
    assert same.p_value > 0.5


def test_a_column_that_raises_an_alarm_alone_is_looked_at_more_than_others() -> None:
    columns = {
        f"x{i:02}": ReferenceColumn(
            ColumnPlan("x", ColumnKind.OTHER), ColumnCounts((9_000,), 1_000), (), None, 0.96**i
        )
        for i in range(100)
    }
    counts = {name: ColumnCounts((900,), 100) for name in columns}
    counts |= {name: ColumnCounts((860,), 140) for name in ("x00", "x50")}
    found = judge(columns, counts, replace(LIMITS, missing=0.02))
    assert [one.name for one in found.columns if one.has_drifted] == ["x00"]


def test_the_score_alone_raises_an_alarm() -> None:
    score = (number((500, 500), 0.0), ColumnCounts((300, 700)))
    found = judge({"x": number((500, 500), 1.0)}, {"x": ColumnCounts((500, 500))}, LIMITS, score)
    assert found.is_alarm
    assert found.reasons[0].startswith("the score (x): PSI")
