"""The card of a decision: verdict and reason first, then the numbers that it stands on."""

from __future__ import annotations

import math
from typing import Any

from mlrecipes.promotion_records import Entry
from mlrecipes.records import Facts, Heatmap, Scalar, Section, Table, Text
from mlrecipes.steps._contract import Context
from mlrecipes.steps._deciding import Decided
from mlrecipes.steps._paired import Compared
from mlrecipes.steps._slices import policy_of

__all__ = ["ledger_table", "sections", "sentence"]

N_LEDGER_ROWS = 10
N_SLICES = 20
N_BINS = 10
SELECTED = ("selected", "not selected")
MAX_CLASSES = 12
FLOOR = 1e-6


def sentence(decided: Decided) -> str:
    """What became of it, in one line."""
    version, champion = decided.version, decided.standing.champion
    verdict = decided.verdict
    if verdict is None:
        return f"version {version} is the champion already: nothing to do"
    n_rows = f" ({len(decided.rows):,} rows)" if decided.rows is not None else ""
    if decided.entry is not None and decided.entry.move == "override":
        return f"version {version} is champion by override: {decided.entry.reason}"
    if decided.moved:
        return f"version {version} is champion: {verdict.reason}{n_rows}"
    stays = f"champion stays version {champion}" if champion else "there is no champion"
    return f"{stays}: {verdict.outcome}: {verdict.reason}{n_rows}"


def sections(decided: Decided, context: Context) -> tuple[Section, ...]:
    """All of the card."""
    found = [Section("Verdict", _verdict_blocks(decided))]
    compared = decided.compared
    if compared is not None:
        found.append(Section("Scoreboard", (_metrics_table(decided, compared),)))
        if compared.slices:
            found.append(Section("Slices, the largest loss first", (_slices_table(compared),)))
        found.append(Section("Do they agree?", _agreement(decided, context)))
    if decided.rows is not None:
        found.append(Section("Frozen rows", (_rows_facts(decided, context),)))
    found.append(Section("Ledger", (_tail(decided),)))
    return tuple(found)


def ledger_table(entries: tuple[Entry, ...]) -> Table:
    """Rows of the ledger, the newest first."""
    rows = tuple(_ledger_row(one) for one in sorted(entries, key=lambda one: -one.number))
    return Table(("no.", "when", "who", "what", "from", "to", "difference", "reason"), rows)


# ---- private -----------------------------------------------------------------------------------


def _verdict_blocks(decided: Decided) -> tuple[Any, ...]:
    verdict, entry = decided.verdict, decided.entry
    blocks: list[Any] = [Text(sentence(decided))]
    if verdict is not None and len(verdict.reasons) > 1:
        blocks.append(Table(("reasons",), tuple((reason,) for reason in verdict.reasons)))
    facts: list[tuple[str, Scalar]] = []
    if verdict is not None:
        facts.append(("outcome", str(verdict.outcome)))
        facts += [("what would have to be true", verdict.needed)] if verdict.needed else []
    facts.append(("challenger", f"version {decided.version}"))
    champion = decided.standing.champion
    facts.append(("champion before", f"version {champion}" if champion else "none"))
    if entry is not None:
        facts += [("decided by", entry.who), ("at", entry.at_utc), ("ledger row", entry.number)]
    blocks.append(Facts(tuple(facts)))
    return tuple(blocks)


def _metrics_table(decided: Decided, compared: Compared) -> Table:
    columns = ("metric", f"champion v{decided.standing.champion}", f"challenger v{decided.version}")
    rows = tuple(
        (one.metric, one.champion, one.challenger, *_interval(one)) for one in compared.differences
    )
    caption = "Differences are positive where the challenger is better; the first row decides."
    return Table((*columns, "difference", "from", "to"), rows, caption, emphasis=(0,))


def _interval(one: Any) -> tuple[float | None, ...]:
    return tuple(
        value if math.isfinite(value) else None for value in (one.value, one.lower, one.upper)
    )


def _slices_table(compared: Compared) -> Table:
    shown = compared.slices[:N_SLICES]
    rows = tuple(
        (
            one.name,
            one.n_rows,
            one.difference.champion,
            one.difference.challenger,
            *_interval(one.difference),
        )
        for one in shown
    )
    n_left = len(compared.slices) - len(shown)
    caption = f"{n_left} more slices with smaller losses are not shown." if n_left else ""
    columns = ("slice", "rows", "champion", "challenger", "difference", "from", "to")
    return Table(columns, rows, caption)


def _agreement(decided: Decided, context: Context) -> tuple[Any, ...]:
    """How far the two say the same of a row; the swap set is what they decide differently."""
    import numpy as np

    if decided.champion is None or decided.challenger is None:
        return ()
    one, other = decided.champion.certain, decided.challenger.certain
    values = [
        side.labels if side.positive_scores is None else side.positive_scores
        for side in (one, other)
    ]
    facts: list[tuple[str, Scalar]] = []
    if all(np.asarray(side).dtype.kind in "fiu" for side in values):
        before, after = (np.asarray(side, dtype=float) for side in values)
        facts.append(("correlation of scores", _correlation(before, after)))
        facts.append(("PSI of scores", round(_psi(before, after), 4)))
    blocks: list[Any] = []
    if one.classes:
        policy, caption = policy_of(context), "Swap set: rows by predicted class"
        before, after, names = one.labels, other.labels, one.classes
        if one.positive_scores is not None and other.positive_scores is not None:
            sides = (one.positive_scores, other.positive_scores)
            before, after = (np.where(policy.selected(side), *SELECTED) for side in sides)
            names = SELECTED
            caption = (
                f"Swap set: rows by decision, selected where the score is {policy.selects} "
                f"{policy.cut_off:g}"
            )
        facts.append(("rows with the same decision", f"{np.mean(before == after):.2%}"))
        blocks = [_swap_set(before, after, names, caption)]
    return (Facts(tuple(facts)), *blocks)


def _correlation(before: Any, after: Any) -> float | None:
    import numpy as np

    if before.std() == 0 or after.std() == 0:
        return None
    return round(float(np.corrcoef(before, after)[0, 1]), 4)


def _psi(before: Any, after: Any) -> float:
    """Population stability index of the challenger's scores over the champion's deciles."""
    import numpy as np

    edges = np.unique(np.quantile(before, np.linspace(0, 1, N_BINS + 1)[1:-1]))
    shares = [
        np.bincount(np.searchsorted(edges, side, side="right"), minlength=len(edges) + 1)
        / len(side)
        for side in (before, after)
    ]
    old, new = (np.maximum(share, FLOOR) for share in shares)
    return float(((new - old) * np.log(new / old)).sum())


def _swap_set(before: Any, after: Any, classes: tuple[Any, ...], caption: str) -> Any:
    if len(classes) > MAX_CLASSES:
        return Text(f"The swap set of {len(classes)} classes is not shown.")
    names = tuple(str(label) for label in classes)
    cells = tuple(
        tuple(float(((before == old) & (after == new)).sum()) for new in classes) for old in classes
    )
    return Heatmap(caption, "champion", "challenger", names, names, cells)


def _rows_facts(decided: Decided, context: Context) -> Facts:
    rows, settings = decided.rows, context.config.steps.promote
    facts: list[tuple[str, Scalar]] = []
    if rows is not None:
        facts = [("from", rows.origin), ("rows", len(rows)), ("digest", rows.digest)]
    if settings is not None:
        facts += [
            ("confidence", settings.confidence),
            ("resamples", settings.n_resamples),
            ("gain asked for", settings.min_gain),
            ("loss allowed in a slice", settings.max_slice_loss),
        ]
    return Facts(tuple(facts))


def _tail(decided: Decided) -> Table:
    new = (decided.entry,) if decided.entry is not None else ()
    entries = (*decided.standing.entries, *new)
    return ledger_table(tuple(entries[-N_LEDGER_ROWS:]))


def _ledger_row(entry: Entry) -> tuple[Scalar, ...]:
    said = str(entry.move) if entry.moves else str(entry.verdict)
    state = "" if entry.state == "closed" else f" ({entry.state})"
    return (
        entry.number,
        entry.at_utc,
        entry.who,
        f"{said}{state}",
        entry.from_version or "–",
        entry.to_version,
        entry.shown_difference,
        entry.reason,
    )
