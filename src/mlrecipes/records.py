"""The frozen records that cross module boundaries: what is planned, stored and shown.

Everything here is plain data. Records that are stored know how to become JSON
(``to_json``) and how to come back; nothing here reads a file or knows a data frame.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

__all__ = [
    "JSON",
    "Action",
    "ArtifactKind",
    "ArtifactSpec",
    "Bars",
    "Block",
    "CardView",
    "ColumnProfile",
    "Curve",
    "Decision",
    "Facts",
    "FileDigest",
    "Heatmap",
    "Histogram",
    "Manifest",
    "Profile",
    "ProfileComparison",
    "Scalar",
    "Section",
    "Series",
    "Source",
    "StepResult",
    "StepSpec",
    "StepStatus",
    "Table",
    "Text",
    "to_json",
]

Scalar: TypeAlias = str | int | float | bool | None
JSON: TypeAlias = Scalar | list["JSON"] | dict[str, "JSON"]

MANIFEST_VERSION = 1


# ---- steps ---------------------------------------------------------------------------


class ArtifactKind(StrEnum):
    """How an artifact lies on the disk."""

    FRAME = "frame"
    """A data frame, as Parquet."""
    JSON = "json"
    """Plain data, as JSON."""
    TEXT = "text"
    """Text, as UTF-8."""
    OBJECT = "object"
    """A fitted Python object, pickled by cloudpickle."""
    MODEL = "model"
    """An MLflow model, as the folder that MLflow loads."""


@dataclass(frozen=True, slots=True)
class ArtifactSpec:
    """The name and kind of one thing that a step writes; ``suffix`` if not that of its kind."""

    name: str
    kind: ArtifactKind
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class StepSpec:
    """What a step declares: the edges of the graph come from these names alone.

    Attributes:
        name: As in ``recipe.yaml`` and on the command line.
        reads: Names of artifacts that earlier steps write.
        writes: The artifacts that this step writes.
        version: Raised whenever the step's own code changes what it computes.
        libraries: Distributions whose version decides the outcome.
        restorable: Whether an older result may be used again. Not so for a step whose
            effect lies elsewhere: an alias must be set anew when an old model comes back.
        always_runs: Whether it runs whenever it is wanted, because what it depends on lies
            elsewhere, such as which model is the champion.
    """

    name: str
    reads: tuple[str, ...]
    writes: tuple[ArtifactSpec, ...]
    version: int
    libraries: tuple[str, ...] = ()
    restorable: bool = True
    always_runs: bool = False


# ---- what is stored -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FileDigest:
    """One file of a stored artifact; ``path`` is relative to the object's folder."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Source:
    """A file outside the workspace that a step has read; remote ones carry no digest."""

    uri: str
    size_bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """The proof that a step is done: what it was made from and what it wrote.

    Attributes:
        step: The step's name.
        key: Content key: the digest of ``parts`` (hex SHA-256).
        parts: All that decides the outcome, flat, as ``{"config.split_ratios": [..], ..}``;
            kept whole so that a plan can say what changed.
        artifacts: Files by artifact name.
        sources: Files outside the workspace that were read.
        summary: One line for people, such as ``20,000 rows x 122 columns``.
        duration_s: Seconds the step took.
        finished_at: UTC, ISO 8601.
    """

    step: str
    key: str
    parts: Mapping[str, JSON]
    artifacts: Mapping[str, tuple[FileDigest, ...]]
    sources: tuple[Source, ...] = ()
    summary: str = ""
    duration_s: float = 0.0
    finished_at: str = ""
    warnings: tuple[str, ...] = ()
    version: int = MANIFEST_VERSION

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Manifest:
        """Build the record that :func:`to_json` took apart.

        Raises:
            KeyError, TypeError: The data is no manifest.
        """
        fields = {name.name: data[name.name] for name in dataclasses.fields(cls)}
        fields["artifacts"] = {
            name: tuple(FileDigest(**file) for file in files)
            for name, files in data["artifacts"].items()
        }
        fields["sources"] = tuple(Source(**source) for source in data["sources"])
        fields["warnings"] = tuple(data["warnings"])
        return cls(**fields)


# ---- the plan ---------------------------------------------------------------------------


class Action(StrEnum):
    """What a plan decides for a step."""

    RUN = "run"
    CACHED = "cached"
    DEPENDS = "depends"
    """Runs only if an earlier step's output turns out different."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What will happen to a step, and why, in words."""

    step: str
    action: Action
    because: str
    last_duration_s: float | None = None


# ---- what a step found: the blocks of a card ----------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """Text shown as it is; ``preformatted`` keeps its lines."""

    text: str
    preformatted: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, one a line."""

    items: tuple[tuple[str, Scalar], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; ``emphasis`` names rows (by index) that deserve attention."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Scalar, ...], ...]
    caption: str = ""
    emphasis: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts between edges: ``len(edges) == len(counts) + 1``."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column of a table in numbers.

    Attributes:
        quantiles: Minimum, 25%, median, 75%, maximum; empty unless numeric.
        top_values: The most frequent values with their counts; empty when numeric.
    """

    name: str
    dtype: str
    n_rows: int
    n_missing: int
    n_distinct: int
    mean: float | None = None
    std: float | None = None
    quantiles: tuple[float, ...] = ()
    histogram: Histogram | None = None
    top_values: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """All columns of one table."""

    columns: tuple[ColumnProfile, ...]


@dataclass(frozen=True, slots=True)
class ProfileComparison:
    """The same columns in several tables, side by side: ``names[i]`` for ``profiles[i]``."""

    names: tuple[str, ...]
    profiles: tuple[Profile, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one line: ``len(x) == len(y)``."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    points_only: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """One or more lines or clouds of points in one plane."""

    caption: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """One value a label, drawn as bars in the order given."""

    caption: str
    value_label: str
    labels: tuple[str, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Heatmap:
    """A matrix such as a confusion matrix: ``cells[row][column]``."""

    caption: str
    row_label: str
    column_label: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[float, ...], ...]


Block: TypeAlias = Text | Facts | Table | Profile | ProfileComparison | Curve | Bars | Heatmap


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a card with a title."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step gives back.

    Attributes:
        outputs: Artifact name to value, in memory; the runner stores them.
        sections: What the step's card shows, in order.
        summary: One line for people.
        sources: Files outside the workspace that were read.
        run_id: The MLflow run that the step's card belongs to, if any.
        has_alerts: Whether somebody should look at what the step found.
    """

    outputs: Mapping[str, Any]
    sections: tuple[Section, ...] = ()
    summary: str = ""
    sources: tuple[Source, ...] = ()
    run_id: str | None = None
    has_alerts: bool = False


class StepStatus(StrEnum):
    """How the last run of a step ended."""

    SUCCEEDED = "succeeded"
    ALERT = "alert"
    """It did what it should, and somebody should look at what it found."""
    REJECTED = "rejected"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CardView:
    """All that a card shows; the same facts are written as JSON beside it.

    Attributes:
        title: ``<step>@<recipe>``, such as ``train@home_credit``.
        header: Key facts under the title: verdict, run id, content key, versions.
        warnings: Warnings that libraries and user code gave during the step.
    """

    title: str
    step: str
    recipe: str
    profile: str
    status: StepStatus
    summary: str
    header: tuple[tuple[str, Scalar], ...] = ()
    sections: tuple[Section, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str = ""
    traceback: str = ""


def to_json(record: Any) -> Any:
    """Turn records, tuples and mappings into what ``json.dumps`` takes.

    A block of a card says its kind, so that a reader of the JSON can tell them apart.

    >>> to_json(Text("hello"))
    {'kind': 'Text', 'text': 'hello', 'preformatted': False}
    """
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        content = {
            name.name: to_json(getattr(record, name.name)) for name in dataclasses.fields(record)
        }
        return {"kind": type(record).__name__} | content if isinstance(record, Block) else content
    if isinstance(record, Mapping):
        return {str(key): to_json(value) for key, value in record.items()}
    if isinstance(record, list | tuple):
        return [to_json(value) for value in record]
    return record
