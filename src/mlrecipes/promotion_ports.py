"""What promotion asks of the registry: versions, aliases, and an ordered log.

``mlrecipes.stores`` implements it for real, ``mlrecipes.testing`` in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mlrecipes.feature_records import Lookup
from mlrecipes.promotion_records import Entry

__all__ = ["FetchedModel", "PromotionRegistry", "VersionFacts"]


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What the registry knows of a version.

    Attributes:
        run_id: The run that made it; empty if it is not known.
        tags: As the registry names them; Unity Catalog knows no dots in names.

    >>> VersionFacts("loans", "1", "", tags={"mlrecipes_split": "a"}).tag("mlrecipes.split")
    'a'
    """

    name: str
    version: str
    source: str
    run_id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def tag(self, name: str) -> str | None:
        """The tag that was written under this name; None if there is none."""
        return self.tags.get(name, self.tags.get(name.replace(".", "_")))


@dataclass(frozen=True, slots=True, eq=False)
class FetchedModel:
    """A registered model, ready to score.

    Attributes:
        pipeline: The fitted scikit-learn pipeline.
        columns: The raw columns that it takes, in their order.
        fit: Gives rows of raw features the columns and types that the pipeline was fitted on;
            raises ValueError where they cannot be given.
        lookups: How its columns were looked up in feature tables.
    """

    pipeline: Any
    columns: tuple[str, ...]
    fit: Any
    lookups: tuple[Lookup, ...] = ()


class PromotionRegistry(Protocol):
    """A registered model, its aliases, and the ledger of its promotions.

    All methods raise ``StoreError`` if the registry refuses and ``TryAgain`` if it does not
    answer.
    """

    @property
    def user(self) -> str:
        """Who acts, for the ledger."""
        ...

    def aliases(self, name: str) -> Mapping[str, str]:
        """Alias to version; empty if there is no such model."""
        ...

    def version(self, name: str, version: str) -> VersionFacts:
        """Look a version up.

        Raises:
            StoreError: There is none, or it is not ready.
        """
        ...

    def newest(self, name: str) -> str | None:
        """The highest version; None if there is none."""
        ...

    def point(self, name: str, alias: str, version: str | None) -> None:
        """Let an alias point at a version; None takes the alias away."""
        ...

    def tag(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Set tags of a version."""
        ...

    def append(self, name: str, entry: Entry, about: VersionFacts) -> int:
        """Write a row of the ledger at once and whole, and give its number.

        Numbers grow; a row with a smaller number was written before.

        Args:
            name: The registered model's name.
            entry: The row.
            about: The version that it is about.
        """
        ...

    def entries(self, name: str) -> Sequence[Entry]:
        """All rows of the ledger, in their order."""
        ...

    def amend(self, name: str, number: int, values: Mapping[str, str]) -> None:
        """Set fields of a row, by their names."""
        ...

    def fetch(self, name: str, version: str, folder: Path) -> FetchedModel:
        """Load a version's pipeline with the code that was logged with it.

        Raises:
            StoreError: It is not there, or is no model of a recipe.
        """
        ...
