"""The settings of monitoring: which rows, from when, what matters, and who is told."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from mlrecipes.config.base import Model, Number, Section, Whole
from mlrecipes.config.step_schema import Ingest

__all__ = ["BATCH", "CALENDAR", "Limits", "Monitor", "MonitorOutput", "OnAlert", "as_period"]

BATCH = "batch"
CALENDAR = ("month", "quarter")
"""Windows that are not equally long."""
UNITS = {"h": "hours", "d": "days", "w": "weeks"}
PERIOD = re.compile(r"([1-9]\d{0,3})\s*([hdw])")
Share = Annotated[Number, Field(gt=0, lt=1)]
Positive = Annotated[Number, Field(gt=0)]


def as_period(text: str) -> timedelta:
    """A period such as ``12h``, ``30d`` or ``4w``.

    Raises:
        ValueError: It is none.

    >>> as_period("4w").days
    28
    """
    found = PERIOD.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text} is no period such as 12h, 30d or 4w")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def _period(value: Any) -> Any:
    try:
        as_period(str(value))
    except ValueError:
        raise PydanticCustomError("period_type", "a period such as 12h, 30d or 4w") from None
    return str(value).strip()


def _window(value: Any) -> Any:
    if value in {BATCH, *CALENDAR}:
        return value
    try:
        return _period(value)
    except PydanticCustomError:
        what = "a period such as 12h, 30d or 4w, or month, quarter or batch"
        raise PydanticCustomError("period_type", what) from None


def _moment(value: Any) -> Any:
    """A day or a moment as ISO text; kept as text, so that it can come from a profile."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        raise PydanticCustomError("date_type", "a date") from None
    return str(value)


Period = Annotated[str, BeforeValidator(_period)]
Moment = Annotated[str, BeforeValidator(_moment)]


class Limits(Section):
    """From where on a difference matters; see docs/monitoring.md.

    Attributes:
        psi: Of the population stability index, less what chance makes of it.
        psi_severe: From here on it is called severe.
        shift: Of the mean, in standard deviations of the training.
        missing: Of the share of missing values.
        unseen: Of the share of values that training did not know.
        weighted: The share of what the model relies on that may drift.
        top_features: So many of the most important features raise an alert alone.
        false_alarms: In which share of windows without drift chance may raise an alert.
        event_rate: Of the rate of events in final labels, by which share of it it may change; the
            mean of a number may change by ``shift``.
        loss: How much of the primary metric may be lost; the whole interval must lie beyond.
    """

    psi: Positive = 0.1
    psi_severe: Positive = 0.25
    shift: Positive = 0.13
    missing: Share = 0.03
    unseen: Share = 0.01
    weighted: Share = 0.2
    top_features: Annotated[Whole, Field(ge=0, le=1_000)] = 5
    false_alarms: Share = 0.01
    event_rate: Positive = 0.25
    loss: Annotated[Number, Field(ge=0)] = 0.02


class OnAlert(Section):
    """Who is told of new alerts.

    Attributes:
        command: A program with arguments, run without a shell; the alerts come as JSON on
            its standard input.
        webhook: An address that the same JSON is sent to by POST.
        retrain: Whether the recipe is run anew from its first step on.
    """

    command: str | tuple[str, ...] | None = None
    webhook: Annotated[str, Field(pattern=r"^https?://")] | None = None
    retrain: bool = False


class MonitorOutput(Model):
    """Where the tables of monitoring go.

    Attributes:
        using: ``delta`` for a folder, ``table`` for a schema of Spark's catalog.
        location: The folder, or the schema.
    """

    using: Literal["delta", "table"] = "delta"
    location: str = "monitoring"


class Monitor(Section):
    """Extension: how batches that were scored are compared with the training.

    Attributes:
        batches: Rows that were scored; the table that ``steps.predict`` writes if not given.
        features: A table with features by ``id_cols``, for what neither the rows nor the
            model's lookups give.
        labels: A table with the target by ``id_cols``, as far as it is known.
        time_col: The moment of a row.
        window: A period such as ``7d``; ``month`` or ``quarter`` of the calendar; ``batch``.
        since: The first moment that is looked at; else the newest window.
        until: Where to stop, and as of when labels are old enough; else now.
        history: So many windows before are looked at too, for the trend.
        label_delay: How long after its moment a row's label is final.
        min_rows: A window of fewer rows is not judged.
        min_events: Realised performance needs so many rows of each class.
        limits: From where on a difference matters.
        output: Where the tables of monitoring go.
        on_alert: Who is told.
        engine: ``local``, or ``spark`` to count on Spark.
    """

    batches: Ingest | None = None
    features: Ingest | None = None
    labels: Ingest | None = None
    time_col: str = "scored_at"
    window: Annotated[str, BeforeValidator(_window)] = "30d"
    since: Moment | None = None
    until: Moment | None = None
    history: Annotated[Whole, Field(ge=0, le=1_000)] = 11
    label_delay: Period | None = None
    min_rows: Annotated[Whole, Field(ge=20)] = 100
    min_events: Annotated[Whole, Field(ge=2)] = 30
    limits: Limits = Limits()
    output: MonitorOutput = MonitorOutput()
    on_alert: OnAlert = OnAlert()
    engine: Literal["local", "spark"] = "local"

    @property
    def delay(self) -> timedelta:
        """After how long a label is final."""
        return as_period(self.label_delay) if self.label_delay else timedelta(0)
