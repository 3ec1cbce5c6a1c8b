"""The settings of monitoring: periods, moments and limits that mean something."""

from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from mlrecipes.config.monitor_schema import Monitor, as_period


def test_a_section_without_keys_is_complete() -> None:
    monitor = Monitor.model_validate({})
    assert (monitor.window, monitor.time_col, monitor.delay) == ("30d", "scored_at", timedelta(0))
    assert (monitor.limits.psi, monitor.output.location) == (0.1, "monitoring")
    assert monitor.on_alert.command is None


def test_periods_are_hours_days_and_weeks() -> None:
    assert [as_period(text) for text in ("12h", "30d", "4w")] == [
        timedelta(hours=12),
        timedelta(days=30),
        timedelta(weeks=4),
    ]
    assert Monitor(label_delay="90d").delay == timedelta(days=90)


@pytest.mark.parametrize("window", ["month", "quarter", "batch", "7d"])
def test_windows_are_periods_or_words(window: str) -> None:
    assert Monitor(window=window).window == window


def test_moments_may_be_dates_of_yaml_or_text() -> None:
    assert Monitor.model_validate({"since": date(2026, 1, 2)}).since == "2026-01-02"
    assert Monitor(until="2026-01-02T03:00:00+01:00").until == "2026-01-02T03:00:00+01:00"


@pytest.mark.parametrize(
    ("key", "value", "match"),
    [
        ("window", "0d", "a period"),
        ("window", "7 years", "a period"),
        ("window", "quarters", "30d or 4w, or month, quarter or batch"),
        ("label_delay", "quarter", "a period"),
        ("since", "soon", "a date"),
        ("min_rows", 5, "greater than or equal to 20"),
        ("limits", {"psi": 0}, "greater than 0"),
        ("limits", {"false_alarms": 1}, "less than 1"),
        ("limits", {"sift": 1}, "Extra inputs"),
        ("on_alert", {"webhook": "ftp://x"}, "match pattern"),
        ("output", {"using": "parquet"}, "'delta' or 'table'"),
        ("windows", "30d", "Extra inputs"),
    ],
)
def test_what_means_nothing_is_refused(key: str, value: object, match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        Monitor.model_validate({key: value})
