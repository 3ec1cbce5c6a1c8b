"""What a command may ask of batch scoring, over what the recipe says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.config.predict_schema import Predict
from mlrecipes.config.step_schema import Ingest
from mlrecipes.errors import ConfigError, Problem
from mlrecipes.planning import Project

if TYPE_CHECKING:
    from mlrecipes.config.schema import Steps

__all__ = ["PredictOptions", "with_options"]

COMMAND_LINE = "mlrecipes predict"


@dataclass(frozen=True, slots=True)
class PredictOptions:
    """Empty values change nothing.

    Attributes:
        input: A file or folder with the rows to score, relative to the current directory.
        output: A folder, an address or, with ``using: table``, a table's name.
        model: ``models:/name@alias``, ``models:/name/version`` or ``runs:/id/path``.
        batch_id: Names the rows.
        reason_codes: How many reasons a row gets.
        engine: ``local`` or ``spark``.
    """

    input: str = ""
    output: str = ""
    model: str = ""
    batch_id: str = ""
    reason_codes: int | None = None
    engine: str = ""


def with_options(project: Project, options: PredictOptions) -> Project:
    """The project with a recipe that says what the options say.

    Raises:
        ConfigError: A value is none of those that are allowed; or neither recipe nor options
            say where rows come from and where predictions go.
    """
    steps = project.config.steps
    changed = {
        "ingest_scoring": _ingest(steps, options.input, project),
        "predict": _predict(steps, options, project),
    }
    config = project.config.model_copy(update={"steps": steps.model_copy(update=changed)})
    return replace(project, loaded=replace(project.loaded, config=config))


def _ingest(steps: Steps, path: str, project: Project) -> Ingest:
    section = steps.ingest_scoring
    if path:
        place = path if "://" in path else str(Path(path).expanduser().absolute())
        if section is not None and section.loader_method:
            update: dict[str, Any] = {
                "location": place,
                "location_method": None,
                "location_params": {},
                "filter": None,
            }
            return section.model_copy(update=update)
        # All its columns and rows: what the model looks up is left out, what it lacks is told.
        return Ingest(using="auto", location=place)
    if section is None or not section.has_location:
        what = "says not where the rows to score are."
        hint = f"Set its location, or pass {COMMAND_LINE} --input FILE."
        raise _wrong(project, "steps.ingest_scoring", what, hint)
    return section


def _predict(steps: Steps, options: PredictOptions, project: Project) -> Predict:
    from pydantic import ValidationError

    known: dict[str, Any] = {}
    if steps.predict is not None:
        known = steps.predict.model_dump(exclude_unset=True, by_alias=True)
    output: Mapping[str, Any] = known.get("output", {})
    if options.output:
        using = output.get("using", "delta")
        is_path = using != "table" and "://" not in options.output
        place = Path(options.output).expanduser().absolute() if is_path else options.output
        known |= {"output": {"using": using, "location": str(place)}}
        known.setdefault("save_mode", "append")
    if "output" not in known:
        what, hint = "is missing.", f"Say there where, or pass {COMMAND_LINE} --output FOLDER."
        raise _wrong(project, "steps.predict.output", what, hint)
    given = {
        "model_uri": options.model,
        "batch_id": options.batch_id,
        "reason_codes": options.reason_codes,
        "engine": options.engine,
    }
    known |= {name: value for name, value in given.items() if value not in {None, ""}}
    try:
        return Predict.model_validate(known)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise ConfigError([Problem(COMMAND_LINE, None, key, f"{first['msg']}.")]) from error


def _wrong(project: Project, key: str, what: str, hint: str) -> ConfigError:
    file, line = project.loaded.places.find(key)
    return ConfigError([Problem(file, line, key, what, hint)])
