"""What the model card says of the data: parts, sources, feature tables and expectations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlrecipes.config.schema import RecipeConfig
from mlrecipes.feature_records import TABLE_URI, Lookup
from mlrecipes.model_card_records import CardBlock, Words
from mlrecipes.records import Manifest, Scalar, Table
from mlrecipes.splits.parts import PART_NAMES
from mlrecipes.steps._card_validation import NOT_KNOWN, NOT_MEASURED

__all__ = ["data_facts", "parts_block", "quality_blocks", "source_blocks"]

N_SHOWN = 30
QUALITY = "Data quality"


def source_blocks(
    results: Mapping[str, Manifest], lookups: Sequence[Lookup]
) -> Iterator[CardBlock]:
    """The files that were read, with their digests, and the feature tables with their versions."""
    sources = [
        (step, source.uri, source.size_bytes, source.sha256 or NOT_KNOWN)
        for step in ("ingest", "features")
        if step in results
        for source in results[step].sources
        if not source.uri.startswith(TABLE_URI)
    ]
    if sources:
        head = ("read by", "file", "bytes", "SHA-256")
        yield Table(head, tuple(sources), "Sources")
    if lookups:
        rows = tuple(
            (one.table, one.version, len(one.features), ", ".join(one.keys), one.event_time)
            for one in lookups
        )
        yield Table(("table", "version", "features", "by", "as of"), rows, "Feature tables")


def parts_block(found: Mapping[str, Any]) -> CardBlock:
    """How many rows each part has, and of which time if time divides them."""
    if not found:
        return Words((NOT_KNOWN,), "Parts")
    periods = found["periods"]
    rows = tuple(
        (part, found["n_rows"][part], *periods.get(part, (None, None))) for part in PART_NAMES
    )
    if periods:
        return Table(("part", "rows", "from", "until"), rows, "Parts")
    return Table(("part", "rows"), tuple(row[:2] for row in rows), "Parts")


def data_facts(found: Mapping[str, Any], config: RecipeConfig) -> Iterator[tuple[str, Scalar]]:
    """Columns, how the rows were divided, and whom the recipe protects."""
    yield "columns", found.get("n_columns", NOT_KNOWN)
    yield "columns that the model sees", found.get("n_features", NOT_KNOWN)
    yield "split", _split_words(config)
    for why, n_rows in found.get("n_dropped", {}).items():
        yield f"rows left out: {why}", n_rows
    # A recipe can name protected columns only where evaluate measures by them.
    protected = getattr(config, "protected_cols", None)
    if protected is not None:
        yield "protected columns", ", ".join(map(str, protected)) or "none named"


def _split_words(config: RecipeConfig) -> str:
    split = config.steps.split
    by = [*split.key_cols, *split.group_cols, *split.stratify_cols]
    words = {
        "by": ", ".join(by) or split.time_col or split.split_method,
        "ratios": " / ".join(f"{ratio:g}" for ratio in split.split_ratios)
        if split.using not in {"time", "custom"}
        else None,
    }
    return ", ".join([split.using, *(f"{name} {value}" for name, value in words.items() if value)])


def quality_blocks(quality: Mapping[str, Any]) -> Iterator[CardBlock]:
    """How each suite of expectations went, and each expectation that was not met."""
    if not quality:
        yield Words((NOT_MEASURED,), QUALITY)
        return
    head = ("suite", "table", "rows", "expectations", "met", "SHA-256 of the suite")
    yield Table(
        head, tuple(_suite(name, found) for name, found in sorted(quality.items())), QUALITY
    )
    missed = [
        (name, *_expectation(result))
        for name, found in sorted(quality.items())
        for result in found.get("results", ())
        if not result.get("success")
    ]
    if not missed:
        return
    more = f": the first {N_SHOWN} of {len(missed)}" if len(missed) > N_SHOWN else ""
    columns = ("suite", "expectation", "column", "severity", "unexpected rows", "of")
    yield Table(columns, tuple(missed[:N_SHOWN]), f"Expectations that were not met{more}")


def _suite(name: str, found: Mapping[str, Any]) -> tuple[Scalar, ...]:
    counts, meta = found.get("statistics", {}), found.get("meta", {})
    return (
        name,
        meta.get("table"),
        meta.get("n_rows"),
        counts.get("evaluated_expectations"),
        counts.get("successful_expectations"),
        meta.get("suite_sha256"),
    )


def _expectation(result: Mapping[str, Any]) -> tuple[Scalar, ...]:
    config, seen = result.get("expectation_config", {}), result.get("result", {})
    column = config.get("kwargs", {}).get("column")
    return (
        config.get("type"),
        None if column is None else str(column),
        config.get("severity"),
        seen.get("unexpected_count"),
        seen.get("element_count"),
    )
