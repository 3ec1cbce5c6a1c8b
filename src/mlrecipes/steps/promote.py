"""promote: compare challenger and champion on the same rows, and let the better one serve."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlrecipes.checks.promotion import Outcome
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import GateRejected
from mlrecipes.records import ArtifactKind, ArtifactSpec, StepResult, to_json
from mlrecipes.steps._contract import Context, Step
from mlrecipes.steps._deciding import Decided, Request, decide_on
from mlrecipes.steps._features import common_settings
from mlrecipes.steps._paired import slice_settings
from mlrecipes.steps._scoreboard import sections, sentence
from mlrecipes.steps._scores import custom_metric_functions, metric_settings
from mlrecipes.steps._slices import shown

__all__ = ["STEP", "step_for"]

KEY = "steps.promote"


@dataclass(frozen=True, slots=True)
class Inputs:
    """The version that register made, its run, and the rows that its model was tested on."""

    run: Mapping[str, str]
    registered_model_version: Mapping[str, str]
    test_data: Any


@dataclass(frozen=True, slots=True)
class InputsOfRows:
    """A version that is named needs the rows only."""

    test_data: Any


@dataclass(frozen=True, slots=True)
class NoInputs:
    """Nor does it need them where a reference is named, or there are none here."""


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the models and the ledger."""
    promote = config.steps.promote
    return {
        KEY: promote.model_dump(mode="json") if promote else None,
        "model_registry": config.model_registry.model_dump(mode="json"),
        "slices": slice_settings(config),
        "seed": config.seed,
        **metric_settings(config),
        **common_settings(config),
    }


def run(inputs: Inputs, context: Context) -> StepResult:
    """Decide on the version that register made; the card goes beside its model."""
    version = inputs.registered_model_version["registered_model_version"]
    result = _decide(Request(version), inputs.test_data, context)
    return dataclasses.replace(result, run_id=inputs.run["run_id"])


def step_for(request: Request, *, has_rows: bool) -> Step:
    """The step for a version that somebody names.

    Args:
        request: What to decide on.
        has_rows: Whether there is a test part to be read.
    """

    def run_it(inputs: InputsOfRows | NoInputs, context: Context) -> StepResult:
        test_data = inputs.test_data if isinstance(inputs, InputsOfRows) else None
        return _decide(request, test_data, context)

    kind = InputsOfRows if has_rows else NoInputs
    return dataclasses.replace(STEP, inputs=kind, run=run_it)


def _decide(request: Request, test_data: Any, context: Context) -> StepResult:
    """Decide, carry it out, and end the run where the recipe asks for that.

    Raises:
        GateRejected: The version is blocked, or it is not promoted and must be.
    """
    decided = decide_on(request, test_data, context)
    for note in decided.notes:
        warnings.warn(note, stacklevel=2)
    shown = sections(decided, context)
    _obey(decided, shown, context)
    return StepResult(
        outputs={"promotion": _as_json(decided, context)},
        sections=shown,
        summary=sentence(decided),
        sources=decided.rows.sources if decided.rows is not None else (),
    )


def _obey(decided: Decided, shown: Any, context: Context) -> None:
    verdict, promote = decided.verdict, context.config.steps.promote
    if verdict is None or decided.moved:
        return
    is_required = promote is not None and promote.required
    if verdict.outcome is not Outcome.BLOCKED and not is_required:
        return
    lines = [f"promote: {_stays(decided)}. Nothing was changed."]
    lines += [f"  {verdict.outcome}: {reason}" for reason in verdict.reasons]
    raise GateRejected(
        "\n".join(lines),
        hint="Look: mlrecipes inspect promote\n"
        f"  Accept anyway (logged): mlrecipes promote --version {decided.version} "
        '--override "reason"',
        sections=shown,
    )


def _stays(decided: Decided) -> str:
    champion = decided.standing.champion
    stays = f"champion stays version {champion}" if champion else "there is no champion"
    return f"version {decided.version} is not promoted, {stays}"


def _as_json(decided: Decided, context: Context) -> dict[str, Any]:
    """The decision as plain data, without what JSON cannot say."""
    verdict, entry, compared, rows = (
        decided.verdict,
        decided.entry,
        decided.compared,
        decided.rows,
    )
    return {
        "outcome": str(verdict.outcome) if verdict else "champion",
        "reasons": list(verdict.reasons) if verdict else [],
        "needed": verdict.needed if verdict else "",
        "model": context.config.effective_model_name,
        "version": decided.version,
        "champion_before": decided.standing.champion,
        "champion": decided.version if decided.moved else decided.standing.champion,
        "move": str(entry.move) if entry else None,
        "ledger_row": entry.number if entry else None,
        "who": entry.who if entry else None,
        "at_utc": entry.at_utc if entry else None,
        "metrics": [_finite(to_json(one)) for one in compared.differences] if compared else [],
        "slices": [
            {"slice": one.name, "n_rows": one.n_rows, **_finite(to_json(one.difference))}
            for one in compared.slices
        ]
        if compared
        else [],
        "data_digest": rows.digest if rows else None,
        "n_rows": len(rows) if rows else 0,
        "rows_from": rows.origin if rows else None,
        "notes": list(decided.notes),
    }


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """JSON knows no NaN: what is not finite is kept as null."""
    return {
        name: shown(value) if isinstance(value, float) else value for name, value in values.items()
    }


STEP = Step(
    name="promote",
    inputs=Inputs,
    writes=(ArtifactSpec("promotion", ArtifactKind.JSON),),
    version=1,
    settings=settings,
    user_functions=custom_metric_functions,
    run=run,
    libraries=("pandas", "scikit-learn", "numpy"),
    restorable=False,
    needs_tracking=True,
)
