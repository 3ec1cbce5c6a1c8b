"""Turn a loan into numbers, as the other recipe on these loans does."""

from sba_loans.numbers import transformer_fn

__all__ = ["transformer_fn"]
