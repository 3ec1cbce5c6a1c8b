"""Which columns a model may see, and what every step's outcome depends on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from mlrecipes.checks.names import check_names_are_text
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import DataError, did_you_mean, few
from mlrecipes.feature_records import TABLE_URI, FeatureTableInfo
from mlrecipes.records import Source

__all__ = [
    "SPLIT_TAG",
    "check_columns",
    "common_settings",
    "described",
    "features_of",
    "key_places",
    "split_digest",
    "table_source",
    "target_of",
]

SPLIT_TAG = "mlrecipes.split_digest"
"""Tells on a model's version by which settings its test part was set aside."""
DIGEST_LENGTH = 16


def common_settings(config: RecipeConfig) -> dict[str, Any]:
    """The settings that all steps behind ingest depend on."""
    return {
        "recipe": config.recipe,
        "target_col": config.target_col,
        "positive_class": config.positive_class,
        "id_cols": config.id_cols,
        "ignore_cols": config.ignore_cols,
        "protected_cols": config.protected_cols,
    }


def features_of(frame: Any, config: RecipeConfig) -> Any:
    """The columns that a model may see: no target, no identifiers, no ignored columns.

    What user code changes in them in place stays its own; pandas copies only what is written.
    """
    return frame[_feature_names(frame, config)].copy(deep=False)


def _feature_names(frame: Any, config: RecipeConfig) -> list[Any]:
    hidden = config.hidden_cols
    return [column for column in frame.columns if column not in hidden]


def target_of(frame: Any, config: RecipeConfig) -> Any:
    """The target column."""
    return frame[config.target_col]


def described(fitted: Any) -> str:
    """A transformer or estimator in words, without addresses that differ in every run."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(fitted))


def key_places(where: Callable[[str], str]) -> dict[str, str]:
    """Where the keys that name columns stand, such as ``{"id_cols": "recipe.yaml:4"}``."""
    keys = ("target_col", "id_cols", "ignore_cols", "protected_cols")
    return {key: where(key) for key in keys}


def check_columns(frame: Any, config: RecipeConfig, where: Mapping[str, str]) -> None:
    """Check that the columns named in the configuration exist.

    Args:
        frame: The table.
        config: The recipe's configuration.
        where: Where each of these keys stands, such as ``{"id_cols": "recipe.yaml:4"}``.

    Raises:
        DataError: A name is no text, a named column is missing, or no feature is left.
    """
    check_names_are_text(frame)
    named = {
        "target_col": [config.target_col] if config.target_col else [],
        "id_cols": list(config.id_cols),
        "ignore_cols": list(config.ignore_cols),
        "protected_cols": list(config.protected_cols),
    }
    columns = list(frame.columns)
    for key, names in named.items():
        for name in names:
            if name not in columns:
                raise DataError(
                    f"{where.get(key, key)}: {key} names '{name}', which is not among the "
                    f"{len(columns)} columns of the data ({few(columns)}).",
                    hint=did_you_mean(name, columns),
                )
    if not _feature_names(frame, config):
        raise DataError("No column is left for the model beside the target and the ignored ones.")


def split_digest(config: RecipeConfig) -> str:
    """A digest of the settings that decide which rows a model never sees."""
    unimportant = {"skip_data_profiling", "engine"}
    split = config.steps.split.model_dump(mode="json", exclude=unimportant)
    text = json.dumps([split, config.seed, config.target_col], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def table_source(info: FeatureTableInfo) -> Source:
    """A feature table as a source: another version of it is another content."""
    return Source(f"{TABLE_URI}{info.table.name}", None, info.content_id)
