"""Which columns and rows of a table are wanted, for whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlrecipes.errors import DataError, did_you_mean, few

__all__ = ["EVERYTHING", "Selection"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Some columns, and the rows that meet a condition; all, unless it says otherwise.

    >>> some = Selection(columns=("town", "id"), needs=("area",))
    >>> some.scanned(["id", "area", "town", "price"])
    ['id', 'area', 'town']

    Attributes:
        columns: In the order in which they are wanted; none for all.
        condition: On a row, in the SQL of each dialect; none for all rows.
        needs: Columns that the condition names.
        places: Where the keys ``columns`` and ``filter`` stand, such as ``recipe.yaml:7``.
    """

    columns: tuple[str, ...] = ()
    condition: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not self.columns and not self.condition

    def at(self, key: str) -> str:
        """Where a key stands."""
        return self.places.get(key, key)

    def check(self, known: Sequence[str]) -> None:
        """Check that a table has the columns.

        Raises:
            DataError: It lacks one.
        """
        for key, names in (("columns", self.columns), ("filter", self.needs)):
            for name in names:
                if name not in known:
                    raise DataError(
                        f"{self.at(key)}: {key} names '{name}', which is not among the "
                        f"{len(known)} columns of the data ({few(known)}).",
                        hint=did_you_mean(name, known),
                    )

    def kept(self, known: Sequence[str]) -> list[str]:
        """The columns of the result."""
        return list(self.columns) or list(known)

    def scanned(self, known: Sequence[str]) -> list[str]:
        """The columns that must be read, in the table's order."""
        wanted = {*self.kept(known), *self.needs}
        return [name for name in known if name in wanted]


EVERYTHING = Selection()
