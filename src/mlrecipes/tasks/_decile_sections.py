"""What a card shows of a binary model's use: deciles, the curve of captured events, the cut-off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlrecipes.records import Block, Curve, Heatmap, Section, Series, Table, Text
from mlrecipes.tasks._coverage import wilson
from mlrecipes.tasks._ranking import Ranking

if TYPE_CHECKING:
    from mlrecipes.tasks.base import Policy, ScoredEvents

__all__ = ["decile_sections", "decile_table"]

N_PARTS = 10
MAX_POINTS = 200


def decile_sections(events: ScoredEvents | None, policy: Policy | None) -> tuple[Section, ...]:
    """Show the gains by decile and, with a policy, who is selected and what becomes of them."""
    if events is None or not 0 < int(events.actual.sum()) < len(events.actual):
        return ()
    sections = [Section("Deciles", (decile_table(events), _captured(events)))]
    if policy is not None:
        sections.append(Section("Policy Cut-off", _at_cut_off(events, policy)))
    return tuple(sections)


def decile_table(events: ScoredEvents) -> Table:
    """Tenths of the rows, highest scores first, with what each captures of all events."""
    order = np.argsort(-events.scores, kind="stable")
    actual, scores = events.actual[order], events.scores[order]
    n_events, n_seen, rows = int(actual.sum()), 0, []
    for number, tenth in enumerate(np.array_split(np.arange(len(actual)), N_PARTS), 1):
        if not len(tenth):
            continue
        n_here = int(actual[tenth].sum())
        n_seen += n_here
        low, high = wilson(n_here, len(tenth))
        rate = n_here / len(tenth)
        rows.append(
            (
                number,
                len(tenth),
                n_here,
                f"{rate:.4f}",
                f"{low:.4f} to {high:.4f}",
                f"{scores[tenth].mean():.4f}",
                f"{n_seen / n_events:.1%}",
                f"{rate / (n_events / len(actual)):.2f}",
            )
        )
    columns = ("decile", "rows", "events", "event rate", "95% interval", "mean score")
    return Table(
        (*columns, "events captured so far", "lift"),
        tuple(rows),
        f"Tenths of the rows, highest scores first (n = {len(actual):,}, {n_events:,} events)",
    )


def _captured(events: ScoredEvents) -> Block:
    """The cumulative accuracy profile: Engelmann, Hayden and Tasche (2003)."""
    found, others = Ranking(events.actual, events.scores).cumulated(np.ones(len(events.actual)))
    rows = (found + others) / len(events.actual)
    share = found / found[-1]
    keep = np.unique(np.linspace(0, len(rows) - 1, min(MAX_POINTS, len(rows))).astype(int))
    model = Series("model", (0.0, *map(float, rows[keep])), (0.0, *map(float, share[keep])))
    event_rate = float(events.actual.mean())
    ideal = Series("perfect", (0.0, event_rate, 1.0), (0.0, 1.0, 1.0))
    chance = Series("chance", (0.0, 1.0), (0.0, 1.0))
    caption = (
        "Cumulative accuracy profile: share of the events among the rows with the highest scores "
        f"(n = {len(events.actual):,})"
    )
    return Curve(caption, "share of rows", "share of events", (model, ideal, chance))


def _at_cut_off(events: ScoredEvents, policy: Policy) -> tuple[Block, ...]:
    selected = policy.selected(events.scores)
    cells = np.bincount(2 * selected + (events.actual == 1), minlength=4).reshape(2, 2)
    n_selected, n_rows = int(selected.sum()), len(selected)
    rate = f"{cells[1][1] / n_selected:.4f}" if n_selected else "unknown"
    words = Text(
        f"Rows with a score {policy.selects} {policy.cut_off:g} are selected: {n_selected:,} of "
        f"{n_rows:,} ({n_selected / n_rows:.1%}). Share of events among the selected: {rate}, "
        f"among all: {events.actual.mean():.4f}."
    )
    matrix = Heatmap(
        f"Rows by decision and outcome (n = {n_rows:,})",
        row_label="decision",
        column_label="outcome",
        rows=("not selected", "selected"),
        columns=("no event", "event"),
        cells=tuple(tuple(float(n) for n in row) for row in cells),
    )
    return words, matrix
