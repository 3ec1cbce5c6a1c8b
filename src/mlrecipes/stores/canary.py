"""Rows kept in a model with what was said of them in training: does it still answer so?

A model that was copied, loaded with other libraries or tampered with may answer differently
without any error. The rows are those of the input example, so no more data leave with it.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import StoreError, shorten
from mlrecipes.stores.frame_writer import write_frame
from mlrecipes.stores.frames import read_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_canary", "write_canary"]

FOLDER = Path("artifacts") / "sk_model"
ROWS = "canary.parquet"
ANSWER = "canary.json"
LIBRARIES = ("mlflow", "scikit-learn", "lightgbm", "numpy", "pandas", "cloudpickle")
TOLERANCE = 1e-9
"""Relative: the last digits of a sum may differ between two machines."""


def write_canary(
    folder: Path, pipeline: Any, settings: Mapping[str, Any], rows: pd.DataFrame
) -> None:
    """Keep rows, and what the fitted pipeline says of them, before it is pickled or copied.

    Args:
        folder: With the parts of the model.
        pipeline: As fitted.
        settings: Of the model, as the scoring script reads them.
        rows: Some raw rows; those that Parquet has no types for are not kept.
    """
    from mlrecipes.stores.scoring_model import RecipeModel

    model = RecipeModel()
    model.hold(pipeline, rows.dtypes, settings)
    said = model.predict(None, rows, {"as_table": True})
    try:
        write_frame(folder / ROWS, rows.reset_index(drop=True))
    except StoreError:
        (folder / ROWS).unlink(missing_ok=True)
        return
    answer = {str(name): [_plain(value) for value in said[name]] for name in said}
    text = json.dumps({"answer": answer, "libraries": _libraries()}, indent=1, sort_keys=True)
    (folder / ANSWER).write_text(text, encoding="utf-8")


def check_canary(path: Path, model: Any, called: str) -> int:
    """Score the kept rows again and compare.

    Numbers may differ by a relative 1e-9, all else must be equal.

    Args:
        path: The model's folder.
        model: What python_function loaded from it, as MLflow unwraps it.
        called: What messages call the model.

    Returns:
        How many rows were compared; 0 for a model without such rows.

    Raises:
        StoreError: An answer differs, or the model cannot answer at all.
    """
    kept = path / FOLDER / ANSWER
    if not kept.is_file():
        return 0
    expected = json.loads(kept.read_text(encoding="utf-8"))
    rows = read_frame(path / FOLDER / ROWS)
    try:
        said = model.predict(None, rows, {"as_table": True})
    except Exception as error:
        raise _differs(called, expected, f"{type(error).__name__}: {error}") from error
    for name, before in expected["answer"].items():
        now = [_plain(value) for value in said[name]] if name in said else []
        for number, (old, new) in enumerate(zip(before, now, strict=False), 1):
            if not _is_same(old, new):
                what = f"of row {number} it says {name} {shorten(new)}, not {shorten(old)}"
                raise _differs(called, expected, what)
        if len(before) != len(now):
            raise _differs(called, expected, f"it gives no {name}")
    return len(rows)


def _is_same(old: Any, new: Any) -> bool:
    if isinstance(old, int | float) and isinstance(new, int | float):
        both_missing = math.isnan(old) and math.isnan(new)
        return both_missing or math.isclose(old, new, rel_tol=TOLERANCE)
    return bool(old == new)


def _differs(called: str, expected: Mapping[str, Any], what: str) -> StoreError:
    before, now = expected["libraries"], _libraries()
    changed = [
        f"{name} {before.get(name, 'none')} then, {now.get(name, 'none')} now"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]
    versions = "; ".join(changed) or "all libraries are as they were, so a file of it was changed"
    return StoreError(
        f"{called} does not answer as when it was trained: {shorten(what, limit=200)}. {versions}.",
        hint="Install the model's requirements.txt, or train it again: mlrecipes run --from train",
    )


def _libraries() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _plain(value: Any) -> Any:
    plain = value.item() if hasattr(value, "item") else value
    return plain if plain is None or isinstance(plain, str | int | float) else str(value)
