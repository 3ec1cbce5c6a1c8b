"""Columns to Arrow: numbers and coded strings become a table in the published order and types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from steps.home_credit.marginals import BoolArray, IntArray

ARROW_TYPES = {"int64": pa.int64(), "float64": pa.float64(), "str": pa.string()}
MISSING_CODE = -1


@dataclass(frozen=True)
class Coded:
    """A string column: codes into `values`, -1 where the value is missing."""

    codes: IntArray
    values: tuple[str, ...]

    def is_in(self, *wanted: str) -> BoolArray:
        """Rows whose value is one of `wanted`."""
        found = [code for code, value in enumerate(self.values) if value in wanted]
        return np.isin(self.codes, found)

    def but(self, where: BoolArray, value: str | None) -> Coded:
        """The same column with `value` (None: missing) on the rows of `where`."""
        values = self.values if value is None or value in self.values else (*self.values, value)
        code = MISSING_CODE if value is None else values.index(value)
        return Coded(np.where(where, code, self.codes), values)

    def at(self, rows: IntArray) -> Coded:
        """The column at the given rows."""
        return Coded(self.codes[rows], self.values)


Column = NDArray[np.generic] | Coded


def coded(codes: IntArray, values: Sequence[str | None]) -> Coded:
    """Make a column from codes; a value None stands for missing."""
    present = tuple(value for value in values if value is not None)
    places = [MISSING_CODE if value is None else present.index(value) for value in values]
    return Coded(np.asarray(places, dtype=np.int64)[codes], present)


def to_table(columns: Mapping[str, Column], types: Mapping[str, str]) -> pa.Table:
    """An Arrow table with exactly the columns of `types`, in their order; NaN becomes null."""
    arrays = [_to_array(columns[name], types[name]) for name in types]
    return pa.Table.from_arrays(arrays, schema=to_schema(types))


def to_schema(types: Mapping[str, str]) -> pa.Schema:
    """The Arrow schema of one table of the profile."""
    return pa.schema([(name, ARROW_TYPES[kind]) for name, kind in types.items()])


def _to_array(column: Column, kind: str) -> pa.Array:
    if isinstance(column, Coded):
        codes = pa.array(column.codes.astype(np.int32), mask=column.codes == MISSING_CODE)
        return pa.DictionaryArray.from_arrays(codes, pa.array(column.values)).cast(pa.string())
    if kind == "int64":
        return pa.array(np.rint(column.astype(np.float64)).astype(np.int64))
    return pa.array(column.astype(np.float64), from_pandas=True)
