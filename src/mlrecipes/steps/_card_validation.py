"""What the model card says of the validation: what was measured, and what was not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlrecipes.model_card_records import CardBlock, Words
from mlrecipes.records import Bars, Facts, Scalar, Table

__all__ = ["NOT_KNOWN", "NOT_MEASURED", "importance_blocks", "missed_checks", "validation_blocks"]

NOT_MEASURED = "not measured"
NOT_KNOWN = "not known"
N_SHOWN = 30
N_BARS = 20

Evaluation = Mapping[str, Any]


def validation_blocks(evaluation: Evaluation, primary: str) -> Iterator[CardBlock]:
    """The verdict, thresholds, metrics, slices, fairness and leakage of an evaluation."""
    n_rows = evaluation.get("n_rows")
    facts: list[tuple[str, Scalar]] = [("verdict", evaluation["status"])]
    if isinstance(n_rows, Mapping):
        facts += [(f"rows of {part}", n) for part, n in sorted(n_rows.items())]
    elif n_rows is not None:
        facts.append(("rows of test", n_rows))
    if evaluation.get("cut_off") is not None:
        facts.append(("cut-off", _scalar(evaluation["cut_off"])))
    yield Facts(tuple(facts))
    yield _checks(evaluation)
    yield _metrics(evaluation, primary)
    yield _slices(evaluation)
    yield _fairness(evaluation)
    yield _leakage(evaluation)


def missed_checks(evaluation: Evaluation) -> list[str]:
    """Each threshold that was not reached, in words."""
    return [
        f"{_where(check)} is {_value(check['value'])}, {_sign(check)} {check['threshold']:g} "
        "was required"
        for check in evaluation.get("checks", ())
        if not check["is_passed"]
    ]


def importance_blocks(evaluation: Evaluation) -> Iterator[CardBlock]:
    """The features by their share, largest first as they come."""
    listed = _rows_of(evaluation, "importance")
    found = [item for item in listed if item.get("share") is not None]
    if not found:
        yield Words((NOT_MEASURED,), "Features by importance")
        return
    kept = found[:N_BARS]
    more = f" (the first {N_BARS} of {len(found)})" if len(found) > N_BARS else ""
    yield Bars(
        f"Features by importance{more}",
        "share",
        tuple(str(item["feature"]) for item in kept),
        tuple(float(item["share"]) for item in kept),
    )


# ---- one table each --------------------------------------------------------------------------


def _checks(evaluation: Evaluation) -> CardBlock:
    checks = _rows_of(evaluation, "checks")
    if not checks:
        return Words(("The recipe has no validation_criteria.",), "Thresholds")
    rows = tuple(
        (
            _where(check),
            check["value"],
            f"{_sign(check)} {check['threshold']:g}",
            check.get("n_rows"),
            "passed" if check["is_passed"] else "NOT passed",
        )
        for check in checks
    )
    missed = tuple(i for i, check in enumerate(checks) if not check["is_passed"])
    return Table(
        ("metric", "value on test", "required", "rows", "result"), rows, "Thresholds", missed
    )


def _metrics(evaluation: Evaluation, primary: str) -> CardBlock:
    metrics, intervals = evaluation.get("metrics", {}), evaluation.get("intervals") or {}
    if not metrics:
        return Words((NOT_MEASURED,), "Metrics")
    names = {name.removeprefix("test_").removeprefix("val_"): None for name in metrics}
    ordered = sorted(names, key=lambda name: (name != primary, name))
    rows = tuple(
        (
            f"{name} (primary)" if name == primary else name,
            metrics.get(f"val_{name}"),
            metrics.get(f"test_{name}"),
            _interval(intervals.get(name) or intervals.get(f"test_{name}")),
        )
        for name in ordered
    )
    level = evaluation.get("confidence")
    interval = f"{level:.0%} interval" if isinstance(level, int | float) else "interval"
    return Table(("metric", "validation", "test", f"{interval} on test"), rows, "Metrics")


def _slices(evaluation: Evaluation) -> CardBlock:
    found = _rows_of(evaluation, "slices")
    if not found:
        return Words((NOT_MEASURED,), "Slices")
    names = sorted({name for item in found for name in item.get("metrics", {})})
    rows = tuple(
        (
            str(item["slice"]),
            _scalar(item["value"]),
            item.get("n_rows"),
            *(item.get("metrics", {}).get(name) for name in names),
        )
        for item in found[:N_SHOWN]
    )
    return Table(("slice", "value", "rows", *names), rows, _caption("Slices", found))


def _fairness(evaluation: Evaluation) -> CardBlock:
    """A ratio is a signal to look, in lending no limit of any law."""
    found = _rows_of(evaluation, "fairness")
    if not found:
        return Words((NOT_MEASURED,), "Protected groups")
    rows = tuple(
        (
            str(item["attribute"]),
            _scalar(item["value"]),
            item.get("n_rows"),
            item.get("selection_rate"),
            _ratio(item.get("impact_ratio")),
            item.get("tpr"),
            item.get("tpr_gap"),
            "look at it" if item.get("is_signal") else "",
        )
        for item in found[:N_SHOWN]
    )
    signals = tuple(i for i, item in enumerate(found[:N_SHOWN]) if item.get("is_signal"))
    head = ("attribute", "value", "rows", "selection rate", "impact ratio")
    caption = _caption("Protected groups (a screening signal, no legal limit)", found)
    columns = (*head, "true positive rate", "its gap", "signal")
    return Table(columns, rows, caption, signals)


def _leakage(evaluation: Evaluation) -> CardBlock:
    if "leakage" not in evaluation:
        return Words((NOT_MEASURED,), "Leakage checks")
    found = _rows_of(evaluation, "leakage")
    if not found:
        return Words(("Looked for; nothing was found.",), "Leakage checks")
    keys = ("code", "severity", "subject", "message")
    rows = tuple(tuple(_scalar(item.get(key)) for key in keys) for item in found[:N_SHOWN])
    return Table(keys, rows, _caption("Leakage checks", found))


# ---- words -----------------------------------------------------------------------------------


def _rows_of(evaluation: Evaluation, key: str) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = evaluation.get(key) or ()
    return found


def _caption(words: str, found: Sequence[Any]) -> str:
    return words if len(found) <= N_SHOWN else f"{words}: the first {N_SHOWN} of {len(found)}"


def _where(check: Mapping[str, Any]) -> str:
    part = check.get("slice")
    return f"{check['metric']} in {part}" if part else str(check["metric"])


def _sign(check: Mapping[str, Any]) -> str:
    return "at least" if check.get("greater_is_better", True) else "at most"


def _value(value: float | None) -> str:
    return "not a finite number" if value is None else f"{value:.6g}"


def _interval(found: Any) -> str:
    if not isinstance(found, Mapping) or found.get("low") is None or found.get("high") is None:
        return NOT_MEASURED
    return f"{found['low']:.4g} to {found['high']:.4g}"


def _ratio(found: Any) -> Scalar:
    if not isinstance(found, Mapping):
        return _scalar(found)
    if found.get("value") is None:
        return None
    inside = _interval(found)
    return f"{found['value']:.3g}" + ("" if inside == NOT_MEASURED else f" ({inside})")


def _scalar(value: Any) -> Scalar:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
