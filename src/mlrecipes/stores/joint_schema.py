"""The types that the columns of several files have when they become one table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import StoreError, few, shorten
from mlrecipes.stores.frame_writer import schema_of

if TYPE_CHECKING:
    import pandas as pd

    from mlrecipes.stores.parts import Part

__all__ = ["as_type", "joint_schema", "with_timestamps"]

INDEX = "__index_level_0__"
"""What Arrow calls the column of an index that has no name."""
GAPPED = {"i": "Int", "u": "UInt", "f": "Float", "b": "boolean"}
"""What pandas' own types with gaps are called, by the kind of numpy's."""
ONE_TYPE = "Mend the files, or read them with a loader_method that gives one type."


def joint_schema(parts: Sequence[Part]) -> tuple[Any, str | None]:
    """Find the schema of all parts' rows, and the column that their joint index goes to.

    Returns:
        Arrow's schema; and the column's name, or None if all have the same index columns.

    Raises:
        StoreError: A column is missing in a part, or has no type in common; or their
            indexes have different levels.
    """
    import pyarrow as pa

    first = parts[0]
    for part in parts[1:]:
        different = sorted(set(first.like.columns) ^ set(part.like.columns))
        if different:
            raise StoreError(
                f"{first.name} and {part.name} have different columns: {few(different)} "
                "is in one of them only.",
                hint="Give all files the same columns, or read them with a loader_method.",
            )
    types = {name: _joint_type(name, parts) for name in first.like.columns}
    frame = pa.schema([*types.items()]).empty_table().to_pandas()
    for name in frame:
        frame[name] = frame[name].astype(_pandas_type(name, parts, frame[name].dtype))
    has_same = bool(first.index) and all(part.index == first.index for part in parts)
    indexes = _same_index(parts) if has_same else _one_index(parts, frame)
    frame.index = _empty_index(indexes, first.like.index.names if has_same else _name(parts))
    metadata = schema_of(frame).metadata
    schema = pa.schema([*types.items(), *indexes.items()], metadata=metadata)
    return schema, None if has_same else next(iter(indexes))


def as_type(values: Any, kind: Any) -> Any:
    """A column in a type that holds all its values."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if values.type == kind:
        return values
    if pc.all(pc.is_null(values, nan_is_null=True)).as_py() is not False:
        return pa.chunked_array([pa.nulls(len(values), kind)])
    return values.cast(kind, safe=not pa.types.is_floating(kind))


def with_timestamps(schema: Any) -> Any:
    """The schema with timestamps for dates, which pandas would hold as objects."""
    import pyarrow as pa

    dates = [field.name for field in schema if pa.types.is_date(field.type)]
    for name in dates:
        place = schema.get_field_index(name)
        schema = schema.set(place, schema.field(place).with_type(pa.timestamp("ms")))
    described = schema.pandas_metadata
    if not dates or not described:
        return schema
    for column in described["columns"]:
        if column["field_name"] in dates:
            column |= {"pandas_type": "datetime", "numpy_type": "datetime64[ms]"}
    return schema.with_metadata(schema.metadata | {b"pandas": json.dumps(described).encode()})


# ---- columns -----------------------------------------------------------------------------------


def _joint_type(name: str, parts: Sequence[Part]) -> Any:
    """The type of a column; one without any value takes the type it has in the other files."""
    import pyarrow as pa

    kinds = [part.schema.field(name).type for part in parts]
    if all(kind == kinds[0] for kind in kinds):
        return _with_large_codes(kinds[0])
    filled = [part for part in parts if part.has_values(name)]
    if not filled:
        return next((kind for kind in kinds if not pa.types.is_null(kind)), kinds[0])
    _refuse_text_beside_numbers(name, filled)
    joint = filled[0].schema.field(name)
    for part in filled[1:]:
        field = part.schema.field(name)
        try:
            both = [pa.schema([joint]), pa.schema([field])]
            joint = pa.unify_schemas(both, promote_options="permissive").field(0)
        except pa.ArrowException as error:
            number = _number_beside_booleans(joint.type, field.type)
            if number is None:
                raise _different(name, filled[0], part) from error
            joint = joint.with_type(number)
    return _with_large_codes(joint.type)


def _number_beside_booleans(*kinds: Any) -> Any | None:
    """Booleans become 0 and 1 where other files hold numbers."""
    import pyarrow as pa

    is_number = (pa.types.is_integer, pa.types.is_floating)
    numbers = [kind for kind in kinds if any(fits(kind) for fits in is_number)]
    has_booleans = any(pa.types.is_boolean(kind) for kind in kinds)
    return numbers[0] if numbers and has_booleans else None


def _pandas_type(name: str, parts: Sequence[Part], joint: Any) -> Any:
    """The type in pandas: that of all parts, or one with gaps if a part has such a type."""
    import numpy as np
    import pandas as pd

    dtypes = [part.like.dtypes[name] for part in parts]
    if all(dtype == dtypes[0] for dtype in dtypes):
        return dtypes[0]
    has_gaps = any(isinstance(getattr(dtype, "numpy_dtype", None), np.dtype) for dtype in dtypes)
    if not has_gaps or not isinstance(joint, np.dtype) or joint.kind not in GAPPED:
        return joint
    bits = "" if joint.kind == "b" else 8 * joint.itemsize
    return pd.api.types.pandas_dtype(f"{GAPPED[joint.kind]}{bits}")


def _refuse_text_beside_numbers(name: str, filled: Sequence[Part]) -> None:
    import pandas as pd

    texts = [part for part in filled if pd.api.types.is_string_dtype(part.like.dtypes[name])]
    others = [part for part in filled if part not in texts]
    if texts and others:
        raise StoreError(
            f"'{shorten(name)}' is text in {texts[0].name} and {others[0].like.dtypes[name]} in "
            f"{others[0].name}.",
            hint=ONE_TYPE,
        )


def _different(name: str, one: Part, other: Part) -> StoreError:
    return StoreError(
        f"'{shorten(name)}' is {one.schema.field(name).type} in {one.name} and "
        f"{other.schema.field(name).type} in {other.name}.",
        hint=ONE_TYPE,
    )


def _with_large_codes(kind: Any) -> Any:
    """The categories of all files may be more than a small number can count."""
    import pyarrow as pa

    if not pa.types.is_dictionary(kind):
        return kind
    return pa.dictionary(pa.int32(), kind.value_type, kind.ordered)


# ---- the index -----------------------------------------------------------------------------------


def _same_index(parts: Sequence[Part]) -> dict[str, Any]:
    return {name: _joint_type(name, parts) for name in parts[0].index}


def _one_index(parts: Sequence[Part], frame: pd.DataFrame) -> dict[str, Any]:
    """The column for indexes of one level, be they numbers or columns of their files.

    Raises:
        StoreError: An index has several levels, or they have different types.
    """
    import pyarrow as pa

    kinds = [part.schema.field(part.index[0]).type if part.index else pa.int64() for part in parts]
    if any(len(part.index) > 1 for part in parts) or any(kind != kinds[0] for kind in kinds):
        raise StoreError(
            f"The rows of {parts[0].name} and of the other files have different indexes.",
            hint="Write the files anew without: frame.to_parquet(path, index=False)",
        )
    (name,) = _name(parts)
    return {name if isinstance(name, str) and name not in frame.columns else INDEX: kinds[0]}


def _name(parts: Sequence[Part]) -> list[Any]:
    """The name of an index of one level, if all files agree on it."""
    names = {part.like.index.name for part in parts}
    return [names.pop() if len(names) == 1 else None]


def _empty_index(levels: Mapping[str, Any], names: Sequence[Any]) -> pd.Index:
    import pandas as pd
    import pyarrow as pa

    columns = pa.schema([*levels.items()]).empty_table().to_pandas()
    index = pd.MultiIndex.from_frame(columns) if len(levels) > 1 else pd.Index(columns.iloc[:, 0])
    return index.set_names(list(names))
