"""Great Expectations itself: on pandas for types without translation, on Spark for all types.

Its import takes seconds, so nothing imports this module before it is needed.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlrecipes.errors import MAX_EXAMPLES, StoreError, shorten
from mlrecipes.quality_records import EXISTS_ELSEWHERE, UNEXPECTED_ROWS, Expectation, Finding
from mlrecipes.stores.quality_sql import mask
from mlrecipes.stores.spark_rows import ticked

__all__ = ["build_docs", "check_pandas", "check_spark", "load_suite"]

PLACE = "mlrecipes.place"
OF_A_TABLE = ("expect_table_", "expect_column_to_exist")
COUNTED = "unexpected_count"


def load_suite(name: str, expectations: Sequence[Expectation]) -> Any:
    """A suite as Great Expectations' own ``ExpectationSuite``, without our own type.

    Raises:
        StoreError: Great Expectations does not take it.
    """
    with _imported() as gx:
        configs = []
        for place, expectation in enumerate(expectations):
            if expectation.type == EXISTS_ELSEWHERE:
                _register()
            config = expectation.config
            config["meta"] = config["meta"] | {PLACE: place}
            config["description"] = config["description"] or None
            configs.append(config)
        try:
            return gx.ExpectationSuite(name=name, expectations=configs)
        except Exception as error:
            first = shorten(str(error).strip(), limit=300)
            raise StoreError(f"Great Expectations does not take {name}: {first}") from error


def check_pandas(
    frame: Any, expectations: Sequence[Expectation], *, shows_values: bool = False
) -> list[Finding]:
    """Run expectations on a pandas frame, one finding each in their order."""
    return _check("pandas", frame, expectations, shows_values=shows_values)


def check_spark(
    frame: Any, expectations: Sequence[Expectation], *, shows_values: bool = False
) -> list[Finding]:
    """Run expectations on a DataFrame of Spark, one finding each in their order."""
    return _check("spark", frame, expectations, shows_values=shows_values)


def build_docs(results: Sequence[tuple[str, Any, Sequence[Expectation]]], folder: Path) -> Path:
    """Render Great Expectations' Data Docs of some pandas frames into a folder.

    They load scripts and styles from the network, and show values of the data without escaping.

    Args:
        results: Suite name, frame and expectations of each table.
        folder: Where the pages are written.

    Returns:
        The first page.
    """
    with _imported() as gx:
        context = _context(gx)
        backend = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)}
        site = {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": backend,
        }
        if "local_site" in context.list_data_docs_sites():
            context.delete_data_docs_site("local_site")
        context.add_data_docs_site(site_name="mlrecipes", site_config=site)
        source = context.data_sources.add_pandas("tables")
        for name, frame, expectations in results:
            own = [one for one in expectations if one.type != EXISTS_ELSEWHERE]
            suite = context.suites.add(load_suite(name, own))
            asset = source.add_dataframe_asset(name)
            batch = asset.add_batch_definition_whole_dataframe("whole")
            definition = gx.ValidationDefinition(name=name, data=batch, suite=suite)
            context.validation_definitions.add(definition)
            checkpoint = gx.Checkpoint(
                name=name,
                validation_definitions=[definition],
                actions=[gx.checkpoint.UpdateDataDocsAction(name="docs")],
            )
            context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": frame})
    return folder / "index.html"


# ---- running -----------------------------------------------------------------------------------


def _check(
    engine: str, frame: Any, expectations: Sequence[Expectation], *, shows_values: bool
) -> list[Finding]:
    suite = load_suite("checked", expectations)
    with _imported() as gx:
        context = _context(gx)
        source = getattr(context.data_sources, f"add_{engine}")("tables")
        asset = source.add_dataframe_asset("table")
        batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
        validated = batch.validate(suite, result_format={"result_format": "SUMMARY"})
        results = validated.to_json_dict()["results"]
    n_rows = len(frame) if engine == "pandas" else frame.count()
    placed = {one["expectation_config"]["meta"][PLACE]: one for one in results}
    findings = [
        _finding(expectation, placed[place], n_rows, shows_values=shows_values)
        for place, expectation in enumerate(expectations)
    ]
    return [_unless_empty(finding, engine, frame) for finding in findings]


def _unless_empty(finding: Finding, engine: str, frame: Any) -> Finding:
    """A statement about a whole column needs a value in it to be one."""
    kind, columns = finding.expectation.type, finding.expectation.columns
    says_itself = finding.problem or finding.n_unexpected is not None
    if says_itself or len(columns) != 1 or kind.startswith(OF_A_TABLE):
        return finding
    if engine == "pandas":
        is_empty = bool(frame[columns[0]].isna().all())
    else:
        is_empty = frame.where(frame[ticked(columns[0])].isNotNull()).limit(1).count() == 0
    return replace(finding, is_met=False, problem="there are no values.") if is_empty else finding


def _finding(
    expectation: Expectation, said: Mapping[str, Any], n_rows: int, *, shows_values: bool
) -> Finding:
    """A result of Great Expectations, by our rule that looking at nothing is no pass."""
    result, problem = said["result"], _exception(said["exception_info"])
    is_of_values = COUNTED in result
    n_missing = result.get("missing_count")
    n_all = int(result.get("element_count", n_rows))
    is_met = bool(said["success"]) and not problem
    if not problem and not expectation.type.startswith(OF_A_TABLE):
        is_empty = n_all - (n_missing or 0) == 0
        if is_empty or (not is_of_values and n_rows == 0):
            problem = "there are no rows." if n_rows == 0 else "there are no values."
            is_met = False
    if expectation.type == UNEXPECTED_ROWS and not problem:
        n_bad = int(result["observed_value"])
        is_met = (n_rows - n_bad) / n_rows >= expectation.mostly
        return Finding(expectation, is_met=is_met, n_rows=n_rows, n_unexpected=n_bad)
    listed = result.get("partial_unexpected_list", [])[:MAX_EXAMPLES] if not is_met else []
    show = shorten if shows_values else mask
    return Finding(
        expectation,
        is_met=is_met,
        n_rows=n_all,
        n_missing=n_missing,
        n_unexpected=result.get(COUNTED),
        observed=result.get("observed_value"),
        examples=tuple(shorten(show(value)) for value in listed),
        problem=problem,
    )


def _exception(info: Mapping[str, Any]) -> str:
    """What went wrong, in the first words of Great Expectations; nothing if nothing did."""
    for one in (info, *(value for value in info.values() if isinstance(value, Mapping))):
        if one.get("raised_exception"):
            return shorten(one.get("exception_message") or "it failed.", limit=300)
    return ""


def _context(gx: Any) -> Any:
    """A context in memory that draws no bars."""
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context


@contextmanager
def _imported() -> Iterator[Any]:
    """Great Expectations, silent: it asks no server, draws no bars and warns of no pandas.

    Raises:
        StoreError: It is not installed, or its import would end the process.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import great_expectations as gx
        except ImportError as error:
            raise StoreError(
                "Great Expectations is not installed.",
                hint="Install it: pip install great-expectations",
            ) from error
        except SystemExit as error:  # PySpark without grpc, asked from `python -c`
            raise StoreError(
                "Great Expectations cannot be imported from `python -c` beside this PySpark.",
                hint="Write the program into a file, or use python -m.",
            ) from error
        yield gx


def _register() -> None:
    """Let Great Expectations know our type, so that it can load suites that use it."""
    from great_expectations.expectations.registry import get_expectation_impl

    try:
        get_expectation_impl(EXISTS_ELSEWHERE)
    except Exception:  # noqa: BLE001 - whatever it raises says that there is none
        from mlrecipes.stores import quality_foreign_key  # noqa: F401 - its class registers itself
