"""The settings of each step, key by key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from mlrecipes.config.base import Names, Number, Section, Whole
from mlrecipes.config.feature_schema import FeatureLookup

__all__ = [
    "Ingest",
    "Register",
    "Split",
    "Train",
    "Transform",
    "Tuning",
]


def _moment(value: Any) -> Any:
    """A day or a moment; text with a time of day keeps its hour and its zone.

    Numbers are none: pydantic would count them as seconds since 1970, the year 2006 too.
    """
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        text = value.strip()
        try:
            return datetime.fromisoformat(text) if ":" in text else date.fromisoformat(text)
        except ValueError:
            pass
    raise PydanticCustomError("date_type", "a date")


def _moment_in_order(moment: date) -> datetime:
    """A moment that can be compared with others; one without a zone counts as UTC."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time.min)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _three_ratios(value: Any) -> Any:
    is_list = isinstance(value, list | tuple)
    if is_list and len(value) == N_PARTS and all(map(_is_ratio, value)):
        return tuple(map(float, value))
    raise PydanticCustomError("ratios_type", "three positive numbers")


def _is_ratio(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 < value < math.inf


Day = Annotated[date | datetime, BeforeValidator(_moment)]
Ratios = Annotated[tuple[float, float, float], BeforeValidator(_three_ratios)]
PositiveWhole = Annotated[Whole, Field(gt=0)]
N_PARTS = 3
BUILTIN_FORMATS = ("parquet", "delta", "spark_sql", "csv", "auto")


class Ingest(Section):
    """Where the data lie and how they are read.

    Attributes:
        using: ``parquet``, ``csv``, ``auto`` (extension: by each file's suffix), ``delta``,
            ``spark_sql``, or any other word together with ``loader_method``.
        location_method: Extension: a function in ``steps/ingest.py`` that returns the path.
        location_params: Extension: its keyword arguments.
        columns: Extension: read only these columns of the data.
        filter: Extension: read only the rows that meet this SQL condition.
        feature_lookups: Extension: features to be put beside each row.
    """

    using: str
    location: str | tuple[str, ...] | None = None
    location_method: str | None = None
    location_params: Mapping[str, Any] = {}
    loader_method: str | None = None
    sql: str | None = None
    version: Whole | None = None
    timestamp: str | datetime | None = None
    columns: Names = ()
    filter: str | None = None
    feature_lookups: tuple[FeatureLookup, ...] = ()
    skip_data_profiling: bool = False

    @property
    def has_location(self) -> bool:
        """Whether it says where the data lie; the section for scoring may leave it open."""
        sql = self.sql if self.using == "spark_sql" else None
        return bool(self.location or self.location_method or sql)

    @property
    def is_selective(self) -> bool:
        """Whether it leaves out columns or rows."""
        return bool(self.columns or self.filter)

    @model_validator(mode="after")
    def _is_readable(self) -> Self:
        if self.location and self.location_method:
            raise ValueError("has both location and location_method: keep one of them")
        if self.using not in BUILTIN_FORMATS and not self.loader_method:
            raise ValueError(
                f"has using: {self.using}, which needs a loader_method in steps/ingest.py; "
                f"without one, using is one of {', '.join(BUILTIN_FORMATS)}"
            )
        return self


class Split(Section):
    """How the rows are divided.

    Attributes:
        using: ``split_ratios`` and ``custom`` as in MLflow Recipes; extensions: ``hash`` of
            key columns, ``random`` with exact sizes, ``stratified``, ``group``, ``time``.
        engine: Extension: ``local``, or ``spark`` for methods that look at each row alone.
            The parts are the same.
        split_ratios: Sizes of training, validation and test; divided by their sum.
        validation_from: Time split: training ends before it.
        test_from: Time split: validation ends before it.
        train_from: Time split: earlier rows are left out.
        test_until: Time split: this moment and later rows are left out.
    """

    using: Literal["split_ratios", "custom", "hash", "random", "stratified", "group", "time"] = (
        "split_ratios"
    )
    engine: Literal["local", "spark"] = "local"
    split_ratios: Ratios = (0.75, 0.125, 0.125)
    split_method: str | None = None
    post_split_method: str | None = None
    post_split_filter_method: str | None = None
    key_cols: Names = ()
    group_cols: Names = ()
    stratify_cols: Names = ()
    time_col: str | None = None
    train_from: Day | None = None
    validation_from: Day | None = None
    test_from: Day | None = None
    test_until: Day | None = None
    skip_data_profiling: bool = False

    @property
    def is_by_row(self) -> bool:
        """Whether each row says itself where it goes, and nothing needs a whole table."""
        hooks = (self.post_split_method, self.post_split_filter_method)
        return self.using in ROW_WISE and not any(hooks)

    @model_validator(mode="after")
    def _engine_fits_the_method(self) -> Self:
        if self.engine == "local" or self.is_by_row:
            return self
        if self.using not in ROW_WISE:
            which = f"using: {self.using}, which needs all rows at once"
        else:
            hook = "post_split_method" if self.post_split_method else "post_split_filter_method"
            which = f"{hook}, which needs a part as a pandas frame"
        raise ValueError(
            f"has engine: {self.engine} and {which}: use engine: local, or using: "
            f"{', '.join(sorted(ROW_WISE))} without such functions"
        )

    @model_validator(mode="after")
    def _keys_fit_the_method(self) -> Self:
        for key, method in _METHOD_OF_KEY.items():
            if key in self.model_fields_set and self.using != method:
                raise ValueError(f"has {key}, which belongs to using: {method}, not {self.using}")
        missing = [key for key in _NEEDED.get(self.using, ()) if not getattr(self, key)]
        if missing:
            raise ValueError(f"has using: {self.using}, which needs {', '.join(missing)}")
        return self

    @model_validator(mode="after")
    def _dates_are_in_order(self) -> Self:
        names = ("train_from", "validation_from", "test_from", "test_until")
        given = [(name, moment) for name in names if (moment := getattr(self, name))]
        for (earlier, start), (later, end) in pairwise(given):
            if _moment_in_order(start) >= _moment_in_order(end):
                raise ValueError(f"has {earlier} {start}, which is not before {later} {end}")
        return self


ROW_WISE = frozenset({"hash", "group", "time"})
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "custom": ("split_method",),
    "hash": ("key_cols",),
    "group": ("group_cols",),
    "time": ("time_col", "validation_from", "test_from"),
}
_METHOD_OF_KEY: Mapping[str, str] = {
    "split_method": "custom",
    "key_cols": "hash",
    "group_cols": "group",
    "stratify_cols": "stratified",
} | dict.fromkeys(("time_col", "train_from", "validation_from", "test_from", "test_until"), "time")


class Transform(Section):
    """The transformer; without a function the columns stay as they are."""

    using: Literal["custom"] = "custom"
    transformer_method: str | None = None
    skip_data_profiling: bool = False


class Tuning(Section):
    """The search for hyperparameters."""

    enabled: bool
    max_trials: PositiveWhole | None = None
    parameters: Mapping[str, Mapping[str, Any]] = {}
    algorithm: str = "hyperopt.rand.suggest"
    parallelism: PositiveWhole = 1
    sample_fraction: Annotated[Number, Field(gt=0, le=1)] = 1.0
    early_stop_fn: str | None = None


class Train(Section):
    """The estimator and what the model answers.

    Attributes:
        predict_output: Extension: ``recipes`` (labels and scores, as in MLflow Recipes),
            ``probability`` (of the positive class, one number a row) or ``label``.
    """

    using: Literal["custom", "automl/flaml"] = "custom"
    estimator_method: str | None = None
    estimator_params: Mapping[str, Any] = {}
    tuning: Tuning | None = None
    calibrate_proba: Literal["sigmoid", "isotonic"] | None = None
    predict_scores_for_all_classes: bool = True
    predict_prefix: str = "predicted_"
    predict_output: Literal["recipes", "probability", "label"] = "recipes"
    rebalance_training_data: bool = True
    resampling_minority_percentage: Annotated[Number, Field(gt=0, le=0.5)] = 0.3
    time_budget_secs: Annotated[Number, Field(gt=0)] = 600
    flaml_params: Mapping[str, Any] = {}
    skip_data_profiling: bool = False

    @model_validator(mode="after")
    def _has_an_estimator(self) -> Self:
        if self.using == "custom" and not self.estimator_method and self.model_fields_set:
            raise ValueError("needs estimator_method, the name of a function in steps/train.py")
        return self


class Register(Section):
    """Whether a model that is not validated may be registered."""

    allow_non_validated_model: bool = False
    model_name: str | None = None
    registry_uri: str | None = None
