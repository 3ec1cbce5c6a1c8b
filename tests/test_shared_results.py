"""Several machines, one folder for their results: what one made, none makes again."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from mlrecipes import Recipe
from mlrecipes.errors import StoreError
from mlrecipes.records import Action
from tests.conftest import REGRESSION, write_project

SHARED = """
experiment: {tracking_uri: "sqlite:///{{ HOME }}/mlflow.db"}
results:
  workspace: "{{ HOME }}/{{ MACHINE }}"
  location: "{{ HOME }}/volume"
"""
FILES = REGRESSION | {
    "recipe.yaml": REGRESSION["recipe.yaml"] + SHARED,
    "profiles/local.yaml": "MAX_RMSE: 5.0\nHOME: nowhere\nMACHINE: none\n",
}


def checkout(home: Path, name: str) -> Path:
    return home / f"checkout of {name}" / "houses"


def machine(home: Path, name: str) -> Recipe:
    """The recipe as checked out on a machine of its own."""
    root = checkout(home, name)
    if not root.exists():
        write_project(root, FILES)
    return Recipe(profile="local", root=root, overrides={"HOME": str(home), "MACHINE": name})


def actions(recipe: Recipe, to: str) -> dict[str, Action]:
    return {outcome.step: outcome.action for outcome in recipe.run(to)}


def test_each_machine_goes_on_where_the_one_before_it_ended(tmp_path: Path) -> None:
    machine(tmp_path, "one").run("split")
    second = machine(tmp_path, "two")
    assert actions(second, "train") == {
        "ingest": Action.CACHED,
        "split": Action.CACHED,
        "transform": Action.RUN,
        "train": Action.RUN,
    }
    third = machine(tmp_path, "three")
    done = actions(third, "register")
    assert [step for step, action in done.items() if action is Action.RUN] == [
        "evaluate",
        "register",
    ]
    assert set(actions(machine(tmp_path, "four"), "register").values()) == {Action.CACHED}


def test_only_what_is_read_is_copied_and_all_cards_come_along(tmp_path: Path) -> None:
    machine(tmp_path, "one").run("train")
    second = machine(tmp_path, "two")
    second.run("evaluate")
    copied = {path.name for path in (tmp_path / "two" / "objects").rglob("*.parquet")}
    assert "training_data.parquet" in copied
    assert "ingested_data.parquet" not in copied
    assert second.inspect("ingest").facts["status"] == "succeeded"
    assert len(second.get_artifact("ingested_data")) == 400


def test_a_result_that_was_damaged_on_the_way_is_made_again(tmp_path: Path) -> None:
    machine(tmp_path, "one").run("split")
    (stored,) = (tmp_path / "volume" / "objects").rglob("training_data.parquet")
    content = bytearray(stored.read_bytes())
    content[100] ^= 1
    stored.write_bytes(content)
    second = machine(tmp_path, "two")
    assert actions(second, "transform")["split"] is Action.RUN
    whole = second.get_artifact("training_data")
    pd.testing.assert_frame_equal(
        machine(tmp_path, "three").get_artifact("training_data"), whole, check_exact=True
    )


def test_what_was_on_its_way_when_a_machine_died_is_no_result(tmp_path: Path) -> None:
    machine(tmp_path, "one").run("split")
    for folder in (tmp_path / "volume" / "objects").glob("split-*"):
        (folder / "manifest.json").unlink()
    second = machine(tmp_path, "two")
    assert actions(second, "split") == {"ingest": Action.CACHED, "split": Action.RUN}
    assert actions(machine(tmp_path, "three"), "split")["split"] is Action.CACHED


def test_what_is_forgotten_is_forgotten_everywhere(tmp_path: Path) -> None:
    first = machine(tmp_path, "one")
    first.run("split")
    assert first.clean("split") == ["split"]
    assert not list((tmp_path / "volume" / "objects").glob("split-*"))
    assert actions(machine(tmp_path, "two"), "split")["split"] is Action.RUN


def test_a_setting_that_comes_back_finds_its_result_from_another_machine(tmp_path: Path) -> None:
    machine(tmp_path, "one").run("split")
    second = machine(tmp_path, "two")
    recipe = checkout(tmp_path, "two") / "recipe.yaml"
    before = recipe.read_text()
    recipe.write_text(
        before.replace("key_cols: [house]", "key_cols: [house], split_ratios: [0.6, 0.2, 0.2]")
    )
    second.run("split")
    recipe.write_text(before)
    assert actions(second, "split")["split"] is Action.CACHED
    assert actions(machine(tmp_path, "three"), "split")["split"] is Action.CACHED


def test_data_that_changed_on_a_machine_count_there(tmp_path: Path) -> None:
    machine(tmp_path, "one").run("ingest")
    second = machine(tmp_path, "two")
    with (checkout(tmp_path, "two") / "houses.csv").open("a") as file:
        file.write("400,3,50.0,80.0\n")
    assert actions(second, "ingest")["ingest"] is Action.RUN
    assert len(second.get_artifact("ingested_data")) == 401


def test_a_folder_that_cannot_be_written_is_told_and_the_next_run_shares(tmp_path: Path) -> None:
    (tmp_path / "volume").write_text("a file in its place")
    first = machine(tmp_path, "one")
    with pytest.raises(StoreError, match=r"The result of ingest could not be shared in .*volume"):
        first.run("ingest")
    (tmp_path / "volume").unlink()
    assert actions(first, "ingest") == {"ingest": Action.CACHED}
    assert actions(machine(tmp_path, "two"), "ingest") == {"ingest": Action.CACHED}


def test_a_reset_on_one_machine_holds_on_all(tmp_path: Path) -> None:
    first = machine(tmp_path, "one")
    first.run("train")
    first.reset()
    shutil.rmtree(tmp_path / "one")
    done = actions(machine(tmp_path, "two"), "train")
    assert (done["transform"], done["train"]) == (Action.CACHED, Action.RUN)


def test_what_a_function_made_is_not_missed_where_only_its_result_is_needed(tmp_path: Path) -> None:
    files = {
        "recipe.yaml": FILES["recipe.yaml"].replace(
            "{using: csv, location: houses.csv}", "{using: csv, location_method: find}"
        ),
        "steps/ingest.py": """\
import shutil
from pathlib import Path


def find(cache):
    return shutil.copy(Path(__file__).parents[1] / "houses.csv", cache / "fetched.csv")
""",
    }
    write_project(checkout(tmp_path, "one"), FILES | files)
    machine(tmp_path, "one").run("ingest")
    shutil.rmtree(tmp_path / "one")
    assert actions(machine(tmp_path, "one"), "split")["ingest"] is Action.CACHED
