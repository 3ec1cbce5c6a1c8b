"""Promotion from training to rollback, on a real registry: one recipe that learns and forgets."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from mlrecipes import ConfigError, Recipe, RecipeError
from mlrecipes.cli import cli
from mlrecipes.errors import DataError, GateRejected, StoreError
from mlrecipes.promotion_records import Entry, Move
from mlrecipes.records import Action
from mlrecipes.stores.mlflow_client import open_client
from mlrecipes.stores.promotions import MlflowPromotions

FILES = {
    "recipe.yaml": """\
recipe: classification/v1
target_col: paid
positive_class: 1
primary_metric: roc_auc
id_cols: [loan]
steps:
  ingest: {using: parquet, location: loans.parquet}
  split: {using: hash, key_cols: [loan], split_ratios: [0.4, 0.1, 0.5]}
  train:
    estimator_method: estimator_fn
    estimator_params: {columns: {{ COLUMNS }}, spoils: {{ SPOILS }}}
    rebalance_training_data: false
    predict_output: probability
  evaluate:
    validation_criteria:
      - {metric: roc_auc, threshold: {{ MIN_AUC }}}
    slices: [group]
    min_slice_rows: 50
  promote: {n_resamples: 200, required: {{ REQUIRED }}}
model_registry: {model_name: loans}
""",
    "profiles/local.yaml": """\
COLUMNS: [a]
SPOILS: ""
MIN_AUC: 0.3
REQUIRED: false
""",
    "steps/train.py": """\
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression


class Partly(ClassifierMixin, BaseEstimator):
    \"\"\"Sees some columns, and says the contrary for a group that it spoils.\"\"\"

    def __init__(self, columns=("a",), spoils=""):
        self.columns = columns
        self.spoils = spoils

    def fit(self, X, y):
        self.model_ = LogisticRegression().fit(X[list(self.columns)], y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        said = self.model_.predict_proba(X[list(self.columns)])
        is_spoiled = (X["group"] == self.spoils).to_numpy()
        said[is_spoiled] = said[is_spoiled][:, ::-1]
        return said

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def estimator_fn(params):
    return Partly(**params)
""",
}
WORSE = {"COLUMNS": "[c]"}
BETTER = {"COLUMNS": "[a, b]"}
SAME_BUT_NOISE = {"COLUMNS": "[a, c]"}


def loans(n_rows: int = 2_000) -> pd.DataFrame:
    """One row a loan: a and b tell whether it is paid, c is noise, group b is a tenth."""
    random = np.random.default_rng(4)
    a, b, c, noise = random.normal(size=(4, n_rows))
    group = np.where(random.random(n_rows) < 0.1, "b", "a")
    paid = (a + b + noise > 0).astype(int)
    columns = {"loan": np.arange(n_rows), "a": a, "b": b, "c": c, "group": group, "paid": paid}
    return pd.DataFrame(columns)


def write(root: Path) -> Path:
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    loans().to_parquet(root / "loans.parquet")
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A recipe that was never run."""
    return write(tmp_path / "loans")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """First model, then a better one, then a worse one, then one that differs by noise."""
    root = write(tmp_path_factory.mktemp("home") / "loans")
    for values in ({}, BETTER, WORSE, BETTER | {"COLUMNS": "[a, b, c]"}):
        run(root, **values)
    return root


def run(root: Path, **values: str) -> Any:
    Recipe("local", root, values).run()
    return Recipe("local", root, values).get_artifact("promotion")


def registry(root: Path) -> MlflowPromotions:
    uri = f"sqlite:///{root / 'mlflow.db'}"
    return MlflowPromotions(uri, uri)


def rows(root: Path) -> list[tuple[str, str, str, str]]:
    return [
        (str(row.move), str(row.verdict), row.from_version, row.to_version)
        for row in Recipe("local", root).promotions()
    ]


# ---- the story -------------------------------------------------------------------------------


def test_each_outcome_is_in_the_ledger(story: Path) -> None:
    assert rows(story)[:4] == [
        ("first", "first", "", "1"),
        ("promote", "promote", "1", "2"),
        ("decision", "keep", "2", "3"),
        ("decision", "inconclusive", "2", "4"),
    ]


def test_the_better_model_is_champion_and_the_one_before_can_be_gone_back_to(story: Path) -> None:
    aliases = registry(story).aliases("loans")
    assert aliases == {"champion": "2", "previous_champion": "1", "challenger": "4"}


def test_a_version_tells_in_a_year_what_was_decided_about_it_and_on_what(story: Path) -> None:
    tags = registry(story).version("loans", "2").tags
    said = {
        key: tags[f"mlrecipes.promotion.{key}"] for key in ("verdict", "metric", "from_version")
    }
    assert said == {"verdict": "promote", "metric": "roc_auc", "from_version": "1"}
    assert float(tags["mlrecipes.promotion.lower"]) > 0
    assert float(tags["mlrecipes.promotion.champion_value"]) < float(
        tags["mlrecipes.promotion.challenger_value"]
    )
    assert "lies wholly above zero" in tags["mlrecipes.promotion.reason"]
    for key in ("who", "at_utc", "data_digest", "n_rows"):
        assert tags[f"mlrecipes.promotion.{key}"]


def test_all_were_scored_on_the_same_rows(story: Path) -> None:
    ledger = Recipe("local", story).promotions()
    assert len({row.data_digest for row in ledger if row.n_rows}) == 1


def test_a_second_run_decides_nothing_anew(story: Path) -> None:
    recipe = Recipe("local", story, {"COLUMNS": "[a, b, c]"})
    before = len(recipe.promotions())
    assert {outcome.action for outcome in recipe.run()} == {Action.CACHED}
    assert len(recipe.promotions()) == before


def test_the_card_begins_with_the_verdict_and_shows_both_models(story: Path) -> None:
    facts = Recipe("local", story, {"COLUMNS": "[a, b, c]"}).inspect("promote").facts
    titles = [section["title"] for section in facts["sections"]]
    assert titles[:2] == ["Verdict", "Scoreboard"]
    first = facts["sections"][0]["blocks"][0]["text"]
    assert first.startswith("champion stays version 2: inconclusive: difference of roc_auc")
    table = facts["sections"][1]["blocks"][0]
    assert table["columns"][1:3] == ["champion v2", "challenger v4"]
    assert table["rows"][0][0] == "roc_auc"
    assert "Ledger" in titles


def test_the_card_lies_beside_the_model(story: Path) -> None:
    run_id = registry(story).version("loans", "2").run_id
    uri = f"sqlite:///{story / 'mlflow.db'}"
    assert [file.path for file in open_client(uri).list_artifacts(run_id, "promote")] == [
        "promote/card.html"
    ]


def test_the_artifact_is_plain_data(story: Path) -> None:
    promotion = Recipe("local", story, {"COLUMNS": "[a, b, c]"}).get_artifact("promotion")
    assert promotion["outcome"] == "inconclusive"
    assert promotion["champion"] == promotion["champion_before"] == "2"
    assert json.loads(json.dumps(promotion, allow_nan=False)) == promotion


# ---- people ----------------------------------------------------------------------------------


@pytest.fixture
def told(story: Path, tmp_path: Path) -> Path:
    """A copy of the story to go on with: its registry in a file of its own."""
    copy = tmp_path / "loans"
    shutil.copytree(story, copy)
    return copy


def test_a_person_can_promote_all_the_same_and_go_back(told: Path) -> None:
    recipe = Recipe("local", told)
    decided = recipe.promote("3", override="the regulator <b>asks</b> for it")
    assert (decided["move"], decided["champion"]) == ("override", "3")
    assert "the regulator <b>asks</b> for it (verdict:" in recipe.promotions()[-1].reason
    row = recipe.rollback("it denies everybody")
    assert (row.move, row.from_version, row.to_version) == (Move.ROLLBACK, "3", "2")
    assert registry(told).aliases("loans")["champion"] == "2"
    with pytest.raises(GateRejected, match=r"it was rolled back by .*: it denies everybody"):
        recipe.promote("3")
    assert rows(told)[-1] == ("decision", "blocked", "2", "3")
    recipe.rollback("that was not it either")
    assert "previous_champion" not in registry(told).aliases("loans")
    with pytest.raises(DataError, match="is the first champion of loans: there is none before it"):
        recipe.rollback("further back")
    assert recipe.rollback("named", "2").to_version == "2"


def test_the_champion_itself_is_left_alone(told: Path) -> None:
    before = len(rows(told))
    assert Recipe("local", told).promote("2")["outcome"] == "champion"
    assert len(rows(told)) == before


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda recipe: recipe.rollback(" "), "A rollback needs a reason"),
        (lambda recipe: recipe.rollback("x" * 501), "501 characters; 500 fit"),
        (lambda recipe: recipe.promote(override=" "), "An override needs a reason"),
        (lambda recipe: recipe.rollback("so", "2"), "Version 2 is the champion already"),
        (lambda recipe: recipe.rollback("so", "99"), "look up loans version 99"),
        (lambda recipe: recipe.promote("99"), "look up loans version 99"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    story: Path, call: Callable[[Recipe], Any], message: str
) -> None:
    before = rows(story)
    with pytest.raises((RecipeError, StoreError), match=message):
        call(Recipe("local", story))
    assert rows(story) == before


def test_an_alias_that_was_moved_by_hand_is_told_and_counts(told: Path) -> None:
    registry(told).point("loans", "champion", "1")
    heard: list[str] = []
    decided = Recipe("local", told).promote("3", on_event=lambda event: heard.append(event.text))
    assert decided["champion_before"] == "1"
    assert any("was set by hand: promotion 2 made it version 2" in text for text in heard)


def test_a_promoter_that_died_is_finished_by_the_next_decision(told: Path) -> None:
    world = registry(told)
    entry = Entry(Move.PROMOTE, "4", "2", expects=2, who="bob", at_utc="2026-01-02T12:00:00")
    world.append("loans", entry, world.version("loans", "4"))
    heard: list[str] = []
    decided = Recipe("local", told).promote("1", on_event=lambda event: heard.append(event.text))
    assert any("(promote: v2 -> v4) of bob" in text for text in heard)
    assert (decided["outcome"], decided["champion_before"]) == ("keep", "4")


# ---- the command line ------------------------------------------------------------------------


def test_the_command_line_tells_the_ledger_and_goes_back(told: Path) -> None:
    call = CliRunner()
    shown = call.invoke(cli, ["promotions", "--recipe", str(told)]).stdout.splitlines()
    assert shown[0].split() == ["no.", "when", "who", "what", "from", "to", "difference", "reason"]
    assert shown[2].split()[3:6] == ["promote", "1", "2"]
    assert shown[-1] == "4 rows, 0 of them overrides."
    named = ["--recipe", str(told), "--json"]
    back = call.invoke(cli, ["rollback", "--reason", "it is slow", *named])
    assert json.loads(back.stdout)["to_version"] == "1"
    decided = call.invoke(cli, ["promote", "--version", "1", *named])
    assert json.loads(decided.stdout)["outcome"] == "champion"
    refused = call.invoke(cli, ["rollback", *named])
    assert "A rollback needs a reason" in str(refused.exception)


# ---- what is blocked -------------------------------------------------------------------------


def test_a_champion_that_needs_what_the_rows_do_not_have_blocks_and_the_card_says_so(
    told: Path,
) -> None:
    frame = loans()[["loan", "a", "b", "paid"]]
    frame.to_parquet(told / "reference.parquet")
    recipe = (told / "recipe.yaml").read_text()
    named = "promote: {reference: reference.parquet, "
    (told / "recipe.yaml").write_text(recipe.replace("promote: {", named))
    with pytest.raises(GateRejected, match="the champion cannot be scored on these rows") as caught:
        Recipe("local", told).promote("3")
    assert "it needs 'c', 'group'" in caught.value.message
    card = Recipe("local", told).inspect("promote").facts
    assert card["status"] == "rejected"
    assert card["sections"][0]["title"] == "Verdict"
    promoted = Recipe("local", told).promote("3", override="the columns are gone for good")
    assert promoted["champion"] == "3"


def test_a_reference_decides_instead_of_the_test_part(told: Path) -> None:
    loans().tail(700).to_parquet(told / "reference.parquet")
    recipe = (told / "recipe.yaml").read_text()
    named = "promote: {reference: reference.parquet, "
    (told / "recipe.yaml").write_text(recipe.replace("promote: {", named))
    decided = Recipe("local", told).promote("1")
    assert (decided["n_rows"], decided["rows_from"]) == (700, "reference.parquet")
    assert decided["outcome"] == "keep"


def test_another_split_is_told(told: Path) -> None:
    recipe = (told / "recipe.yaml").read_text()
    (told / "recipe.yaml").write_text(recipe.replace("[0.4, 0.1, 0.5]", "[0.5, 0.1, 0.4]"))
    heard: list[str] = []
    Recipe("local", told).promote("1", on_event=lambda event: heard.append(event.text))
    assert any("was trained with another split: it may have learned" in text for text in heard)


def test_what_must_be_promoted_and_is_not_ends_the_run(told: Path) -> None:
    with pytest.raises(GateRejected, match=r"champion stays version 2\. Nothing was changed"):
        run(told, **WORSE, REQUIRED="true")


def test_a_better_model_that_is_worse_for_some_is_blocked(root: Path) -> None:
    run(root)
    with pytest.raises(GateRejected, match=r"slice group = b \(\d+ rows\) loses -0\.\d+"):
        run(root, **BETTER, SPOILS="b")
    assert rows(root)[-1] == ("decision", "blocked", "1", "2")
    assert registry(root).aliases("loans")["champion"] == "1"


def test_a_reset_takes_the_ledger_along_and_the_next_model_is_the_first(told: Path) -> None:
    registry(told).append("other", Entry(Move.FIRST, "1"), registry(told).version("loans", "1"))
    gone = {str(part) for part in Recipe("local", told).reset().goes}
    assert {"model loans", "model loans_promotions", "alias champion"} <= gone
    assert registry(told).entries("other")
    run(told)
    assert rows(told) == [("first", "first", "", "1")]


def test_a_recipe_without_the_section_has_no_promotions(root: Path) -> None:
    recipe = (root / "recipe.yaml").read_text()
    lines = [line for line in recipe.splitlines() if "promote" not in line]
    (root / "recipe.yaml").write_text("\n".join(lines))
    for call in (Recipe("local", root).promote, Recipe("local", root).promotions):
        with pytest.raises(ConfigError, match=r"steps.promote is missing. Add it"):
            call()
    assert Recipe("local", root).steps[-1] == "register"
