"""Asking Spark's workers where the rows of a Parquet file go.

Each opens the file itself, so that values become what they become on this machine, and answers
with one small number a row. The function travels by value: workers need pandas and pyarrow, but
not this package.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlrecipes.errors import DataError, StoreError
from mlrecipes.split_ports import Assign, Assigned
from mlrecipes.stores.row_division import assign_group
from mlrecipes.stores.spark import open_session, spark_errors

__all__ = ["assign_on_spark"]

MAX_TASKS = 200
ANSWER = "number bigint, part binary, told string, problem string, hint string"
SHARED = (
    "Put the recipe's folder on a disk that Spark's workers share under the same path, such as a "
    "volume of Databricks; or use engine: local."
)


def assign_on_spark(
    path: Path, n_groups: int, columns: Sequence[str], assign: Assign
) -> Iterator[Assigned]:
    """Ask about each group of rows, in their order.

    Raises:
        DataError: The function says so.
        StoreError: Spark is not there, or its workers do not see this file.
    """
    import numpy as np

    session = open_session()
    work = _work(str(path.absolute()), path.stat().st_size, list(columns), assign)
    expected = 0
    with _by_value(), spark_errors("divide the rows on Spark"):
        groups = session.range(0, n_groups, 1, max(1, min(n_groups, MAX_TASKS)))
        for row in groups.mapInArrow(work, ANSWER).toLocalIterator():
            if row["problem"] == SHARED:
                raise StoreError(
                    f"steps.split.engine is spark, but Spark's workers do not see {path} as it is.",
                    hint=SHARED,
                )
            if row["problem"] is not None:
                raise DataError(row["problem"], hint=row["hint"])
            if row["number"] != expected:
                raise StoreError(
                    "Spark has not answered for each group of rows, once and in order."
                )
            expected += 1
            n_dropped, how = json.loads(row["told"])
            yield np.frombuffer(bytes(row["part"]), dtype=np.int8), n_dropped, how
    if expected != n_groups:
        raise StoreError(f"Spark has answered for {expected} of {n_groups} groups of rows.")


def _work(
    path: str, size_bytes: int, columns: Sequence[str], assign: Assign
) -> Callable[[Iterator[Any]], Iterator[Any]]:
    ask, problem_of, unseen = assign_group, DataError, SHARED

    def work(batches: Iterator[Any]) -> Iterator[Any]:
        import os

        import pyarrow

        is_seen = os.path.isfile(path) and os.path.getsize(path) == size_bytes  # noqa: PTH113, PTH202
        for batch in batches:
            for number in batch.column(0).to_pylist():
                answer = {"number": number, "part": b"", "told": "", "problem": None, "hint": None}
                if not is_seen:
                    answer["problem"] = unseen
                else:
                    try:
                        part, n_dropped, how = ask(path, number, columns, assign)
                        answer |= {"part": part.tobytes(), "told": json.dumps([n_dropped, how])}
                    except problem_of as error:
                        answer |= {"problem": error.message, "hint": error.hint}
                kinds = [
                    *(pyarrow.int64(), pyarrow.binary()),
                    *(pyarrow.string(), pyarrow.string(), pyarrow.string()),
                ]
                yield pyarrow.RecordBatch.from_arrays(
                    [pyarrow.array([v], k) for v, k in zip(answer.values(), kinds, strict=True)],
                    names=list(answer),
                )

    return work


@contextmanager
def _by_value() -> Iterator[None]:
    """Let functions of this package travel as they are, not as names to be imported."""
    from pyspark import cloudpickle

    pickling: Any = cloudpickle
    package = sys.modules[__name__.partition(".")[0]]
    pickling.register_pickle_by_value(package)
    try:
        yield
    finally:
        pickling.unregister_pickle_by_value(package)
