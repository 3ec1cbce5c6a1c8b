"""One decision about one version: measure, decide, write it down, move the champion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlrecipes.checks.promotion import (
    Difference,
    Outcome,
    Rule,
    Verdict,
    decide,
    first_verdict,
)
from mlrecipes.config.promote_schema import Promote
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import DataError, StoreError, shorten
from mlrecipes.promotion_ledger import Ledger, Names, Standing
from mlrecipes.promotion_ports import PromotionRegistry, VersionFacts
from mlrecipes.promotion_records import TAG_PREFIX, Entry, Move, rolled_back
from mlrecipes.steps._contract import Context
from mlrecipes.steps._features import SPLIT_TAG, split_digest
from mlrecipes.steps._frozen_rows import (
    UNSTABLE,
    FrozenRows,
    Scored,
    frozen_rows,
    score,
)
from mlrecipes.steps._paired import Compared, compare
from mlrecipes.steps._verdict import Verdict as GateVerdict

__all__ = ["Decided", "Request", "challenger_of", "decide_on", "ledger_of"]

STATUS_TAG = "validation_status"
QUALITY_TAG = "mlrecipes.quality.status"
CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Request:
    """What to decide on.

    Attributes:
        version: The challenger; the version under the challenger alias if not given, and the
            newest one if there is no such alias.
        override: Why a person wants it promoted, whatever the verdict.
    """

    version: str | None = None
    override: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """What was decided, what it was decided on, and what became of it.

    Attributes:
        verdict: Of the comparison; None where the version is the champion already.
        entry: The ledger's row; None if none was written.
        moved: Whether the version is champion now and was not before.
    """

    version: str
    standing: Standing
    verdict: Verdict | None
    entry: Entry | None = None
    rows: FrozenRows | None = None
    champion: Scored | None = None
    challenger: Scored | None = None
    compared: Compared | None = None
    notes: tuple[str, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether the version became champion."""
        return self.entry is not None and self.entry.moves


def decide_on(request: Request, test_data: Any, context: Context) -> Decided:
    """Decide on a version, and carry it out.

    Args:
        request: The version.
        test_data: The run's own test part; None if there is none.
        context: The step's context.

    Raises:
        GateRejected: Somebody else moved the champion meanwhile; nothing was changed.
        DataError: There are no rows to compare the models on.
        StoreError: There is no such version, or the registry refuses.
        TryAgain: A server does not answer.
    """
    ledger = ledger_of(context.config, context.ports.promotions())
    standing = ledger.settle()
    about = _challenger(request, context)
    if about.version == standing.champion:
        return Decided(about.version, standing, None, notes=standing.notes)
    with TemporaryDirectory() as temporary:
        measured = _measure(about, standing, test_data, context, Path(temporary))
    decided = _judged(measured, about, context)
    entry = _entry(decided, request, context)
    written = ledger.move(entry, standing) if entry.moves else ledger.note(entry, standing)
    return replace(decided, entry=written)


def ledger_of(config: RecipeConfig, promotions: PromotionRegistry) -> Ledger:
    """The ledger of the recipe's registered model."""
    settings = config.steps.promote or Promote()
    names = Names(config.effective_model_name or "", settings.champion, settings.previous)
    return Ledger(promotions, names, who=promotions.user)


def challenger_of(config: RecipeConfig, promotions: PromotionRegistry) -> str | None:
    """The version under the challenger alias, else the newest one; None if there is none."""
    name = config.effective_model_name or ""
    return promotions.aliases(name).get(config.model_registry.alias) or promotions.newest(name)


# ---- private -----------------------------------------------------------------------------------


def _settings(context: Context) -> Promote:
    return context.config.steps.promote or Promote()


def _challenger(request: Request, context: Context) -> VersionFacts:
    config, promotions = context.config, context.ports.promotions()
    name = config.effective_model_name or ""
    version = request.version or challenger_of(config, promotions)
    if version is None:
        raise DataError(
            f"There is no version of {shorten(name)} to be promoted.",
            hint="Train and register one: mlrecipes run --to register",
        )
    return promotions.version(name, version)


def _measure(
    about: VersionFacts, standing: Standing, test_data: Any, context: Context, folder: Path
) -> Decided:
    """Score what can be scored: a first model needs no rows, a comparison does."""
    if standing.champion is None and test_data is None and not _settings(context).reference:
        return Decided(about.version, standing, None, notes=standing.notes)
    rows = frozen_rows(test_data, context, folder)
    challenger = _scored(about.version, rows, context, folder / "challenger")
    decided = Decided(about.version, standing, None, rows=rows, challenger=challenger)
    if standing.champion is None:
        return replace(decided, notes=standing.notes)
    try:
        champion = _scored(standing.champion, rows, context, folder / "champion")
    except StoreError as error:
        # Nobody can be held to a model that is gone; a person may decide.
        champion = Scored(problem=shorten(error.message, limit=200))
    compared = None
    if not champion.problem and not challenger.problem:
        compared = compare(champion, challenger, rows, context)
    notes = (
        *standing.notes,
        *(_leakage_notes(standing.champion, rows, context) if compared else ()),
        *(compared.notes if compared else ()),
    )
    return replace(decided, champion=champion, compared=compared, notes=notes)


def _scored(version: str, rows: FrozenRows, context: Context, folder: Path) -> Scored:
    folder.mkdir()
    name = context.config.effective_model_name or ""
    model = context.ports.promotions().fetch(name, version, folder / "model")
    return score(model, rows, context, folder)


def _leakage_notes(champion: str, rows: FrozenRows, context: Context) -> tuple[str, ...]:
    """Whether the champion may have learned some of the rows."""
    if not rows.is_test_part:
        return ()
    name = context.config.effective_model_name or ""
    facts = context.ports.promotions().version(name, champion)
    split = context.config.steps.split.using
    if facts.tag(SPLIT_TAG) != split_digest(context.config):
        why = "was trained with another split"
    elif split in UNSTABLE and facts.tag(f"{TAG_PREFIX}data_digest") not in {None, rows.digest}:
        why = f"was tested on other rows, and a split by {split} moves rows when data change"
    else:
        return ()
    return (
        f"Version {champion}, the champion, {why}: it may have learned some of these rows, which "
        "makes it look better than it is. steps.promote.reference names rows that nobody learns.",
    )


def _judged(decided: Decided, about: VersionFacts, context: Context) -> Decided:
    settings = _settings(context)
    blocks = _gate_blocks(about, decided.standing, context)
    for who, scored in (("champion", decided.champion), ("challenger", decided.challenger)):
        if scored is not None and scored.problem:
            blocks.append(f"the {who} cannot be scored on these rows: {scored.problem}")
    if decided.standing.champion is None:
        return replace(decided, verdict=first_verdict(blocks))
    compared = decided.compared
    blocks += compared.problems if compared else ()
    rule = Rule(settings.min_gain, settings.max_slice_loss, settings.confidence)
    primary = compared.primary if compared else None
    verdict = decide(primary, compared.slices if compared else (), rule, blocks)
    return replace(decided, verdict=verdict)


def _gate_blocks(about: VersionFacts, standing: Standing, context: Context) -> list[str]:
    """What earlier gates and people said of the version."""
    blocks = []
    status = about.tag(STATUS_TAG) or GateVerdict.UNKNOWN
    is_allowed = context.config.steps.registration.allow_non_validated_model
    if status != GateVerdict.VALIDATED and not is_allowed:
        blocks.append(f"evaluate's verdict on it is {shorten(status)}")
    if (about.tag(QUALITY_TAG) or "").lower() == CRITICAL:
        blocks.append("its data had critical findings")
    left = rolled_back(standing.entries, about.version)
    if left is not None:
        blocks.append(f"it was rolled back by {left.who} at {left.at_utc}: {left.reason}")
    return blocks


def _entry(decided: Decided, request: Request, context: Context) -> Entry:
    """The row that says all of this in a year."""
    verdict, rows, compared = decided.verdict, decided.rows, decided.compared
    outcome = verdict.outcome if verdict else Outcome.BLOCKED
    move, reason = _MOVES[outcome], verdict.reason if verdict else ""
    if request.override is not None and move is Move.DECISION:
        move, reason = Move.OVERRIDE, f"{request.override} (verdict: {reason})"
    primary = context.config.effective_primary_metric
    difference = compared.primary if compared else None
    return Entry(
        move=move,
        to_version=decided.version,
        verdict=outcome,
        reason=reason,
        metric=primary,
        **_numbers(difference),
        challenger_value=decided.challenger.value(primary) if decided.challenger else None,
        champion_value=decided.champion.value(primary) if decided.champion else None,
        data_digest=rows.digest if rows else "",
        n_rows=len(rows) if rows else 0,
    )


def _numbers(difference: Difference | None) -> dict[str, Any]:
    if difference is None:
        return {}
    return {name: getattr(difference, of) for name, of in _NUMBERS.items()}


_NUMBERS = {"difference": "value", "lower": "lower", "upper": "upper"}
_MOVES = {
    Outcome.FIRST: Move.FIRST,
    Outcome.PROMOTE: Move.PROMOTE,
    Outcome.KEEP: Move.DECISION,
    Outcome.INCONCLUSIVE: Move.DECISION,
    Outcome.BLOCKED: Move.DECISION,
}
