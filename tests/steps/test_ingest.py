"""ingest: the data that the recipe points at, checked before anything is made of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlrecipes.errors import DataError, UserCodeError
from mlrecipes.records import Profile
from mlrecipes.steps import Context
from mlrecipes.steps.ingest import STEP, Inputs, run

LOCATION_METHOD = "steps.ingest.location_method"
LOADER_METHOD = "steps.ingest.loader_method"


def test_ingest_gives_the_table_and_the_file_it_came_from(
    tmp_path: Path, context: Callable[..., Context]
) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")
    result = run(Inputs(), context())
    path = result.outputs["ingested_data"]
    assert path == tmp_path / "staging" / "ingested_data.parquet"
    assert pd.read_parquet(path).to_dict("list") == {"x": [1, 3], "y": [2, 4]}
    assert [source.uri for source in result.sources] == ["a.csv"]
    assert result.summary == "2 rows x 2 columns"


def test_ingest_profiles_the_table_unless_it_is_told_not_to(
    tmp_path: Path, context: Callable[..., Context]
) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    quiet = {"using": "csv", "location": "a.csv", "skip_data_profiling": True}
    titles = [section.title for section in run(Inputs(), context()).sections]
    assert titles == ["Data Profile", "Data Schema", "Data Preview", "Sources"]
    assert [
        section.title for section in run(Inputs(), context(steps={"ingest": quiet})).sections
    ] == titles[1:]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"target_col": "yy"}, "recipe.yaml (target_col): target_col names 'yy'"),
        ({"id_cols": ["house"]}, "recipe.yaml (id_cols): id_cols names 'house'"),
        ({"ignore_cols": ["x", "z"]}, "recipe.yaml (ignore_cols): ignore_cols names 'z'"),
    ],
)
def test_ingest_says_where_a_missing_column_is_named(
    tmp_path: Path, context: Callable[..., Context], keys: dict[str, Any], message: str
) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(DataError) as caught:
        run(Inputs(), context(**keys))
    assert str(caught.value).startswith(
        f"{message}, which is not among the 2 columns of the data ('x', 'y')."
    )


def test_ingest_refuses_a_table_without_features(
    tmp_path: Path, context: Callable[..., Context]
) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(DataError, match="No column is left for the model"):
        run(Inputs(), context(id_cols=["x"]))


def test_ingest_refuses_columns_whose_names_are_no_text(
    tmp_path: Path, context: Callable[..., Context]
) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    loader = {LOADER_METHOD: lambda path: pd.DataFrame({0: [1], "y": [2]})}
    with pytest.raises(DataError, match=r"1 columns have no text as name, such as 0 \(int\)"):
        run(Inputs(), context(loader))


def test_ingest_checks_the_target(tmp_path: Path, context: Callable[..., Context]) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,a\n2,b\n3,c\n")
    with pytest.raises(DataError, match=r"the ingested data: positive_class is 'a'.* 3: "):
        run(Inputs(), context(recipe="classification/v1", positive_class="a"))


def test_ingest_asks_the_users_function_where_the_data_lie(
    tmp_path: Path, context: Callable[..., Context]
) -> None:
    (tmp_path / "b.csv").write_text("x,y\n1,2\n")
    seen: dict[str, Any] = {}

    def find(**params: Any) -> Path:
        seen.update(params)
        return tmp_path / "b.csv"

    section = {"using": "csv", "location_method": "find", "location_params": {"name": "b"}}
    result = run(Inputs(), context({LOCATION_METHOD: find}, steps={"ingest": section}))
    assert seen == {"name": "b", "cache": tmp_path / "cache"}
    assert [source.uri for source in result.sources] == ["b.csv"]


def test_ingest_refuses_a_location_that_is_no_path(context: Callable[..., Context]) -> None:
    section = {"using": "csv", "location_method": "find"}
    functions = {LOCATION_METHOD: lambda cache: {"a.csv": 1}}
    with pytest.raises(UserCodeError, match=r"steps/ingest.py:find gave dict; a path or a list"):
        run(Inputs(), context(functions, steps={"ingest": section}))


def test_the_functions_that_the_recipe_names_are_told(context: Callable[..., Context]) -> None:
    section = {"using": "txt", "location": "a.txt", "loader_method": "load"}
    (function,) = STEP.user_functions(context(steps={"ingest": section}).config)
    assert (function.key, function.module) == ("steps.ingest.loader_method", "ingest")
    assert function.name == "load"


@pytest.mark.parametrize(
    "values",
    [
        "9007199254740993,9007199254740994",
        "1e17,1.00000000000000016e17",
        "-1.7e308,1.7e308",
        "5e-324,0.0",
    ],
)
def test_numbers_that_no_histogram_can_hold_are_profiled_without_one(
    tmp_path: Path, context: Callable[..., Context], values: str
) -> None:
    first, second = values.split(",")
    (tmp_path / "a.csv").write_text(f"x,y\n{first},1\n{second},2\n")
    (profile,) = run(Inputs(), context()).sections[0].blocks
    assert isinstance(profile, Profile)
    assert [column.n_distinct for column in profile.columns] == [2, 2]
    assert [column.histogram is None for column in profile.columns] == [True, False]
