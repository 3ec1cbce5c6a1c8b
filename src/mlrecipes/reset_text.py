"""What a reset would do and did, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from mlrecipes.errors import shorten
from mlrecipes.reset_plan import Goes, Kind, ResetPlan

__all__ = ["plan_lines", "reset_lines", "stays_lines"]

MAX_LISTED = 20
MAX_NAME_LENGTH = 120


def reset_lines(plan: ResetPlan, *, is_done: bool) -> Iterator[str]:
    """What goes or went, and what stays, each under its heading."""
    if plan.goes:
        yield "Deleted:" if is_done else "A reset would delete:"
        yield from (f"  {line}" for line in plan_lines(plan))
    else:
        yield "There is nothing to delete."
    if plan.stays:
        yield "What stays:"
        yield from (f"  {line}" for line in stays_lines(plan))


def plan_lines(plan: ResetPlan) -> list[str]:
    """What goes, a line a thing; runs are counted.

    >>> plan = ResetPlan((Goes(Kind.VERSION, "1", "houses"), Goes(Kind.MODEL, "houses")))
    >>> plan_lines(plan)
    ['registered model houses: version 1']
    """
    return [*_model(plan), *_runs(plan), *_experiments(plan), *_tables(plan)]


def stays_lines(plan: ResetPlan) -> list[str]:
    """What stays, and why."""
    return [f"{part.kind} {_shown(part.name)}: {part.why}" for part in plan.stays]


def _model(plan: ResetPlan) -> Iterator[str]:
    for model in _of(plan, Kind.MODEL):
        own = [part for part in plan.goes if part.of == model.name]
        versions = [part.name for part in own if part.kind is Kind.VERSION]
        aliases = [
            f"{_shown(part.name)} of {part.detail}" for part in own if part.kind is Kind.ALIAS
        ]
        words = [_listed("version", versions)] if versions else ["no version"]
        words += [_listed("alias", aliases, "aliases")] if aliases else []
        yield f"registered model {_shown(model.name)}: {'; '.join(words)}"


def _runs(plan: ResetPlan) -> Iterator[str]:
    runs = _of(plan, Kind.RUN)
    if runs:
        n_open = sum(bool(part.detail) for part in runs)
        still_open = f", {n_open:,} of them still open" if n_open else ""
        yield f"{_n(len(runs), 'run')} of this recipe with this profile{still_open}"
    parents = _of(plan, Kind.PROJECT_RUN)
    if parents:
        yield f"{_n(len(parents), 'run')} of mlflow run with no other run below"


def _experiments(plan: ResetPlan) -> Iterator[str]:
    for part in _of(plan, Kind.EXPERIMENT):
        yield f"experiment {_shown(part.name)} (id {part.of}), to be restored by this id"


def _tables(plan: ResetPlan) -> Iterator[str]:
    for part in _of(plan, Kind.TABLE):
        yield f"feature table {_shown(part.name)}, {part.detail}"


def _of(plan: ResetPlan, kind: Kind) -> list[Goes]:
    return [part for part in plan.goes if part.kind is kind]


def _listed(word: str, names: list[str], plural: str | None = None) -> str:
    head = word if len(names) == 1 else plural or f"{word}s"
    rest = f" and {len(names) - MAX_LISTED:,} more" if len(names) > MAX_LISTED else ""
    return f"{head} {', '.join(names[:MAX_LISTED])}{rest}"


def _n(n_things: int, word: str) -> str:
    return f"{n_things:,} {word if n_things == 1 else f'{word}s'}"


def _shown(name: str) -> str:
    return shorten(name, limit=MAX_NAME_LENGTH)
