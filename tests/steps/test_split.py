"""split: each row in one part, and parts that can be used."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrecipes.errors import DataError
from mlrecipes.records import Facts, StepResult, Table
from mlrecipes.steps import Context
from mlrecipes.steps._features import split_digest
from mlrecipes.steps.split import Inputs, run, settings
from mlrecipes.stores.frame_writer import write_frame
from mlrecipes.stores.frames import read_frame

FRAME = pd.DataFrame({"key": range(200), "x": np.linspace(0, 1, 200), "y": range(200)})
NAMES = ("training_data", "validation_data", "test_data")
BINARY = {"recipe": "classification/v1", "positive_class": 1}

Divide = Callable[..., StepResult]


@pytest.fixture
def divide(context: Callable[..., Context], tmp_path: Path) -> Divide:
    """Split by keys; hooks are given as functions by their key below ``steps.split``."""

    def call(frame: pd.DataFrame = FRAME, *, recipe: Any = None, **hooks: Any) -> StepResult:
        named = dict.fromkeys(hooks, "function")
        section = {"using": "hash", "key_cols": ["key"], **named}
        functions = {f"steps.split.{key}": function for key, function in hooks.items()}
        keys = {"steps": {"split": section}} | (recipe or {})
        path = tmp_path / "ingested_data.parquet"
        write_frame(path, frame)
        result = run(Inputs(path), context(functions, **keys))
        outputs = {
            name: read_frame(value) if isinstance(value, Path) else value
            for name, value in result.outputs.items()
        }
        return dataclasses.replace(result, outputs=outputs)

    return call


def test_each_row_is_in_one_part(divide: Divide) -> None:
    parts = divide().outputs
    assert tuple(parts) == (*NAMES, "part_facts")
    assert sorted(pd.concat([parts[name] for name in NAMES])["key"]) == list(range(200))


def test_the_facts_of_the_parts_are_written_down(divide: Divide) -> None:
    facts = divide(FRAME.assign(y=FRAME["y"].where(FRAME["y"] > 9))).outputs["part_facts"]
    assert sum(facts["n_rows"].values()) == 190
    assert (facts["n_columns"], facts["n_features"]) == (3, 2)
    assert list(facts["n_dropped"].values()) == [10]
    assert facts["periods"] == {}


def test_the_time_of_each_part_is_written_down(divide: Divide) -> None:
    frame = FRAME.assign(day=pd.date_range("2001-01-01", periods=200))
    limits = {"validation_from": "2001-03-01", "test_from": "2001-05-01"}
    section = {"using": "time", "time_col": "day"} | limits
    facts = divide(frame, recipe={"steps": {"split": section}}).outputs["part_facts"]
    assert facts["periods"]["validation"] == ["2001-03-01 00:00:00", "2001-04-30 00:00:00"]


def test_the_summary_says_how_many_rows_each_part_has(divide: Divide) -> None:
    result = divide(recipe={"steps": {"split": {"using": "random"}}})
    assert result.summary == "training 150 / validation 25 / test 25"


def test_rows_without_target_are_counted_on_the_card(divide: Divide) -> None:
    result = divide(FRAME.assign(y=FRAME["y"].where(FRAME["y"] > 9)))
    facts = [block for block in result.sections[0].blocks if isinstance(block, Facts)]
    assert [count for fact in facts for _name, count in fact.items] == [10]
    assert sum(len(result.outputs[name]) for name in NAMES) == 190


def test_the_filter_leaves_out_training_rows_only(divide: Divide) -> None:
    parts = divide(post_split_filter_method=lambda training: training["key"] > 50).outputs
    assert parts["training_data"]["key"].min() > 50
    assert parts["validation_data"]["key"].min() < 51


def test_the_users_function_may_replace_the_parts(divide: Divide) -> None:
    parts = divide(post_split_method=lambda training, validation, test: (training,) * 3).outputs
    assert parts["test_data"].equals(parts["training_data"])


def test_as_in_mlflow_recipes_the_function_wins_over_the_filter(divide: Divide) -> None:
    parts = divide(
        post_split_method=lambda *parts: parts,
        post_split_filter_method=lambda training: training["key"] > 50,
    ).outputs
    assert parts["training_data"]["key"].min() < 51


def test_the_users_function_may_name_the_part_of_each_row(divide: Divide) -> None:
    def label(frame: pd.DataFrame) -> pd.Series:
        return (frame["key"] % 3).map({0: "TRAINING", 1: "VALIDATION", 2: "TEST"})

    custom = {"steps": {"split": {"using": "custom", "split_method": "label"}}}
    parts = divide(recipe=custom, split_method=label).outputs
    assert [set(parts[name]["key"] % 3) for name in NAMES] == [{0}, {1}, {2}]


def test_a_column_that_the_users_function_dropped_is_missed(divide: Divide) -> None:
    with pytest.raises(DataError, match="id_cols names 'key', which is not among the 2"):
        divide(
            recipe={"id_cols": ["key"]},
            post_split_method=lambda *parts: tuple(part.drop(columns="key") for part in parts),
        )


def test_each_part_needs_both_classes(divide: Divide) -> None:
    frame = FRAME.assign(y=(FRAME["key"] == 7).astype(int))
    with pytest.raises(DataError, match=r"the \w+ part: the target 'y' has 1 class, 0"):
        divide(frame, recipe=BINARY)


def test_the_card_counts_the_classes_of_each_part(divide: Divide) -> None:
    sizes, balance = divide(FRAME.assign(y=FRAME["key"] % 2), recipe=BINARY).sections[0].blocks
    assert isinstance(sizes, Table)
    assert isinstance(balance, Table)
    assert [row[0] for row in sizes.rows] == ["training", "validation", "test"]
    assert sum(row[1] for row in sizes.rows) == 200


@pytest.mark.parametrize("using", ["random", "split_ratios"])
def test_the_table_itself_is_not_changed(divide: Divide, using: str) -> None:
    frame = FRAME.copy()
    divide(frame, recipe={"steps": {"split": {"using": using}}})
    pd.testing.assert_frame_equal(frame, FRAME)


def test_parts_are_compared_on_the_card_unless_that_is_skipped(divide: Divide) -> None:
    skipping = {"using": "random", "skip_data_profiling": True}
    titles = [section.title for section in divide().sections]
    assert titles == ["Parts", "Compare Splits"]
    quiet = divide(recipe={"steps": {"split": skipping}})
    assert [section.title for section in quiet.sections] == ["Parts"]


def test_spark_gives_the_same_parts_facts_and_card(spark: Any, divide: Divide) -> None:
    frame = FRAME.assign(y=FRAME["y"].where(FRAME["y"] > 9))
    section = {"using": "hash", "key_cols": ["key"]}
    here = divide(frame, recipe={"steps": {"split": section}})
    there = divide(frame, recipe={"steps": {"split": section | {"engine": "spark"}}})
    for name in NAMES:
        pd.testing.assert_frame_equal(there.outputs[name], here.outputs[name])
    assert there.outputs["part_facts"] == here.outputs["part_facts"]
    assert there.sections == here.sections


def test_the_engine_makes_no_other_result(context: Callable[..., Context]) -> None:
    section = {"using": "hash", "key_cols": ["key"]}
    here, there = (
        context(steps={"split": section | {"engine": engine}}).config
        for engine in ("local", "spark")
    )
    assert settings(here) == settings(there)
    assert split_digest(here) == split_digest(there)


def test_a_missing_key_column_is_told_with_the_columns_there_are(divide: Divide) -> None:
    with pytest.raises(DataError, match="key_cols names 'kee', which is not among the 3 columns"):
        divide(recipe={"steps": {"split": {"using": "hash", "key_cols": ["kee"]}}})


def test_a_part_that_is_too_small_is_told_before_it_is_written(divide: Divide) -> None:
    with pytest.raises(DataError, match=r"parts have fewer than 4 rows .*, divided with ratios"):
        divide(FRAME.head(6))
