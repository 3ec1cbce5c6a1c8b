"""The expectation that a value exists in another table, as a type of Great Expectations.

It lets Great Expectations load suites that use it. A batch alone cannot answer it, so our own
checkers do: Great Expectations by itself says that it could not be checked.
"""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.expectations.expectation import BatchExpectation

__all__ = ["ExpectColumnValuesToExistInOtherTable"]


class ExpectColumnValuesToExistInOtherTable(BatchExpectation):
    """Expect each value of a column to be among those of a column of another table."""

    column: str
    other_table: Any
    other_column: str
    mostly: float = 1.0

    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.row_count",)
    success_keys: ClassVar[tuple[str, ...]] = ("column", "other_table", "other_column", "mostly")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        raise ValueError("The other table is not part of the batch: mlrecipes checks it.")
