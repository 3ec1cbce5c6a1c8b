"""What a model says of the rows that it takes and gives: its signature and its input example."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ParamSchema, Schema

__all__ = ["ARTIFACT", "as_request", "signature_of"]

ARTIFACT = "model_path"
"""The name under which the scoring script finds the parts of its model."""


def signature_of(parts: Path, settings: Mapping[str, Any], rows: pd.DataFrame) -> ModelSignature:
    """The types of the columns and of what the scoring script really answers for them.

    Not MLflow's own inference: it takes a column with a gap in five rows for one that may be
    left out, and refuses rows whose columns are narrower or wider than those it saw.

    Args:
        parts: Folder with the pipeline and its columns.
        settings: Of the model, as the scoring script reads them.
        rows: Some raw rows.
    """
    from mlflow.models import ModelSignature
    from mlflow.pyfunc.model import PythonModelContext

    from mlrecipes.stores.scoring_model import RecipeModel

    context = PythonModelContext(  # type: ignore[no-untyped-call]
        {ARTIFACT: str(parts)}, dict(settings)
    )
    model = RecipeModel()
    model.load_context(context)
    # MLflow reads a null flag in a request as False; told to take anything, it leaves it null.
    flags = [name for name, dtype in rows.dtypes.items() if dtype.kind == "b"]
    inputs = _schema(rows.astype(dict.fromkeys(flags, object)))
    return ModelSignature(inputs, _schema(model.predict(None, rows)), _params())


def _params() -> ParamSchema:
    """What a caller may ask for beside the answer, see ``scoring_model.py``."""
    from mlflow.types import ParamSchema, ParamSpec

    is_table = ParamSpec("as_table", "boolean", default=False)
    return ParamSchema([is_table, ParamSpec("reason_codes", "long", default=0)])


def _schema(values: Any) -> Schema:
    import pandas as pd
    from mlflow.types import ColSpec, Schema

    if isinstance(values, pd.DataFrame):
        return Schema([ColSpec(_type(column), str(name)) for name, column in values.items()])
    return Schema([ColSpec(_type(pd.Series(values)))])


def _type(values: pd.Series) -> Any:
    """MLflow's type of a column: the one that refuses the least and rounds nothing.

    Whole numbers are ``long`` and not ``double``: a frame with int64 is refused for a
    ``double``, and that is how nearly all rows come. Where MLflow would refuse the very
    rows the model was fitted on, such as categories, it is told to take anything.
    """
    import numpy as np
    import pandas as pd
    from mlflow.types.schema import AnyType, DataType

    anything = AnyType()  # type: ignore[no-untyped-call]
    dtype = values.dtype
    if isinstance(dtype, pd.StringDtype):
        return DataType.string
    if not isinstance(dtype, np.dtype) or dtype == np.uint64:
        return anything
    if dtype.kind == "O":
        is_text = values.dropna().map(lambda value: isinstance(value, str)).all()
        return DataType.string if is_text else anything
    known = {
        "b": DataType.boolean,
        "i": DataType.long,
        "u": DataType.long,
        "f": DataType.double,
        "M": DataType.datetime,
        "U": DataType.string,
    }
    return known.get(dtype.kind, anything)


def as_request(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as a request in JSON can hold them."""
    import pandas as pd

    dtypes = rows.dtypes.items()
    spans = {name: str for name, dtype in dtypes if pd.api.types.is_timedelta64_dtype(dtype)}
    nullable = [
        name
        for name, dtype in rows.dtypes.items()
        if pd.api.types.is_extension_array_dtype(dtype)
        and not isinstance(dtype, pd.StringDtype | pd.CategoricalDtype | pd.DatetimeTZDtype)
    ]
    plain = {n: rows[n].astype(object).where(rows[n].notna(), None) for n in nullable}
    return rows.astype(spans).assign(**plain)
