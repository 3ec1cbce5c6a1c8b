"""Laws that hold for any value and any key."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlrecipes.config.comments import has_markup
from mlrecipes.config.load import load_config
from mlrecipes.errors import ConfigError

FULL: dict[str, Any] = {
    "recipe": "classification/v1",
    "target_col": "sold",
    "positive_class": "yes",
    "primary_metric": "mine",
    "custom_metrics": [{"name": "mine", "function": "mine", "greater_is_better": True}],
    "id_cols": ["house"],
    "ignore_cols": ["street"],
    "seed": 7,
    "steps": {
        "ingest": {"using": "csv", "location": "a.csv", "skip_data_profiling": True},
        "split": {
            "using": "time",
            "time_col": "day",
            "train_from": datetime.date(2004, 1, 1),
            "validation_from": datetime.date(2005, 1, 1),
            "test_from": datetime.date(2006, 1, 1),
            "test_until": datetime.date(2007, 1, 1),
            "post_split_filter_method": "keep",
        },
        "transform": {"using": "custom", "transformer_method": "transformer_fn"},
        "train": {
            "using": "custom",
            "estimator_method": "estimator_fn",
            "tuning": {"enabled": False, "max_trials": 3},
            "predict_prefix": "p_",
            "rebalance_training_data": False,
        },
        "evaluate": {"validation_criteria": [{"metric": "roc_auc", "threshold": 0.7}]},
        "register": {"allow_non_validated_model": True},
        "ingest_scoring": {"using": "parquet", "location": "b.parquet"},
        "predict": {"output": {"using": "parquet", "location": "c.parquet"}, "save_mode": "append"},
    },
    "experiment": {"name": "houses", "tracking_uri": "sqlite:///a.db"},
    "model_registry": {"model_name": "houses", "alias": "candidate"},
}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.dates()
    | st.text(st.sampled_from("\n\"'#:{}[]-&*!|>%@` \\\t\x85\u2028a")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=10,
)
quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)


def write(root: Path, recipe: str, profile: str = "") -> None:
    (root / "profiles").mkdir(exist_ok=True)
    (root / "recipe.yaml").write_text(recipe, encoding="utf-8")
    (root / "profiles" / "local.yaml").write_text(profile, encoding="utf-8")


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each key of a mapping, and of the mappings inside."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from paths(inner, (*path, key))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, (*path, index))


def renamed(value: Any, path: tuple[Any, ...], name: str) -> Any:
    """A copy in which the key at a path has another name."""
    first, *rest = path
    if isinstance(value, list):
        return [renamed(v, tuple(rest), name) if i == first else v for i, v in enumerate(value)]
    return {
        (name if key == first and not rest else key): (
            renamed(inner, tuple(rest), name) if key == first and rest else inner
        )
        for key, inner in value.items()
    }


@quick
@given(VALUES)
def test_any_value_of_a_profile_arrives_unchanged(tmp_path: Path, value: Any) -> None:
    profile = yaml.safe_dump({"VALUE": value})
    if has_markup(profile):
        return
    recipe = yaml.safe_dump(FULL) + "# \n"
    recipe = recipe.replace("  train:\n", "  train:\n    estimator_params: {x: {{ VALUE }}}\n")
    write(tmp_path, recipe, profile)
    params = load_config(tmp_path, "local").config.steps.train.estimator_params
    assert params == {"x": value}


@quick
@given(st.text())
def test_any_text_in_quotes_arrives_as_text(tmp_path: Path, text: str) -> None:
    recipe = yaml.safe_dump({**FULL, "target_col": "PLACE"}).replace("PLACE", '"a{{ TEXT }}b"')
    write(tmp_path, recipe, "TEXT: old\n")
    loaded = load_config(tmp_path, "local", {"TEXT": text})
    assert loaded.config.target_col == f"a{text or 'old'}b"


def test_the_full_recipe_is_right(tmp_path: Path) -> None:
    write(tmp_path, yaml.safe_dump(FULL))
    config = load_config(tmp_path, "local").config
    assert config.model_dump(by_alias=True, exclude_unset=True, mode="json")["seed"] == 7
    assert config.steps.split.test_until == datetime.date(2007, 1, 1)


@pytest.mark.parametrize("path", list(paths(FULL)), ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("suffix", ["x", "\n: 1", "<b>" * 200])
def test_a_key_with_another_name_is_named_with_file_and_line(
    tmp_path: Path, path: tuple[Any, ...], suffix: str
) -> None:
    text = yaml.safe_dump(renamed(FULL, path, f"{path[-1]}{suffix}"), sort_keys=False, width=9999)
    write(tmp_path, text)
    with pytest.raises(ConfigError, match="is not a key of") as caught:
        load_config(tmp_path, "local")
    problem = next(p for p in caught.value.problems if "is not a key of" in p.what)
    assert problem.file == "recipe.yaml"
    assert problem.line is not None
    assert str(path[-1]) in text.split("\n")[problem.line - 1]
    assert len(str(caught.value)) < 2_000
