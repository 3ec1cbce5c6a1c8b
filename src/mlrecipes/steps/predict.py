"""predict: score the rows with the champion, and add them to the table of predictions once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlrecipes.checks.profile import preview_table, profile_frame
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import DataError, StoreError
from mlrecipes.ports import DatasetInput
from mlrecipes.records import ArtifactKind, ArtifactSpec, Facts, Profile, Section, StepResult
from mlrecipes.scoring_ports import Batch, BatchModel, PredictionTable, ScoreRequest
from mlrecipes.steps._contract import Context, Step, UserFunction
from mlrecipes.steps._quality import (
    Doors,
    TableAtDoor,
    open_doors,
    predictions_suite,
    scoring_suite,
)
from mlrecipes.steps._recording import run_tags
from mlrecipes.steps._scoring import Prepared, contract_section, prepare_rows, settings_of

__all__ = ["STEP"]

KEY = "steps.predict"
SCORED = "scored_data"
QUALITY = "scoring_data_quality"
ID_LENGTH = 16
N_RECORDED = 1_000
SCORES = ("prediction", "probability")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The file with the rows to score; it may be larger than memory."""

    ingested_scoring_data: Path


@dataclass(frozen=True, slots=True)
class _Scored:
    """What became of a batch: written now, there before, or left out as asked."""

    batch: Batch
    n_rows: int
    became: str
    run_id: str | None = None


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the rows and the model that the address means now."""
    section = config.steps.predict
    return {
        KEY: {} if section is None else section.model_dump(mode="json"),
        "model": config.effective_scoring_uri,
        "feature_store": config.feature_store.model_dump(),
    }


def user_functions(config: RecipeConfig) -> tuple[UserFunction, ...]:
    """Predict calls no function of the user; the model brings its own."""
    return ()


def run(inputs: Inputs, context: Context) -> StepResult:
    """Load the model, hold the rows against it, score them and write them once."""
    asked = settings_of(context)
    table = context.ports.scoring.table(asked.output.using, asked.output.location)
    if asked.save_mode in {"default", "error", "errorifexists"} and table.exists():
        raise StoreError(
            f"{context.where(f'{KEY}.save_mode')}: {table.place} is already populated, "
            f"and save_mode is {asked.save_mode}. Nothing was scored.",
            hint="Use save_mode: append, or another location.",
        )
    model = context.ports.scoring.load(_model_uri(context), context.staging / "model")
    prepared = prepare_rows(inputs.ingested_scoring_data, model, context)
    doors = _let_rows_in(prepared, model, context)
    batch = _batch(prepared, model, context)
    path = context.staging / f"{SCORED}.parquet"
    scored = _score_once(table, batch, model, prepared, doors)
    doors.tell()
    stored = context.ports.reader.stored(path)
    profile = profile_frame(stored.columns([name for name in SCORES if name in stored.dtypes]))
    if scored.run_id is not None:
        _record(scored, profile, table, model, context)
    facts = _facts(scored, model, table, prepared)
    sections = [
        Section("Batch", (Facts(tuple(facts.items())),)),
        contract_section(prepared, model),
        *doors.sections,
    ]
    if not asked.skip_data_profiling:
        sections.append(Section("Predictions", (profile,)))
    sections.append(Section("Data Preview", (preview_table(stored),)))
    return StepResult(
        outputs={SCORED: path, "scored_batch": facts, QUALITY: doors.facts},
        sections=tuple(sections),
        summary=f"{scored.n_rows:,} rows by {model.identity.label}, {scored.became}",
        run_id=scored.run_id,
    )


def _model_uri(context: Context) -> str:
    uri = context.config.effective_scoring_uri
    if uri is None:
        raise DataError(
            f"{context.where(KEY)}: no model is named.",
            hint="Set steps.predict.model_uri or model_registry.model_name.",
        )
    return uri


def _let_rows_in(prepared: Prepared, model: BatchModel, context: Context) -> Doors:
    """Hold the rows with their features against what is expected, and against the training.

    Raises:
        GateRejected: They are not as expected; nothing was scored.
    """
    doors = open_doors(context, "predict")
    suite = scoring_suite(doors, model.training_profile, list(model.columns))
    doors.pass_through([TableAtDoor(suite, prepared.path)])
    return doors


def _batch(prepared: Prepared, model: BatchModel, context: Context) -> Batch:
    """Named by what is scored and by which model, unless the recipe gives it a name."""
    batch_id = settings_of(context).batch_id
    if batch_id is None:
        told = f"{context.ports.scoring.digest(prepared.path)} {model.identity.key}"
        batch_id = hashlib.sha256(told.encode()).hexdigest()[:ID_LENGTH]
    return Batch(batch_id, model.identity, datetime.now(UTC))


def _score_once(
    table: PredictionTable, batch: Batch, model: BatchModel, prepared: Prepared, doors: Doors
) -> _Scored:
    """Score unless the table has the batch; what is there already is taken from there.

    Raises:
        GateRejected: The predictions are not as expected; the table is as it was.
    """
    context = doors.context
    asked, path = settings_of(context), context.staging / f"{SCORED}.parquet"
    n_rows = context.ports.reader.stored(prepared.path).n_rows
    if asked.save_mode == "append" and table.has(batch):
        table.read(batch, path)
        return _Scored(batch, n_rows, f"already written to {table.place}")
    tags = run_tags(context) | {"mlflow.pipeline.step.name": "predict"}
    run = context.ports.tracker.start_run(tags)
    request = ScoreRequest(prepared.kept, asked.reason_codes, asked.engine)
    n_rows = model.score(prepared.path, path, batch, request)
    doors.pass_through([TableAtDoor(predictions_suite(doors, n_rows), path)])
    return _Scored(batch, n_rows, _write(table, path, batch, asked.save_mode), run.run_id)


def _write(table: PredictionTable, path: Path, batch: Batch, save_mode: str) -> str:
    if save_mode == "ignore" and table.exists():
        return f"not written: {table.place} is there and save_mode is ignore"
    if save_mode == "overwrite":
        table.overwrite(path, batch)
        return f"written to {table.place}"
    is_new = table.append(path, batch)
    return f"{'appended' if is_new else 'already written'} to {table.place}"


def _facts(
    scored: _Scored, model: BatchModel, table: PredictionTable, prepared: Prepared
) -> dict[str, Any]:
    """What became of the batch, for the card and for programs."""
    identity = model.identity
    return {
        "batch_id": scored.batch.batch_id,
        "rows": scored.n_rows,
        "became": scored.became,
        "place": table.place,
        "model": identity.uri,
        "model_name": identity.name,
        "model_version": identity.version,
        "model_run_id": identity.run_id,
        "scored_at": scored.batch.scored_at.isoformat(timespec="seconds"),
        "repeated_keys": prepared.n_repeated,
        "canary_rows": model.n_canaries,
        "predict_run_id": scored.run_id,
    }


def _record(
    scored: _Scored,
    profile: Profile,
    table: PredictionTable,
    model: BatchModel,
    context: Context,
) -> None:
    """Let the batch be found in MLflow: which model, which rows, what came out."""
    run_id, identity = scored.run_id or "", model.identity
    means = {c.name: c.mean for c in profile.columns if c.mean is not None}
    context.ports.tracker.log(
        run_id,
        params={
            "batch_id": scored.batch.batch_id,
            "model": identity.uri,
            "model_version": identity.version or "",
            "model_run_id": identity.run_id or "",
            "output": table.place,
        },
        metrics={"n_rows": scored.n_rows, **{f"mean_{name}": mean for name, mean in means.items()}},
        tags={"mlrecipes.batch": scored.became},
    )
    head = context.ports.reader.stored(context.staging / f"{SCORED}.parquet").head(N_RECORDED)
    rows = DatasetInput("scored_data", "scored", head, table.place)
    context.ports.tracker.log_inputs(run_id, [rows])


STEP = Step(
    name="predict",
    inputs=Inputs,
    writes=(
        ArtifactSpec(SCORED, ArtifactKind.FRAME),
        ArtifactSpec("scored_batch", ArtifactKind.JSON),
        ArtifactSpec(QUALITY, ArtifactKind.JSON),
    ),
    version=1,
    settings=settings,
    user_functions=user_functions,
    run=run,
    libraries=("pandas", "pyarrow", "mlflow"),
    restorable=False,
    needs_tracking=True,
    always_runs=True,
    reads_files=("ingested_scoring_data",),
)
