"""What was scored is compared with the training, and somebody is told."""

import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from deltalake import DeltaTable

from mlrecipes import ConfigError, Recipe
from mlrecipes.errors import DataError, StoreError
from mlrecipes.execution import Event
from mlrecipes.recipe import MonitorOptions, PredictOptions
from mlrecipes.stores.mlflow_client import open_client
from tests.conftest import CLASSIFICATION, REGRESSION, houses, write_project

MONITOR = """\
  ingest_scoring: {using: csv, location: for_sale.csv}
  predict: {output: {using: delta, location: predictions}, save_mode: append}
  promote: {}
  monitor:
    min_rows: 100
    labels: {using: csv, location: sold.csv}
    label_delay: 60d
    window: month
"""
SLICED = "{metric: roc_auc, threshold: {{ MIN_AUC }}}\n    slices: ['rooms > 4']\n"
RECIPE = CLASSIFICATION | {
    "recipe.yaml": CLASSIFICATION["recipe.yaml"]
    .replace("model_registry:", f"{MONITOR}model_registry:")
    .replace("{metric: roc_auc, threshold: {{ MIN_AUC }}}\n", SLICED)
    .replace("{using: stratified}", "{using: stratified, split_ratios: [0.5, 0.4, 0.1]}"),
}
UNTIL = "2026-08-01"


def rows_of(n_rows: int, seed: int, more_area: float = 0.0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rooms, area = random.integers(1, 9, n_rows), random.uniform(30, 200, n_rows) + more_area
    price = 10 * rooms + area + random.normal(0, 2, n_rows)
    sold = np.where(price + random.normal(0, 20, n_rows) < 160, "yes", "no")
    house = seed * 10_000 + np.arange(n_rows)
    columns = {"house": house, "rooms": rooms, "area": area, "price": price, "sold": sold}
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A champion, and four months of rows that it scored; the last one is of larger houses."""
    root = write_project(tmp_path_factory.mktemp("watched") / "recipe", RECIPE)
    rows_of(3_000, 1).to_csv(root / "houses.csv", index=False)
    rows_of(400, 2).drop(columns=["sold", "price"]).to_csv(root / "for_sale.csv", index=False)
    recipe = Recipe("local", root)
    recipe.run()
    months, labels = [], []
    for number, more in enumerate([0, 0, 0, 60], 4):
        rows = rows_of(600, number, more)
        labels.append(rows[["house", "sold"]])
        scored = recipe.score_batch(rows.drop(columns="sold"))
        day = pd.Timestamp(2026, number, 15, tz="UTC")
        scored["probability"] = scored["prediction"]
        months.append(scored.assign(scored_at=day, model_version="1"))
    pd.concat(labels).to_csv(root / "sold.csv", index=False)
    pd.concat(months).to_parquet(root / "scored.parquet", index=False)
    return root


@pytest.fixture
def root(trained: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "recipe"
    shutil.copytree(trained, copy)
    return copy


def set_monitor(root: Path, text: str) -> None:
    path, first = root / "recipe.yaml", "    min_rows: 100\n"
    path.write_text(path.read_text().replace(first, first + text))


def look(root: Path, until: str = UNTIL, **options: str) -> dict[str, Any]:
    asked = MonitorOptions(input=str(root / "scored.parquet"), until=until, **options)
    return Recipe("local", root).monitor(asked)


def table(root: Path, name: str) -> pd.DataFrame:
    return DeltaTable(root / "monitoring" / name).to_pandas()


def test_right_after_a_promotion_there_is_nothing_to_monitor_yet(root: Path) -> None:
    facts = Recipe("local", root).monitor()
    assert (facts["status"], facts["why"]) == ("nothing to monitor yet", "nothing was scored yet")
    assert facts["alerts"] == []


def test_what_another_model_scored_is_no_batch_of_the_champion(root: Path) -> None:
    frame = pd.read_parquet(root / "scored.parquet")
    frame = frame.assign(model_name="sold_houses", model_version="0")
    frame.to_parquet(root / "scored.parquet")
    facts = look(root)
    assert facts["why"] == "sold_houses version 1 has scored nothing yet, other models 2,400 rows"


def test_predictions_are_compared_with_the_training_and_a_repeat_adds_nothing(root: Path) -> None:
    recipe = Recipe("local", root)
    recipe.predict()
    first, again = recipe.monitor(), recipe.monitor()
    assert (first["status"], first["alerts"]) == ("no alert", [])
    assert (
        first["added"] == {"profile": 3, "drift": 3, "performance": 5, "alerts": 0}
        or first["added"]
    )
    assert set(again["added"].values()) == {0}
    profile = table(root, "profile").set_index("column")
    assert set(profile.index) == {"rooms", "area", "probability"}
    assert (profile["n_rows"] == 400).all()
    run = open_client(f"sqlite:///{root / 'mlflow.db'}").get_run(first["monitor_run_id"])
    assert run.data.metrics["n_alerts"] == 0
    assert "psi.probability" in run.data.metrics
    assert run.data.tags["mlflow.pipeline.step.name"] == "monitor"
    assert run.info.status == "FINISHED"
    recipe.predict(PredictOptions(batch_id="other"))
    more = recipe.monitor()
    assert more["windows"][0]["rows"] == 800
    assert len(table(root, "profile")) == 6


def test_larger_houses_raise_an_alert_with_since_and_size(root: Path) -> None:
    facts = look(root)
    assert [one["window"] for one in facts["windows"]] == [
        "2026-04-01",
        "2026-05-01",
        "2026-06-01",
        "2026-07-01",
    ]
    assert [one["is_alarm"] for one in facts["windows"]] == [False, False, False, True]
    by_subject = {one["subject"]: one for one in facts["alerts"] if one["rule"] != "performance"}
    assert set(by_subject) == {"area", "all features", "probability"}
    area = by_subject["area"]
    assert (area["rule"], area["window"], area["since"]) == ("drift", "2026-07-01", "2026-07-01")
    assert "mean +0.98 ± 0.05 sd" in area["message"]
    assert facts["windows"][-1]["changed_since_before"] == ["area"]
    drift = table(root, "drift")
    now = drift[(drift["window"] == "2026-07-01") & (drift["comparison"] == "previous")]
    assert now.set_index("column")["level"].to_dict() == {
        "area": "severe",
        "rooms": "stable",
        "probability": "severe",
    }


def test_the_card_shows_what_since_when_and_what_to_do(root: Path) -> None:
    look(root)
    card = Recipe("local", root).inspect("monitor")
    titles = [section["title"] for section in card.facts["sections"]]
    assert titles == ["Alerts", "Trend", "Drift (2026-07-01)", "Performance"]
    html = card.path.read_text()
    assert "Ask the owner of the column what changed" in html
    assert "Back-test" in html
    assert "area: rows in each cell" in html


def test_features_are_found_by_the_keys_of_what_was_scored(root: Path) -> None:
    scored = pd.read_parquet(root / "scored.parquet")
    scored[["house", "area"]].to_csv(root / "areas.csv", index=False)
    scored.drop(columns=["area", "rooms"]).to_parquet(root / "scored.parquet")
    set_monitor(root, "    features: {using: csv, location: areas.csv}\n")
    facts = look(root)
    assert {one["subject"] for one in facts["alerts"]} == {"area", "all features", "probability"}
    assert facts["windows"][-1]["not_compared"] == ["rooms"]


def test_labels_that_are_final_tell_how_good_it_was(root: Path) -> None:
    """On the first of August with a delay of 60 days, April and May are final, June is not."""
    facts = look(root)
    realised = [
        {p["metric"]: p for p in one["performance"] if p["kind"] == "realised" and not p["slice"]}
        for one in facts["windows"]
    ]
    assert [bool(one) for one in realised] == [True, True, False, False]
    april = realised[0]["roc_auc"]
    assert april["low"] < april["value"] < april["high"]
    assert (april["n_rows"], april["n_labelled"], april["is_lost"]) == (600, 600, False)
    slices = {p["slice"] for p in facts["windows"][0]["performance"]}
    assert slices == {"", "rooms > 4"}
    estimates = [
        [p for p in one["performance"] if p["kind"] == "estimated"] for one in facts["windows"]
    ]
    assert {p["note"] for p in estimates[0]} == {"CBPE"}
    assert [p["note"] for p in estimates[3]] == [
        "not estimated: the score drifts, so rows lie where little was learned"
    ]
    tested = {one["metric"]: one for one in facts["backtest"] if one["window"] == "2026-04-01"}
    assert tested["roc_auc"]["within"] is True
    assert abs(tested["roc_auc"]["error"]) < 0.03


def test_a_model_that_is_surely_worse_raises_an_alert(root: Path) -> None:
    labels = pd.read_csv(root / "sold.csv")
    is_may = labels["house"].between(50_000, 59_999)
    random = np.random.default_rng(0)
    labels.loc[is_may, "sold"] = random.permutation(labels.loc[is_may, "sold"])
    labels.to_csv(root / "sold.csv", index=False)
    set_monitor(root, "    limits: {loss: 0.05}\n")
    facts = look(root, until="2026-07-25")
    (alert,) = [one for one in facts["alerts"] if one["rule"] == "performance"]
    assert alert["window"] == "2026-05-01"
    assert "is surely worse than in validation" in alert["message"]


def test_events_that_come_more_often_than_in_the_training_raise_an_alert(root: Path) -> None:
    labels = pd.read_csv(root / "sold.csv")
    is_may = labels["house"].between(50_000, 59_999)
    sold = (pd.read_csv(root / "houses.csv")["sold"] == "yes").mean()
    labels.loc[is_may & (labels.index % 3 == 0), "sold"] = "yes"
    labels.to_csv(root / "sold.csv", index=False)
    facts = look(root, until="2026-07-25")
    (alert,) = [one for one in facts["alerts"] if one["rule"] == "outcomes"]
    assert (alert["subject"], alert["window"], alert["since"]) == (
        "event_rate",
        *["2026-05-01"] * 2,
    )
    found = [
        next(p for p in one["performance"] if p["metric"] == "event_rate" and not p["slice"])
        for one in facts["windows"][:2]
    ]
    assert [one["has_moved"] for one in found] == [False, True]
    assert found[1]["low"] < found[1]["value"] < found[1]["high"]
    in_training = float(found[1]["note"].removeprefix("in the training "))
    assert in_training == pytest.approx(sold, abs=0.01)
    assert found[1]["note"] in alert["message"]


def test_each_window_of_a_range_is_judged_and_the_card_says_when_it_began(root: Path) -> None:
    labels, random = pd.read_csv(root / "sold.csv"), np.random.default_rng(0)
    for first in (50_000, 60_000):
        is_in = labels["house"].between(first, first + 9_999)
        labels.loc[is_in, "sold"] = random.permutation(labels.loc[is_in, "sold"])
    labels.to_csv(root / "sold.csv", index=False)
    facts = look(root, until="2026-09-01", since="2026-04-01")
    assert all(one["is_asked"] for one in facts["windows"])
    lost = [one for one in facts["alerts"] if one["rule"] == "performance"]
    assert [one["window"] for one in lost] == ["2026-05-01", "2026-06-01"]
    assert {one["since"] for one in lost} == {"2026-05-01"}
    drifted = {one["window"] for one in facts["alerts"] if one["rule"] == "drift"}
    assert drifted == {"2026-07-01"}
    card = Recipe("local", root).inspect("monitor")
    assert card.facts["status"] == "alert"
    assert '<span class="badge alert">alert</span>' in card.path.read_text()
    first, table, advice = card.facts["sections"][0]["blocks"][1:]
    assert first["text"] == "First alert: 2026-05-01 (performance of f1_score)."
    rows = {row[0]: row for row in table["rows"]}
    assert rows["performance of f1_score"][1:3] == [
        "2, from 2026-05-01 to 2026-06-01",
        "2026-05-01",
    ]
    assert rows["drift of area"][1] == "2026-07-01"
    marked = [table["rows"][i][0] for i in table["emphasis"]]
    assert "drift of area" in marked
    assert "performance of f1_score" not in marked
    assert "Compare with a newly trained challenger" in dict(advice["rows"])["performance"]


def test_of_the_newest_window_alone_the_newest_known_one_before_is_judged(root: Path) -> None:
    labels, random = pd.read_csv(root / "sold.csv"), np.random.default_rng(0)
    is_in = labels["house"].between(40_000, 59_999)
    labels.loc[is_in, "sold"] = random.permutation(labels.loc[is_in, "sold"])
    labels.to_csv(root / "sold.csv", index=False)
    facts = look(root, until="2026-07-25")
    lost = [one["window"] for one in facts["alerts"] if one["rule"] == "performance"]
    assert lost == ["2026-05-01"]


def test_without_an_alert_the_card_is_green(root: Path) -> None:
    assert look(root, until="2026-05-01")["alerts"] == []
    card = Recipe("local", root).inspect("monitor")
    assert card.facts["status"] == "succeeded"
    index = (card.path.parent / "index.html").read_text()
    assert 'class="badge alert"' not in index
    assert look(root)["alerts"]
    assert 'class="badge alert"' in (card.path.parent / "index.html").read_text()


def test_few_labels_and_few_rows_are_no_all_clear(root: Path) -> None:
    pd.read_csv(root / "sold.csv").groupby(lambda i: i // 600).head(40).to_csv(
        root / "sold.csv", index=False
    )
    facts = look(root)
    notes = [p["note"] for p in facts["windows"][0]["performance"] if p["kind"] == "realised"]
    assert notes == ["40 labels are too few: at least 100 are needed"]
    pd.read_parquet(root / "scored.parquet").tail(63).to_parquet(root / "scored.parquet")
    facts = look(root)
    assert facts["alerts"] == []
    assert facts["windows"][0]["note"] == (
        "too few rows (n=63) to judge drift: at least 100 are needed"
    )


@pytest.fixture
def heard() -> Iterator[tuple[str, list[Any]]]:
    """A server that remembers what it was sent."""
    bodies: list[Any] = []

    class Hears(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Hears)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/token", bodies
    server.shutdown()
    thread.join()
    server.server_close()


def test_of_a_new_alert_a_program_and_a_server_are_told_once(
    root: Path, heard: tuple[str, list[Any]]
) -> None:
    address, bodies = heard
    set_monitor(root, f"    on_alert: {{command: [tee, told.json], webhook: '{address}'}}\n")
    assert look(root)["told"] == {"command": "done", "webhook": "done (204)"}
    told = json.loads((root / "told.json").read_text())
    assert bodies == [told]
    assert {one["subject"] for one in told["alerts"]} == {"area", "all features", "probability"}
    again = look(root)
    assert again["alerts"]
    assert "told" not in again
    assert len(bodies) == 1


def test_who_cannot_be_told_is_told_of_and_changes_nothing(root: Path) -> None:
    set_monitor(
        root, "    on_alert: {command: no-such-program, webhook: 'http://127.0.0.1:9/t0ken'}\n"
    )
    events: list[Event] = []
    asked = MonitorOptions(input=str(root / "scored.parquet"), until=UNTIL)
    told = Recipe("local", root).monitor(asked, on_event=events.append)["told"]
    assert "No such file" in told["command"]
    assert told["webhook"].startswith("failed: ")
    assert "t0ken" not in str(events)


def test_an_alert_can_train_a_new_model(root: Path) -> None:
    set_monitor(root, "    on_alert: {retrain: true}\n")
    told = look(root)["told"]
    assert told["retrain"].startswith("done: ")
    assert Recipe("local", root).get_artifact("registered_model_version").version == 2


def test_a_regression_is_monitored_too(tmp_path: Path) -> None:
    files = dict(REGRESSION)
    files["recipe.yaml"] = files["recipe.yaml"].replace(
        "model_registry:",
        "  ingest_scoring: {using: csv, location: for_sale.csv}\n"
        "  predict: {output: {using: parquet, location: predictions}, save_mode: append}\n"
        "  monitor: {window: batch, labels: {using: csv, location: prices.csv}}\nmodel_registry:",
    )
    root = write_project(tmp_path / "recipe", files)
    prices = houses(300)[["house", "price"]]
    prices.iloc[:50].to_csv(root / "prices.csv", index=False)
    houses(300).drop(columns=["price", "sold"]).to_csv(root / "for_sale.csv", index=False)
    recipe = Recipe("local", root)
    recipe.run()
    recipe.predict(PredictOptions(batch_id="monday"))
    (window,) = recipe.monitor()["windows"]
    assert (window["window"], window["is_alarm"]) == ("monday", False)
    estimates = {one["metric"]: one for one in window["performance"] if one["kind"] == "estimated"}
    assert set(estimates) == {"mean_absolute_error", "root_mean_squared_error"}
    assert 1.5 < estimates["root_mean_squared_error"]["value"] < 2.6
    assert estimates["mean_absolute_error"]["note"] == "DLE by cells of the prediction"
    prices.assign(price=prices["price"] + 30).to_csv(root / "prices.csv", index=False)
    alerts = {one["rule"]: one for one in recipe.monitor()["alerts"]}
    assert set(alerts) == {"outcomes", "performance"}
    assert alerts["outcomes"]["subject"] == "target_mean"
    assert "in the training" in alerts["outcomes"]["message"]


def test_what_is_missing_is_told_with_its_place(root: Path) -> None:
    text = (root / "recipe.yaml").read_text()
    set_monitor(root, "    time_col: seen_at\n")
    with pytest.raises(DataError, match=r"no column 'seen_at'.*\n.*steps\.monitor\.time_col"):
        look(root)
    (root / "recipe.yaml").write_text(text.replace("sold.csv", "no.csv"))
    with pytest.raises(StoreError, match=r"no\.csv"):
        look(root)
    start = text.index("  monitor:")
    (root / "recipe.yaml").write_text(text[:start] + text[text.index("model_registry:") :])
    with pytest.raises(ConfigError, match=r"steps\.monitor is missing"):
        look(root)


def test_an_option_that_is_no_period_is_refused(root: Path) -> None:
    with pytest.raises(ConfigError, match=r"mlrecipes monitor: window must be a period"):
        look(root, window="fortnight")
    with pytest.raises(ConfigError, match="since must be a date"):
        look(root, since="soon")
