"""The split by time: limits, zones, nulls and columns that hold no times."""

import datetime as dt
from typing import Any

import pandas as pd
import pytest

from mlrecipes.errors import DataError
from mlrecipes.splits import SplitParts, split_frame
from mlrecipes.tasks import task_for
from tests.strategies import split_by

BERLIN = dt.timezone(dt.timedelta(hours=1))
LIMITS: dict[str, Any] = {
    "time_col": "at",
    "train_from": "2019-01-01",
    "validation_from": "2020-01-01",
    "test_from": "2021-01-01",
    "test_until": "2022-01-01",
}


def divide(at: pd.Series | list[object], **limits: Any) -> SplitParts:
    frame = pd.DataFrame({"at": at})
    frame["y"] = 1.0
    split = split_by("time", **(LIMITS | limits))
    return split_frame(frame, split, target_col="y", task=task_for("regression/v1"), seed=1)


def sizes(parts: SplitParts) -> list[int]:
    return [len(part) for part in parts.named().values()]


def test_each_limit_belongs_to_the_part_on_its_right() -> None:
    at = pd.to_datetime(["2019-01-01", "2019-12-31", "2020-01-01", "2021-01-01"])
    parts = divide(pd.Series(at))
    assert sizes(parts) == [2, 1, 1]
    assert parts.n_dropped == {}


def test_rows_outside_the_window_and_without_a_time_are_dropped_and_counted() -> None:
    at = pd.to_datetime(["2018-12-31", "2019-06-01", None, "2022-01-01", "2025-01-01"])
    parts = divide(pd.Series(at))
    assert sizes(parts) == [1, 0, 0]
    assert parts.n_dropped == {
        "at is null": 1,
        "at before train_from 2019-01-01": 1,
        "at from test_until 2022-01-01 on": 2,
    }


def test_the_outer_limits_may_be_left_out() -> None:
    at = pd.Series(pd.to_datetime(["1970-01-01", "2020-06-01", "2100-01-01"]))
    assert sizes(divide(at, train_from=None, test_until=None)) == [1, 1, 1]


def test_a_column_of_dates_will_do() -> None:
    at = [dt.date(2019, 5, 1), dt.date(2020, 1, 1), None, dt.date(2021, 1, 1)]
    parts = divide(pd.Series(at, dtype=object))
    assert sizes(parts) == [1, 1, 1]
    assert parts.training["at"].tolist() == [dt.date(2019, 5, 1)]


def test_limits_may_be_dates_or_times() -> None:
    at = pd.Series(pd.to_datetime(["2019-12-31 00:00", "2021-01-01 11:00", "2021-01-01 12:00"]))
    parts = divide(at, validation_from=dt.date(2020, 1, 1), test_from="2021-01-01 12:00")
    assert sizes(parts) == [1, 1, 1]


def test_a_limit_without_a_zone_is_read_in_that_of_the_column() -> None:
    """Midnight in Berlin is 23:00 UTC of the day before."""
    at = pd.Series(pd.to_datetime(["2019-12-31 22:59", "2019-12-31 23:00"], utc=True))
    assert sizes(divide(at.dt.tz_convert("Europe/Berlin"))) == [1, 1, 0]


def test_a_limit_with_a_zone_is_compared_as_a_moment() -> None:
    at = pd.Series(pd.to_datetime(["2019-12-31 22:59", "2019-12-31 23:00"], utc=True))
    assert sizes(divide(at, validation_from=dt.datetime(2020, 1, 1, tzinfo=BERLIN))) == [1, 1, 0]


def test_objects_with_a_zone_will_do() -> None:
    at = [dt.datetime(2019, 5, 1, tzinfo=dt.UTC), None, dt.datetime(2020, 5, 1, tzinfo=dt.UTC)]
    assert sizes(divide(pd.Series(at, dtype=object))) == [1, 1, 0]


def test_a_limit_with_a_zone_does_not_fit_times_without() -> None:
    with pytest.raises(DataError, match=r"test_from is .*, with a time zone, .*'at' have none"):
        divide(
            pd.Series(pd.to_datetime(["2020-01-01"])),
            test_from=dt.datetime(2021, 1, 1, tzinfo=BERLIN),
        )


def test_objects_with_and_without_a_zone_are_an_error() -> None:
    at = [dt.datetime(2019, 5, 1, tzinfo=dt.UTC), pd.Timestamp(2019, 5, 1)]
    with pytest.raises(DataError, match="holds times with and without a time zone"):
        divide(pd.Series(at, dtype=object))


@pytest.mark.parametrize(
    "values", [["2019-01-01", "01.02.2020"], [2019, 2020], [dt.date(2019, 1, 1), "2020"]]
)
def test_a_column_that_holds_no_times_is_an_error_that_says_how_to_parse(
    values: list[object],
) -> None:
    with pytest.raises(DataError, match=r"no dates.\n.*frame\['at'\] = pandas.to_datetime"):
        divide(values)


@pytest.mark.parametrize("dtype", ["timestamp[us][pyarrow]", "date32[pyarrow]"])
def test_times_of_arrow_will_do(dtype: str) -> None:
    at = pd.Series(pd.to_datetime(["2019-06-01", None, "2021-06-01"])).astype(dtype)
    assert sizes(divide(at)) == [1, 0, 1]
