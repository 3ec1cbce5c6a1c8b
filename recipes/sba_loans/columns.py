"""The columns of a loan that are known on the day of its approval, cleaned.

A column is listed here, or a recipe adds it by name, or it does not exist for a model; the README
of each recipe has a line of reason for every column, kept or left out.
"""

from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from sba_loans.atomic import written_whole
from sba_loans.download import sha256_of

__all__ = ["AT_APPROVAL", "select_loans"]

# Unknown is stored in many ways: NAICS 0, NewExist 0, UrbanRural 0, and any RevLineCr or LowDoc
# other than Y and N. Franchise codes 0 and 1 both mean "no franchise".
AT_APPROVAL = """
    CAST(LoanNr_ChkDgt AS BIGINT) AS LoanNr_ChkDgt,
    CAST(ApprovalDate AS TIMESTAMP) AS ApprovalDate,
    CAST(State AS VARCHAR) AS State,
    CAST(BankState AS VARCHAR) AS BankState,
    CASE WHEN NAICS >= 110000 THEN left(CAST(NAICS AS VARCHAR), 2) END AS Sector,
    CASE WHEN RevLineCr IN ('Y', 'N') THEN RevLineCr END AS RevLineCr,
    CASE WHEN LowDoc IN ('Y', 'N') THEN LowDoc END AS LowDoc,
    CASE NewExist WHEN 1 THEN 'existing' WHEN 2 THEN 'new' END AS Business,
    CASE UrbanRural WHEN 1 THEN 'urban' WHEN 2 THEN 'rural' END AS UrbanRural,
    CAST(FranchiseCode > 1 AS DOUBLE) AS IsFranchise,
    CAST(NoEmp AS DOUBLE) AS NoEmp,
    CAST(CreateJob AS DOUBLE) AS CreateJob,
    CAST(RetainedJob AS DOUBLE) AS RetainedJob,
    CAST(GrAppv AS DOUBLE) AS GrAppv,
    CAST(SBA_Appv AS DOUBLE) AS SBA_Appv
"""


def select_loans(loans: Path, query: str, name: str, cache: Path) -> Path:
    """Return a Parquet file with what a query finds in the loans, writing it when it is not cached.

    Args:
        loans: Typed loans: the columns of ``LOAN_SCHEMA``, whatever the width of their numbers.
        query: SQL of DuckDB with ``FROM read_parquet(?)``.
        name: Begins the file's name; another one for each query, with the version of its text.
        cache: Folder kept between runs.

    Raises:
        ValueError: The file has other columns.
    """
    target = cache / f"sba-{name}-{sha256_of(loans)[:16]}.parquet"
    if target.is_file():
        return target
    with duckdb.connect() as database:
        try:
            table = database.sql(query, params=[str(loans)]).to_arrow_table()
        except duckdb.Error as exc:
            raise ValueError(
                f"{loans.name}: not a Parquet file of SBA loans: {str(exc)[:200]}"
            ) from exc
    with written_whole(target) as unfinished:
        pq.write_table(table, unfinished, compression="zstd")
    return target
