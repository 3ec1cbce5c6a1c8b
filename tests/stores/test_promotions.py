"""The ledger in a real registry: processes that race, and processes that are killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mlrecipes.errors import StoreError
from mlrecipes.promotion_ledger import Ledger, Names
from mlrecipes.promotion_records import Entry, Move, State, winners
from mlrecipes.stores.mlflow_client import open_client
from mlrecipes.stores.promotions import MlflowPromotions

NAMES = Names("loans", "champion", "previous_champion")
CHILD = """\
import json, os, signal, sys, time
from pathlib import Path
import mlflow.store.tracking.sqlalchemy_store  # once, for all that are forked
from mlrecipes.errors import GateRejected
from mlrecipes.promotion_ledger import Ledger, Names
from mlrecipes.promotion_records import Entry, Move
from mlrecipes.stores.promotions import MlflowPromotions


class Dying(MlflowPromotions):
    dies_after = None

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name == "dies_after" or name != self.dies_after:
            return found

        def call_and_die(*arguments):
            found(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)

        return call_and_die


def meet(folder, who, n):
    if n > 1:
        folder.mkdir(exist_ok=True)
        (folder / who).touch()
        while len(list(folder.iterdir())) < n:
            time.sleep(0.002)


def promote(uri, who, version, dies_after, folder, rounds, n):
    registry = Dying(uri, uri)
    registry.dies_after = dies_after
    ledger = Ledger(registry, Names("loans", "champion", "previous_champion"), who=who)
    for number in range(rounds):
        seen = ledger.settle()
        meet(folder / str(number), who, n)
        try:
            ledger.move(Entry(Move.PROMOTE, version), seen)
            print("won", number, flush=True)
        except GateRejected as error:
            print("lost" if "Nothing was changed" in str(error) else error, number, flush=True)
        meet(folder / f"{number} done", who, n)  # all have written before the next round


jobs = json.loads(sys.argv[1])
children = []
for job in jobs:
    if (child := os.fork()) == 0:
        promote(job["uri"], job["who"], job["version"], job.get("dies_after"),
                Path(sys.argv[2]), int(sys.argv[3]), len(jobs))
        os._exit(0)
    children.append(child)
print(*[os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with five versions, of which the first is champion."""
    path = tmp_path_factory.mktemp("a store") / "mlflow.db"
    uri = f"sqlite:///{path}"
    client = open_client(uri, uri)
    client.create_registered_model("loans")
    for number in range(5):
        client.create_model_version("loans", f"/models/{number}", tags={"n": str(number)})
    ledger = Ledger(MlflowPromotions(uri, uri), NAMES, who="ann")
    ledger.move(Entry(Move.FIRST, "1"), ledger.settle())
    return path


@pytest.fixture
def uri(database: Path, tmp_path: Path) -> str:
    shutil.copy(database, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


def promoters(jobs: list[dict[str, str]], folder: Path, rounds: int = 1) -> list[str]:
    """Promote in processes of their own; what they said, and at last their exit codes."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(jobs), str(folder), str(rounds)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_of_four_processes_that_promote_at_once_exactly_one_wins_each_time(
    uri: str, tmp_path: Path
) -> None:
    racers = zip("abcd", "2345", strict=True)
    jobs = [{"uri": uri, "who": who, "version": version} for who, version in racers]
    *told, codes = promoters(jobs, tmp_path / "meet", rounds=6)
    assert codes == "0 0 0 0"
    for number in range(6):
        said = sorted(line for line in told if line.endswith(f" {number}"))
        assert said == [f"lost {number}"] * 3 + [f"won {number}"]
    registry = MlflowPromotions(uri, uri)
    rows = registry.entries("loans")
    won = winners(rows)
    assert len(won) == 7
    assert {one.state for one in won} == {State.CLOSED}
    assert {one.state for one in rows if one not in won} <= {State.LOST}
    assert registry.aliases("loans")["champion"] == won[-1].to_version


def test_what_a_killed_promoter_has_begun_is_finished_by_the_next_call(
    database: Path, tmp_path: Path
) -> None:
    """Killed after the intent was written, after the alias, and before the row is closed."""
    jobs = []
    for point in ("append", "point", "tag"):
        copy = shutil.copy(database, tmp_path / f"{point}.db")
        job = {"uri": f"sqlite:///{copy}", "who": f"bob-{point}", "version": "2"}
        jobs.append(job | {"dies_after": point})
    assert promoters(jobs, tmp_path / "meet") == [" ".join([str(-signal.SIGKILL)] * 3)]
    for job in jobs:
        registry = MlflowPromotions(job["uri"], job["uri"])
        assert registry.entries("loans")[-1].state is State.INTENT
        found = Ledger(registry, NAMES, who="eve").settle()
        assert f"of {job['who']}" in found.notes[0]
        assert registry.aliases("loans") == {"champion": "2", "previous_champion": "1"}
        last = registry.entries("loans")[-1]
        assert (last.state, last.repaired, last.who) == (State.CLOSED, "eve", job["who"])
        assert registry.version("loans", "2").tags["mlrecipes.promotion.who"] == job["who"]


def test_a_model_that_is_not_there_has_no_alias_no_version_and_no_ledger(uri: str) -> None:
    registry = MlflowPromotions(uri, uri)
    assert registry.aliases("nobody's") == {}
    assert registry.newest("nobody's") is None
    assert registry.entries("nobody's") == ()
    registry.point("nobody's", "champion", None)
    with pytest.raises(StoreError, match="look up loans version 99"):
        registry.version("loans", "99")


def test_what_others_put_into_the_ledger_is_no_row(uri: str) -> None:
    client = open_client(uri, uri)
    client.create_model_version("loans_promotions", "/models/0", tags={"by": "somebody"})
    assert len(MlflowPromotions(uri, uri).entries("loans")) == 1
    assert MlflowPromotions(uri, uri).newest("loans") == "5"


def test_what_is_no_model_of_a_recipe_is_told_so(uri: str, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("flavors: {}\n")
    client = open_client(uri, uri)
    run_id = client.create_run("0").info.run_id
    client.log_artifact(run_id, str(tmp_path / "model" / "MLmodel"), "model")
    source = f"{client.get_run(run_id).info.artifact_uri}/model"
    version = client.create_model_version("loans", source, run_id)
    with pytest.raises(StoreError, match="cannot be loaded as a model of a recipe"):
        MlflowPromotions(uri, uri).fetch("loans", version.version, tmp_path / "fetched")
