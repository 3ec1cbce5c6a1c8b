"""The public face of a recipe, for Python programs and notebooks."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlrecipes.cards import Card, newest_card
from mlrecipes.comparing import Comparison, compare
from mlrecipes.config.load import find_recipe_root
from mlrecipes.dag.plan import plan
from mlrecipes.execution import Event, silent
from mlrecipes.monitor_options import MonitorOptions
from mlrecipes.monitoring import monitor
from mlrecipes.planning import Project, open_project
from mlrecipes.predict_options import PredictOptions, with_options
from mlrecipes.promoting import promote_anew, read_ledger, roll_back
from mlrecipes.promotion_records import Entry
from mlrecipes.protection import Place, protections, refuse_unless_confirmed
from mlrecipes.quality import write_suggestion
from mlrecipes.records import Decision, Manifest
from mlrecipes.reset_plan import ResetPlan
from mlrecipes.runner import Request, StepOutcome, run_plan
from mlrecipes.scoring import score_batch
from mlrecipes.steps import Ports
from mlrecipes.stores.destinations import Destinations
from mlrecipes.stores.lock import workspace_lock
from mlrecipes.tables import Tables

__all__ = ["Card", "MonitorOptions", "PredictOptions", "Recipe"]


class Recipe:
    """A recipe with a profile: run it, ask why, look at what it made.

    The recipe is the nearest folder with a ``recipe.yaml``, from ``root`` upwards. What runs
    steps takes ``wait_s``, how many seconds to wait if another process runs this recipe, and
    ``on_event``, called when a step starts, finishes, is kept, warns or fails.

    Args:
        profile: Name of a file under ``profiles/``, such as ``local``.
        root: A folder in the recipe; the current directory if it is not given.
        overrides: Values for variables of the profile, as text.

    Raises:
        ConfigError: There is no recipe, or recipe and profile have problems; all are listed.
    """

    def __init__(
        self,
        profile: str,
        root: str | Path | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> None:
        self._root = find_recipe_root(Path.cwd() if root is None else Path(root))
        self._profile = profile
        self._overrides = dict(overrides or {})
        self._open()

    @property
    def name(self) -> str:
        """The recipe's name: that of its folder."""
        return self._root.name

    @property
    def profile(self) -> str:
        """The profile's name."""
        return self._profile

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the steps in order."""
        return self._open().graph.names

    @property
    def destinations(self) -> Destinations:
        """Where runs and models go: the addresses that MLflow's own functions need."""
        return self._open().destinations

    @property
    def tables(self) -> Tables:
        """The tables that outlive a run: features, and predictions of all batches."""
        return Tables(self._open())

    def run(
        self,
        step: str | None = None,
        *,
        from_step: str | None = None,
        wait_s: float = 0.0,
        on_event: Callable[[Event], None] | None = None,
    ) -> tuple[StepOutcome, ...]:
        """Run a step and all that it needs, as far as anything changed.

        Args:
            step: The last step; ``promote`` if it is not given and the recipe has that
                section, else ``register``.
            from_step: Run this step and the ones after it even if nothing changed.

        Returns:
            What became of each step, in order.

        Raises:
            ConfigError: The recipe or the profile has problems; nothing was run.
            TryAgain: Another process runs the recipe, or a server does not answer.
            GateRejected: The model did not pass its thresholds; nothing was registered.
            RecipeError: A step failed; the results of the steps before it are kept.
        """
        project = self._open()
        request = Request(step or project.last_step, from_step, wait_s)
        return tuple(run_plan(project, request, _connect, on_event or silent))

    def build_features(
        self,
        sets: Sequence[str] = (),
        *,
        wait_s: float = 0.0,
        on_event: Callable[[Event], None] | None = None,
    ) -> tuple[StepOutcome, ...]:
        """Build feature tables whose definition or raw tables changed.

        Args:
            sets: Folders below ``features/``; those that the recipe names if there are none.

        Returns:
            What became of the features step.

        Raises:
            ConfigError: The recipe builds no feature tables, a set is not there, or a
                definition is wrong; nothing was written.
            TryAgain: Another process runs the recipe, or was faster to write a table.
            RecipeError: A table could not be built; those before it are there.
        """
        request = Request("features", None, wait_s)
        return tuple(run_plan(self._open(tuple(sets)), request, _connect, on_event or silent))

    def plan(self, step: str | None = None, *, from_step: str | None = None) -> list[Decision]:
        """Say which steps would run up to ``step``, and why. Nothing is run or imported."""
        project = self._open()
        wanted = project.wanted(step or project.last_step, from_step)
        return plan(project.graph, wanted, project.known())

    def check(self) -> None:
        """Validate all that can be validated without running.

        Raises:
            ConfigError: All problems, each with file and line.
        """
        project = self._open()
        project.check()
        project.check_queries()

    def compare(self, base: Recipe) -> Comparison:
        """Compare the last results with those of another checkout of the same recipe.

        Args:
            base: Such as ``Recipe("local", root="../main")``; both have run up to ``evaluate``.

        Raises:
            RecipeError: One of them has no results, or they predict different things.
        """
        return compare(base._open(), self._open())

    def suggest_expectations(
        self, table: str | Path, into: str | Path | None = None, *, force: bool = False
    ) -> Path:
        """Write a first suite of expectations from a table, and give its file.

        Args:
            table: A Parquet, CSV or CSV.gz file, a folder of Parquet files, or the name of an
                artifact such as ``ingested_data``.
            into: The suite's file; ``expectations/raw.<table>.json`` if it is not given.
            force: Replace a file that is there.

        Raises:
            RecipeError: There is no such table, it has no rows, or the file is there already.
        """
        return write_suggestion(self._open(), Path(table), into, force=force)

    def status(self) -> dict[str, Manifest | None]:
        """The result that each step has now; None for a step that has none."""
        project = self._open()
        return {name: project.store.current(project.profile, name) for name in project.graph.names}

    def inspect(self, step: str | None = None) -> Card:
        """The card of a step, of the last one that has a card if none is given.

        Raises:
            StoreError: The step never ran.
        """
        return newest_card(self._open(), step)

    def get_artifact(self, name: str) -> Any:
        """Load something that a step made, checked against its digest.

        Which there are, and their types: :func:`mlrecipes.connect.load_artifact`.

        Returns:
            The artifact; None with a warning if its step has not made it yet.

        Raises:
            RecipeError: There is no artifact of this name.
            CorruptArtifactError: The file was changed after the step wrote it.
        """
        project = self._open()
        if project.artifact(name)[0] is None:
            step = project.graph.writers[name]
            warnings.warn(f"'{name}' is not there yet. Run the {step} step first.", stacklevel=2)
            return None
        from mlrecipes.connect import load_artifact

        return load_artifact(name, project)

    def artifact_path(self, name: str) -> Path | None:
        """Where an artifact lies; None if its step has not made it yet.

        Raises:
            RecipeError: There is no artifact of this name.
        """
        project = self._open()
        manifest, artifact = project.artifact(name)
        return None if manifest is None else project.store.path(manifest, artifact)

    def score_batch(self, rows: Any, model_uri: str | None = None) -> Any:
        """Score rows that hold keys: what the model looked up in training is fetched again.

        Args:
            rows: A pandas DataFrame, one row a prediction, with the keys of the model's
                lookups and the columns that it does not look up.
            model_uri: Such as ``models:/home_credit_default/3``; the recipe's registered
                model under its alias if not given.

        Returns:
            The rows with the column ``prediction``.

        Raises:
            DataError: A key or a column is missing.
            StoreError: There is no such model or feature table.
            TryAgain: A server does not answer.
        """
        return score_batch(self._open(), rows, model_uri)

    def predict(
        self,
        options: PredictOptions | None = None,
        *,
        wait_s: float = 0.0,
        on_event: Callable[[Event], None] | None = None,
    ) -> dict[str, Any]:
        """Score a batch: rows of a file, or their keys, into the table of predictions.

        The same batch by the same model is written once.

        Args:
            options: What differs from ``steps.ingest_scoring`` and ``steps.predict``.

        Returns:
            What became of the batch: its id, the model's version, the place, and so on.

        Raises:
            ConfigError: It is not said where rows come from or predictions go.
            GateRejected: The rows lack columns of the model, or there is no row.
            TryAgain: Another process runs the recipe, or a server does not answer.
            RecipeError: There is no champion, or it does not answer as in training.
        """
        project = with_options(self._open(), options or PredictOptions())
        run_plan(project, Request("predict", None, wait_s), _connect, on_event or silent)
        return dict(project.read_artifact("scored_batch"))

    def monitor(
        self,
        options: MonitorOptions | None = None,
        *,
        wait_s: float = 0.0,
        on_event: Callable[[Event], None] | None = None,
    ) -> dict[str, Any]:
        """Compare what the champion scored with what it was trained on.

        Args:
            options: What differs from ``steps.monitor``.

        Returns:
            What was found: ``alerts``, ``windows`` and so on; that there is nothing yet is no
            error. Whom ``on_alert`` told of new alerts stands under ``told``.

        Raises:
            ConfigError: The recipe has no section ``steps.monitor``.
            RecipeError: The rows or the model cannot be read.
        """
        tell = on_event or silent
        return monitor(self._open(), options or MonitorOptions(), _connect, tell, wait_s=wait_s)

    def promote(
        self,
        version: str | None = None,
        *,
        override: str | None = None,
        wait_s: float = 0.0,
        on_event: Callable[[Event], None] | None = None,
    ) -> dict[str, Any]:
        """Compare a version with the champion on the same rows, anew, and promote the better.

        Args:
            version: Of the registered model; the one under the challenger alias if not given.
            override: Why it is to be promoted whatever the verdict; written to the ledger.

        Returns:
            The decision, as in the artifact ``promotion``.

        Raises:
            ConfigError: The recipe has no section ``steps.promote``.
            GateRejected: The version is blocked, or somebody moved the champion meanwhile.
            RecipeError: The models cannot be compared here, or not now.
        """
        tell, project = on_event or silent, self._open()
        return promote_anew(
            project, version, override, make_ports=_connect, tell=tell, wait_s=wait_s
        )

    def rollback(self, reason: str, to_version: str | None = None) -> Entry:
        """Make an earlier version the champion again, and give the ledger's row of it.

        Args:
            reason: Why; written to the ledger and to the version that is left.
            to_version: Of the registered model; the champion before this one if not given.

        Raises:
            RecipeError: There is no champion before it, or somebody moved it meanwhile.
        """
        return roll_back(self._open(), reason, to_version, _connect)

    def promotions(self) -> tuple[Entry, ...]:
        """The ledger: each decision about each version, oldest first."""
        return read_ledger(self._open(), _connect)

    def clean(self, step: str | None = None) -> list[str]:
        """Forget results of a step, or of all, and name those that had one; models stay.

        Raises:
            TryAgain: Another process runs the recipe.
        """
        project = self._open()
        names = (project.graph.step(step).name,) if step else project.graph.names
        with workspace_lock(project.workspace):
            return project.store.clean(project.profile, names)

    def plan_reset(self) -> ResetPlan:
        """Say what a reset would delete, and what it would leave and why. Nothing is changed.

        Raises:
            RecipeError: A server does not answer, or refuses.
        """
        from mlrecipes.connect import open_reset

        return open_reset(self._open(), os.environ).plan()

    def reset(self, model_name: str | None = None) -> ResetPlan:
        """Delete the recipe's runs with this profile, its registered model and feature tables.

        Its experiment goes too if nothing else is in it. Stored results of steps stay.

        Args:
            model_name: The registered model's name, to be typed for a protected profile.

        Returns:
            What was deleted and what stays; nothing if there was nothing.

        Raises:
            ConfigError: The profile is protected, or another name was given.
            TryAgain: Another process runs the recipe, or a server does not answer.
            StoreError: Something cannot be deleted; the same call goes on from there.
        """
        from mlrecipes.connect import open_reset

        project = self._open()
        refuse_unless_confirmed(project, protections(project, os.environ), model_name)
        return open_reset(project, os.environ).carry_out()

    def protections(self) -> tuple[Place, ...]:
        """File and line of each ``protected: true`` that a reset of this profile would meet."""
        return protections(self._open(), os.environ)

    def _open(self, feature_sets: tuple[str, ...] = ()) -> Project:
        """Read the files anew each time: a notebook's user edits them between two calls."""
        return open_project(
            self._root,
            self._profile,
            overrides=self._overrides,
            environment=os.environ,
            feature_sets=feature_sets,
        )


def _connect(project: Project) -> Ports:
    from mlrecipes.connect import connect

    return connect(project)
