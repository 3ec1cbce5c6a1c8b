"""Write the eight Home Credit tables with synthetic rows: same columns, types, rules and signal.

    from steps.home_credit.synthetic import write_tables
    write_tables(Path("data"), applicants=20_000, seed=42)

Applicants are made in chunks, each with random streams of its own per table, so that memory
does not grow with the number of applicants and one table never changes another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from steps.home_credit.applicants import Applicants, Part, draw_applicants
from steps.home_credit.applications import make_application
from steps.home_credit.bureau import make_bureau
from steps.home_credit.bureau_months import count_orphans, make_bureau_balance
from steps.home_credit.card_balance import make_card_balance
from steps.home_credit.columns import Column, to_schema, to_table
from steps.home_credit.loans import find_contracts
from steps.home_credit.marginals import IntArray
from steps.home_credit.older_contracts import draw_older_cards, draw_older_loans
from steps.home_credit.payments import make_payments
from steps.home_credit.pos_balance import make_pos_balance
from steps.home_credit.previous import make_previous
from steps.home_credit.profile import load_types

#: Raise it with every change of the generated rows: cached tables of older versions are left.
GENERATOR_VERSION = 2
FEWEST_APPLICANTS, MOST_APPLICANTS = 100, 307_511
TEST_APPLICANTS_PER_TRAIN = 48_744 / 307_511
CHUNK_SIZE = 10_000
ID_RANGES = {
    "SK_ID_CURR": (100_001, 456_255),
    "SK_ID_PREV": (1_000_001, 2_845_382),
    "SK_ID_BUREAU": (5_000_000, 6_843_457),
}
STREAMS = (
    "people",
    "application",
    "bureau",
    "bureau_balance",
    "previous",
    "pos",
    "card",
    "payments",
)


def write_tables(folder: Path, applicants: int, seed: int) -> None:
    """Write all eight tables as `<name>.parquet` into the folder, which is made when missing.

    Args:
        folder: where the files go; files of the same names are replaced.
        applicants: rows of application_train, 100 to 307,511.
        seed: the same pair (applicants, seed) gives byte-identical files.

    Raises:
        ValueError: when `applicants` is out of range.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chunks = generate(applicants, seed)
    writers = {
        name: pq.ParquetWriter(folder / f"{name}.parquet", to_schema(types))
        for name, types in load_types().items()
    }
    try:
        for chunk in chunks:
            for name, table in chunk.items():
                writers[name].write_table(table)
    finally:
        for writer in writers.values():
            writer.close()


def generate(applicants: int, seed: int) -> Iterator[dict[str, pa.Table]]:
    """The same tables in memory, chunk by chunk: each item holds some rows of seven tables.

    Raises:
        ValueError: when `applicants` is out of range.
    """
    check_applicants(applicants)
    return _chunks(applicants, seed)


def check_applicants(applicants: int) -> None:
    """Refuse numbers of applicants for which the tables cannot be made.

    Raises:
        ValueError: when it is not a whole number from 100 to 307,511.
    """
    is_whole = isinstance(applicants, int) and not isinstance(applicants, bool)
    if is_whole and FEWEST_APPLICANTS <= applicants <= MOST_APPLICANTS:
        return
    raise ValueError(
        f"applicants is {applicants!r}, expected a whole number from {FEWEST_APPLICANTS} to "
        f"{MOST_APPLICANTS} (the size of the real application_train). "
        "Change steps.ingest in recipe.yaml or its profile."
    )


def _chunks(applicants: int, seed: int) -> Iterator[dict[str, pa.Table]]:
    root, *streams = np.random.SeedSequence(seed).spawn(len(STREAMS) + 1)
    ids = np.random.default_rng(root)
    people_ids = _split_ids(applicants, ids)
    keys = {name: _Keys(name, ids) for name in ("SK_ID_PREV", "SK_ID_BUREAU")}
    for part, numbers in people_ids.items():
        for start in range(0, len(numbers), CHUNK_SIZE):
            rngs = {
                name: np.random.default_rng(stream.spawn(1)[0])
                for name, stream in zip(STREAMS, streams, strict=True)
            }
            chunk = numbers[start : start + CHUNK_SIZE]
            people = draw_applicants(chunk, part, rngs["people"])
            yield _make_tables(people, keys, rngs)


def _split_ids(applicants: int, rng: np.random.Generator) -> dict[Part, IntArray]:
    n_test = round(applicants * TEST_APPLICANTS_PER_TRAIN)
    first, last = ID_RANGES["SK_ID_CURR"]
    drawn = rng.permutation(np.arange(first, last + 1))[: applicants + n_test]
    return {"train": np.sort(drawn[:applicants]), "test": np.sort(drawn[applicants:])}


class _Keys:
    """Unused keys of a history table, in an order that looks random."""

    def __init__(self, name: str, rng: np.random.Generator) -> None:
        first, last = ID_RANGES[name]
        self._left = rng.permutation(np.arange(first, last + 1))

    def take(self, n: int) -> IntArray:
        taken, self._left = self._left[:n], self._left[n:]
        return taken


def _make_tables(
    people: Applicants, keys: Mapping[str, _Keys], rngs: Mapping[str, np.random.Generator]
) -> dict[str, pa.Table]:
    application = f"application_{people.part}"
    tables: dict[str, Mapping[str, Column]] = {
        application: make_application(people, rngs["application"])
    }
    tables |= _bureau_tables(people, keys["SK_ID_BUREAU"], rngs)
    tables |= _previous_tables(people, keys["SK_ID_PREV"], rngs)
    return {name: to_table(columns, load_types()[name]) for name, columns in tables.items()}


def _bureau_tables(
    people: Applicants, keys: _Keys, rngs: Mapping[str, np.random.Generator]
) -> dict[str, Mapping[str, Column]]:
    bureau = make_bureau(people, rngs["bureau"])
    n_credits = len(np.asarray(bureau["SK_ID_CURR"]))
    bureau["SK_ID_BUREAU"] = keys.take(n_credits)
    orphans = keys.take(count_orphans(people, n_credits))
    months = make_bureau_balance(people, bureau, orphans, rngs["bureau_balance"])
    return {"bureau": bureau, "bureau_balance": months}


def _previous_tables(
    people: Applicants, keys: _Keys, rngs: Mapping[str, np.random.Generator]
) -> dict[str, Mapping[str, Column]]:
    previous = make_previous(people, rngs["previous"])
    previous["SK_ID_PREV"] = keys.take(len(np.asarray(previous["SK_ID_CURR"])))
    loans = find_contracts(people, previous, "loan")
    loans = loans.joined(draw_older_loans(people, loans, keys.take, rngs["pos"]))
    cards = find_contracts(people, previous, "card")
    cards = cards.joined(draw_older_cards(people, cards, keys.take, rngs["card"]))
    card_months = make_card_balance(cards, rngs["card"])
    return {
        "previous_application": previous,
        "POS_CASH_balance": make_pos_balance(loans, rngs["pos"]),
        "credit_card_balance": card_months,
        "installments_payments": make_payments(loans, cards, card_months, rngs["payments"]),
    }
