"""What of the things that were found goes, and why the rest stays."""

from typing import Any

import pytest

from mlrecipes.cleaning import FoundExperiment, FoundModel, FoundRun, RecipeMark
from mlrecipes.reset_plan import Found, FoundTable, Goes, Held, Kind, plan_reset

MARK = RecipeMark("ab12", "local")
HOUSES = FoundExperiment("1", "houses")


def own(run_id: str, **more: Any) -> FoundRun:
    return FoundRun(run_id, "1", mark=MARK, **more)


def found(*runs: FoundRun, held: Held | None = None, **more: Any) -> Found:
    """An experiment with these runs, and what is the recipe's among them."""
    ours = tuple(run for run in runs if run.mark == MARK)
    held = held or Held(HOUSES, runs)
    return Found(MARK, runs=ours, experiments=(held,), **more)


def names(plan_of: Found) -> list[str]:
    return [str(part) for part in plan_reset(plan_of).goes]


def why(plan_of: Found) -> list[str]:
    return [part.why for part in plan_reset(plan_of).stays]


def test_an_experiment_with_nothing_else_in_it_goes_after_its_runs() -> None:
    assert names(found(own("a"), own("b"))) == ["run a", "run b", "experiment houses"]


def test_what_refers_to_a_thing_goes_before_it() -> None:
    model = FoundModel("houses", ("1", "2"), {"champion": "2"})
    tables = (FoundTable("bureau", 3),)
    assert names(found(own("a"), model=model, tables=tables)) == [
        "alias champion",
        "version 1",
        "version 2",
        "model houses",
        "run a",
        "experiment houses",
        "feature table bureau",
    ]


def test_an_experiment_with_a_run_of_others_stays() -> None:
    others = (FoundRun("x", "1"), FoundRun("y", "1", mark=RecipeMark("cd34", "local")))
    assert names(found(own("a"), *others)) == ["run a"]
    assert why(found(own("a"), *others)) == ["it holds 2 runs that this recipe did not make"]


def test_an_experiment_with_runs_of_another_profile_stays_and_names_it() -> None:
    other = FoundRun("x", "1", mark=RecipeMark("ab12", "prod"))
    assert names(found(own("a"), other)) == ["run a"]
    assert why(found(own("a"), other)) == ["it holds 1 run of profile 'prod'"]


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        (Held(FoundExperiment("0", "Default"), (own("a"),)), "it is MLflow's Default experiment"),
        (
            Held(HOUSES, (own("a"),), is_named_by_id=True),
            "the recipe names it by its id, which a new one would not get",
        ),
        (
            Held(FoundExperiment("1", "houses", is_notebook=True), (own("a"),)),
            "it belongs to a notebook of Databricks",
        ),
    ],
)
def test_some_experiments_stay_although_all_their_runs_go(held: Held, reason: str) -> None:
    assert names(found(own("a"), held=held)) == ["run a"]
    assert why(found(own("a"), held=held)) == [reason]


def test_an_experiment_that_never_held_a_run_of_the_recipe_stays() -> None:
    assert why(found()) == ["it never held a run of this recipe"]


def test_an_experiment_whose_runs_are_deleted_already_goes() -> None:
    assert names(found(held=Held(HOUSES, n_deleted_own=1))) == ["experiment houses"]


def family(*children: FoundRun, **parent: Any) -> Found:
    """Runs below a run of mlflow run, all in one experiment."""
    above = FoundRun("p", "1", **({"is_project": True} | parent))
    return found(*children, above, parents=(above,), children={"p": children})


def test_a_run_of_the_project_goes_before_its_children() -> None:
    both = family(own("a", parent_id="p"), own("b", parent_id="p"))
    assert names(both) == ["project run p", "run a", "run b", "experiment houses"]


def test_a_run_of_the_project_with_a_child_of_others_stays() -> None:
    mixed = family(own("a", parent_id="p"), FoundRun("x", "1", parent_id="p"))
    assert names(mixed) == ["run a"]
    assert why(mixed) == [
        "it has 1 child of others",
        "it holds 2 runs that this recipe did not make",
    ]


def test_a_parent_that_mlflow_run_did_not_make_stays() -> None:
    assert why(family(own("a", parent_id="p"), is_project=False)) == [
        "it was not made by mlflow run",
        "it holds 1 run that this recipe did not make",
    ]


def test_the_run_of_the_reset_and_its_experiment_stay() -> None:
    above = FoundRun("p", "1", is_project=True)
    child = own("a", parent_id="p")
    now = found(child, above, parents=(above,), children={"p": (child,)}, active_run_id="p")
    assert names(now) == ["run a"]
    assert why(now) == ["this reset runs in it"] * 2


def test_open_runs_are_told() -> None:
    (run, _experiment) = plan_reset(found(own("a", status="RUNNING"))).goes
    assert run == Goes(Kind.RUN, "a", "1", "still open")


def test_feature_tables_of_others_stay() -> None:
    both = found(tables=(FoundTable("bureau", 3),), other_tables=("weather",))
    assert "feature table bureau" in names(both)
    assert "the recipe neither defines it nor looks it up" in why(both)
