"""What MLflow takes: names, values and tables, made to fit its limits."""

from __future__ import annotations

import hashlib
import json
import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlrecipes.ports import DatasetInput

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput as LoggedInput

__all__ = ["batches", "cut", "logged_input", "plain_name", "safe_name", "split_finite"]

MAX_NAME_LENGTH = 250
MAX_PARAM_LENGTH = 6000
MAX_TAG_LENGTH = 8000
MAX_BATCH = 100
N_SAMPLED_ROWS = 2000
DIGEST_LENGTH = 16

ESCAPED = re.compile(r"_x([0-9a-f]*)_")
REFUSED = re.compile(r"[^/\w.\- ]")


def safe_name(name: str) -> str:
    """Spell a name so that MLflow takes it; :func:`plain_name` gives it back.

    A character that MLflow refuses becomes ``_x<code>_``. Names of more than 250 characters
    are cut and end in a digest: these cannot be turned back.

    >>> safe_name("recall@5")
    'recall_x40_5'
    >>> safe_name("val_roc_auc")
    'val_roc_auc'
    """
    safe = ESCAPED.sub(lambda match: f"_x5f_{match[0][1:]}", name)
    safe = REFUSED.sub(_escape, safe)
    parts = safe.split("/")
    if len(parts) > 1 and any(part in {"", ".", ".."} for part in parts):
        safe = safe.replace("/", _escape("/"))
    if safe == "." or safe.startswith(".."):
        safe = safe.replace(".", _escape("."))
    safe = safe or "_x_"
    if len(safe) <= MAX_NAME_LENGTH:
        return safe
    digest = hashlib.sha256(safe.encode()).hexdigest()[:8]
    return f"{safe[: MAX_NAME_LENGTH - 9]}-{digest}"


def plain_name(name: str) -> str:
    """The name behind one that :func:`safe_name` made.

    >>> plain_name("recall_x40_5")
    'recall@5'
    """
    return ESCAPED.sub(lambda match: chr(int(match[1], 16)) if match[1] else "", name)


def _escape(char: re.Match[str] | str) -> str:
    return f"_x{ord(char if isinstance(char, str) else char[0]):x}_"


def cut(value: object, limit: int) -> str:
    """Show a value in at most ``limit`` characters, with a mark where it was cut.

    >>> cut("x" * 100, 40)
    'xxxxxxxxxxxxxxx… (cut of 100 characters)'
    """
    text = str(value)
    if len(text) <= limit:
        return text
    mark = f"… (cut of {len(text)} characters)"
    return text[: limit - len(mark)] + mark


def split_finite(metrics: Mapping[str, float]) -> tuple[dict[str, float], dict[str, str]]:
    """Part metrics from those that are not finite, which become tags.

    MLflow would keep an infinity as the largest float there is.

    >>> split_finite({"a": 1.0, "b": float("nan")})
    ({'a': 1.0}, {'nonfinite.b': 'nan'})
    """
    values = {safe_name(name): float(value) for name, value in sorted(metrics.items())}
    finite = {name: value for name, value in values.items() if math.isfinite(value)}
    tags = {f"nonfinite.{n}": str(v) for n, v in values.items() if not math.isfinite(v)}
    return finite, tags


def batches(items: Sequence[Any], size: int = MAX_BATCH) -> Iterator[Sequence[Any]]:
    """Cut a sequence into pieces of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


# ---- tables ------------------------------------------------------------------------------


def logged_input(dataset: DatasetInput) -> LoggedInput:
    """Describe a table for MLflow: name, digest, schema, number of rows and where it is from.

    Digest and schema come from a sample of the rows, since MLflow's own way takes minutes on
    a wide table. The digest tells tables apart; it is no proof that two are equal.
    """
    from mlflow.entities import Dataset, InputTag
    from mlflow.entities import DatasetInput as Logged

    sample = _sample(dataset.frame)
    with warnings.catch_warnings():
        # Advice about whole numbers with gaps, and about sources that several readers take.
        warnings.simplefilter("ignore")
        from mlflow.data.pandas_dataset import from_pandas

        described = from_pandas(
            sample,
            source=dataset.source,
            targets=dataset.target_col,
            name=dataset.name,
            digest=frame_digest(dataset.frame),
        )
        schema = described.to_dict()["schema"]
    n_rows, n_columns = dataset.frame.shape
    entity = Dataset(
        name=described.name,
        digest=described.digest,
        source_type=described.source._get_source_type(),
        source=described.source.to_json(),
        schema=schema,
        profile=json.dumps({"num_rows": n_rows, "num_elements": n_rows * n_columns}),
    )
    return Logged(entity, [InputTag("mlflow.data.context", dataset.context)])


def frame_digest(frame: Any) -> str:
    """A short digest of a frame's shape, columns and types and of rows spread over it."""
    import pandas as pd

    digest = hashlib.sha256(repr(frame.shape).encode())
    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        digest.update(f"{name}\0{dtype}\0".encode())
    sample = _sample(frame)
    try:
        hashes = pd.util.hash_pandas_object(sample, index=False)
    except TypeError:
        # Cells that cannot be hashed, such as lists.
        hashes = pd.util.hash_pandas_object(sample.astype(str), index=False)
    digest.update(hashes.to_numpy().tobytes())
    return digest.hexdigest()[:DIGEST_LENGTH]


def _sample(frame: Any) -> Any:
    return frame.iloc[:: max(1, math.ceil(len(frame) / N_SAMPLED_ROWS))]
