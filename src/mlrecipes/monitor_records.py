"""What monitoring counts, compares and says, as plain frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "Alert",
    "ColumnCounts",
    "ColumnDrift",
    "ColumnKind",
    "ColumnPlan",
    "DriftLevel",
    "DriftLimits",
    "DriftVerdict",
    "Measures",
    "Performance",
    "ReferenceColumn",
]


class ColumnKind(StrEnum):
    """How the values of a column are counted."""

    NUMBER = "number"
    """Between the edges of the reference."""
    CATEGORY = "category"
    """By value; those that the reference does not keep are counted together."""
    OTHER = "other"
    """Moments, free text and identifiers: only what is missing is counted."""


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """How a column is counted, so that two tables can be compared and counts added up.

    Attributes:
        edges: Of numbers, increasing: cell ``i`` holds ``edges[i - 1] < x <= edges[i]``, the
            last one all that is greater.
        values: Of a category, as text; one more cell holds every other value.
    """

    name: str
    kind: ColumnKind
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def n_cells(self) -> int:
        """The number of cells; missing values have none."""
        if self.kind is ColumnKind.OTHER:
            return 1
        return 1 + len(self.edges if self.kind is ColumnKind.NUMBER else self.values)


@dataclass(frozen=True, slots=True)
class ColumnCounts:
    """How many rows fell where: ``sum(cells) + n_missing`` is the number of rows.

    Counts of two parts of a table add up to those of the whole.

    >>> ColumnCounts((1, 2), 0) + ColumnCounts((3, 0), 1)
    ColumnCounts(cells=(4, 2), n_missing=1)
    """

    cells: tuple[int, ...]
    n_missing: int = 0

    @property
    def n_known(self) -> int:
        """Rows with a value."""
        return sum(self.cells)

    @property
    def n_rows(self) -> int:
        """All rows."""
        return self.n_known + self.n_missing

    @property
    def missing_share(self) -> float:
        """The share of rows without a value; 0 of no rows."""
        return self.n_missing / self.n_rows if self.n_rows else 0.0

    def __add__(self, other: ColumnCounts) -> ColumnCounts:
        """Counts of both."""
        cells = tuple(a + b for a, b in zip(self.cells, other.cells, strict=True))
        return ColumnCounts(cells, self.n_missing + other.n_missing)


@dataclass(frozen=True, slots=True)
class ReferenceColumn:
    """A column of the training, or the score, as a window is compared with it.

    Attributes:
        means: Of numbers: the mean of each cell.
        std: Of numbers: the standard deviation.
        importance: The column's share of what the model relies on; 0 if it is not known.
    """

    plan: ColumnPlan
    counts: ColumnCounts
    means: tuple[float, ...] = ()
    std: float | None = None
    importance: float = 0.0


@dataclass(frozen=True, slots=True)
class Measures:
    """How far two tables differ in a column, and how likely chance makes such a difference.

    Attributes:
        psi: Population stability index, with a cell for missing values.
        psi_excess: The same less what chance alone makes of it on the average.
        psi_floor: What chance alone exceeds in 1% of the cases.
        p_beyond: Chance of such a PSI if the true one were the limit (noncentral chi-squared).
        jensen_shannon: Distance (square root of the divergence to base 2), from 0 to 1.
        chi2: Pearson's statistic of homogeneity, cells of fewer than five expected rows merged.
        ks: Largest distance of the two distribution functions at the edges; numbers only.
        p_ks: Chance of such a distance, from above.
        wasserstein: Mean distance in standard deviations of the reference; numbers only.
        shift: Difference of the means of cells, in the same unit; numbers only.
        missing_change: Difference of the shares of missing values.
        unseen_change: Difference of the shares of values that the reference does not keep.
        p_value: Chance of anything like this without drift, corrected for several tests.
    """

    psi: float
    psi_excess: float
    psi_floor: float
    p_beyond: float
    jensen_shannon: float
    chi2: float
    p_chi2: float
    missing_change: float
    p_value: float
    ks: float | None = None
    p_ks: float | None = None
    wasserstein: float | None = None
    shift: float | None = None
    unseen_change: float | None = None


@dataclass(frozen=True, slots=True)
class DriftLimits:
    """From where on a difference matters, and how often chance may raise an alarm.

    Attributes:
        psi: Of PSI less chance: worth a look.
        psi_severe: Of PSI less chance: significant, in the words of credit risk.
        shift: Of the mean, in standard deviations.
        missing: Of the share of missing values.
        unseen: Of the share of values that training did not know.
        weighted: The share of the model's importance that may drift.
        top_features: So many of the most important features raise an alarm alone.
        false_alarms: The share of windows without drift in which chance may raise one.
        min_rows: A window of fewer rows is not judged.
    """

    psi: float = 0.1
    psi_severe: float = 0.25
    shift: float = 0.13
    missing: float = 0.03
    unseen: float = 0.01
    weighted: float = 0.2
    top_features: int = 5
    false_alarms: float = 0.01
    min_rows: int = 100


class DriftLevel(StrEnum):
    """What is said of a column or a window."""

    TOO_FEW = "too few rows"
    STABLE = "stable"
    DRIFTED = "drifted"
    SEVERE = "severe"


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """What is said of one column of a window.

    Attributes:
        is_top: Whether it raises an alarm alone.
        reasons: Which limits it exceeds, in words.
    """

    name: str
    level: DriftLevel
    measures: Measures | None
    importance: float = 0.0
    is_top: bool = False
    reasons: tuple[str, ...] = ()

    @property
    def has_drifted(self) -> bool:
        """Whether the difference is both beyond chance and large enough to matter."""
        return self.level in {DriftLevel.DRIFTED, DriftLevel.SEVERE}


@dataclass(frozen=True, slots=True)
class DriftVerdict:
    """What is said of a window as a whole.

    Attributes:
        is_alarm: Whether somebody should look at it now.
        reasons: Why, in words.
        columns: Of the features, the worst one first.
        score: Of the score; None if it is not compared.
        weighted: The share of the importance that has drifted.
    """

    is_alarm: bool
    reasons: tuple[str, ...]
    columns: tuple[ColumnDrift, ...]
    score: ColumnDrift | None = None
    weighted: float = 0.0
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Performance:
    """A metric of a window, realised or estimated.

    Attributes:
        kind: ``realised`` from labels, or ``estimated`` without them.
        slice: Of which rows; empty for all.
        low: Of the 95% interval; NaN if it is not known.
        high: The same.
        n_rows: Rows whose labels are final by now; for an estimate all rows.
        n_labelled: How many of them have a label.
        is_lost: Whether it is surely worse than tolerated.
        has_moved: Of outcomes: whether they surely differ from those of the training.
        note: Why there is no value, or what it assumes.
    """

    kind: str
    metric: str
    value: float
    low: float
    high: float
    n_rows: int
    n_labelled: int = 0
    slice: str = ""
    is_lost: bool = False
    has_moved: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that somebody should look at.

    Attributes:
        rule: ``drift``, ``score``, ``importance``, ``quality``, ``performance`` or
            ``outcomes``.
        subject: A column, a metric or a suite.
        window: The name of the window.
        since: The first of the windows in a row in which it was so.
        message: How big it is.
        advice: What to do next.
    """

    rule: str
    subject: str
    window: str
    since: str
    message: str
    advice: str
