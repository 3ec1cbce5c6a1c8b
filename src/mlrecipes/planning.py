"""A recipe opened for planning: its configuration, its code, and what it has made so far.

Nothing here imports MLflow, pandas or the user's code, so that a plan is made at once.
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mlrecipes.checks.suites import door_problems, load_suites, suite_digests
from mlrecipes.config.load import LoadedConfig, load_config
from mlrecipes.config.model_card_schema import MODEL_CARD, ModelCardText, load_model_card
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.dag.fingerprint import flatten
from mlrecipes.dag.graph import Graph, build_graph
from mlrecipes.dag.plan import Known, Wanted
from mlrecipes.errors import ConfigError, Problem, RecipeError, did_you_mean
from mlrecipes.features.definition import FeatureDefinition, load_definitions, tables_by_set
from mlrecipes.records import JSON, ArtifactSpec, Manifest
from mlrecipes.steps import Step, UserFunction, steps_of, with_model_card
from mlrecipes.stores.destinations import (
    Destinations,
    local_database,
    masked,
    resolve_destinations,
)
from mlrecipes.stores.digests import DigestMemory
from mlrecipes.stores.doubts import CACHE, Doubts
from mlrecipes.stores.objects import ObjectStore
from mlrecipes.stores.reset_log import ResetMarks
from mlrecipes.stores.shared_results import SharedResults
from mlrecipes.user_code.code_paths import find_code_paths
from mlrecipes.user_code.declared import declaration_problems
from mlrecipes.user_code.source import SourceTree

__all__ = ["Project", "open_project"]

WORKSPACE = ".mlrecipes"
DOORS_OF = {
    "features": ("raw.", "features."),
    "ingest": ("training",),
    "predict": ("scoring", "predictions"),
}
"""Which suites a step holds its tables against, by the beginning of their names."""


@dataclass(frozen=True)
class Project:
    """A recipe and its workspace.

    Attributes:
        root: The folder with ``recipe.yaml``.
        profile: The profile's name.
        loaded: The configuration and where each of its keys stands.
        destinations: Where runs and models go.
    """

    root: Path
    profile: str
    loaded: LoadedConfig
    destinations: Destinations

    @property
    def name(self) -> str:
        """The recipe's name: that of its folder."""
        return self.root.name

    @property
    def config(self) -> RecipeConfig:
        """The typed configuration."""
        return self.loaded.config

    @property
    def workspace(self) -> Path:
        """The folder that holds all results, below the recipe's root if none is named."""
        return self._path(self.config.results.workspace or WORKSPACE)

    @property
    def cache(self) -> Path:
        """Where functions of the recipe keep what they made or fetched."""
        return self.workspace / CACHE

    @property
    def journal(self) -> Path:
        """The file that names runs which are open; it is there only while some are."""
        return self.workspace / "open_runs.json"

    @cached_property
    def store(self) -> ObjectStore:
        """Results of steps."""
        if self._shared is None:
            return ObjectStore(self.workspace)
        return SharedResults(self.workspace, self._shared)

    @cached_property
    def resets(self) -> ResetMarks:
        """When runs and model were last reset."""
        return ResetMarks((self._shared or self.workspace) / "resets.json")

    @property
    def runs_mark(self) -> str:
        """Names the runs of this profile among what can be reset."""
        return f"runs of {self.profile} in {masked(self.destinations.tracking_uri)}"

    @property
    def model_mark(self) -> str:
        """Names the registered model among what can be reset, the same for all profiles."""
        registry = masked(self.destinations.registry_uri)
        return f"model {self.config.effective_model_name} in {registry}"

    @cached_property
    def digests(self) -> DigestMemory:
        """Digests of files outside the workspace."""
        return DigestMemory(self.workspace / "digests.json")

    @cached_property
    def code(self) -> SourceTree:
        """The user's code as text."""
        return SourceTree(self.root, self.code_paths)

    @cached_property
    def code_paths(self) -> dict[str, Path]:
        """Packages and modules outside of the recipe's folder, by the name they have in imports.

        Raises:
            ConfigError: One is not there, or cannot be imported under its name.
        """
        return find_code_paths(self.root, self.config.code_paths, self.loaded.places.find)

    @cached_property
    def graph(self) -> Graph:
        """The steps in order."""
        return build_graph(step.spec for step in self.steps.values())

    @cached_property
    def steps(self) -> dict[str, Step]:
        """The steps by name."""
        steps = steps_of(self.config)
        steps = with_model_card(steps) if (self.root / MODEL_CARD).is_file() else steps
        return {step.name: step for step in steps}

    @cached_property
    def model_card(self) -> ModelCardText | None:
        """The free-text part of the model card; None for a recipe without one.

        Raises:
            ConfigError: A part is missing, empty or unknown; all problems at once.
        """
        return load_model_card(self.root)

    @property
    def last_step(self) -> str:
        """Where a run ends that names no step: without promotion, with a registered model."""
        return "promote" if "promote" in self.steps else "register"

    @cached_property
    def feature_definitions(self) -> tuple[FeatureDefinition, ...]:
        """The feature tables that this recipe builds.

        Raises:
            ConfigError: A definition is wrong; all problems at once.
        """
        features = self.config.steps.features
        return load_definitions(self.root, features.sets) if features else ()

    def where(self, key: str) -> str:
        """Where a configuration key stands, as ``recipe.yaml:48``."""
        file, line = self.loaded.places.find(key)
        return file if line is None else f"{file}:{line}"

    def check(self, target: str | None = None) -> None:
        """Find all that can be found wrong without running anything, up to a step or in all.

        Raises:
            ConfigError: All problems at once.
            GraphError: The target is no step.
        """
        names = self.graph.names if target is None else self.graph.up_to(target)
        found = [
            problem
            for name in names
            for function in self.steps[name].user_functions(self.config)
            for problem in self._declaration_problems(function)
        ]
        if "register" in names and not self.config.effective_model_name:
            file, line = self.loaded.places.find("model_registry")
            key, hint = "model_registry.model_name", "The register step needs it."
            found.append(Problem(file, line, key, "is missing.", hint))
        for name, load in (
            ("features", lambda: self.feature_definitions),
            ("register", lambda: self.model_card),
        ):
            try:
                _ = load() if name in names else None
            except ConfigError as error:
                found.extend(error.problems)
        found.extend(self._suite_problems())
        if found:
            raise ConfigError(dict.fromkeys(found))

    def check_queries(self) -> None:
        """Find what is wrong with the queries of the feature tables; takes an SQL parser.

        Raises:
            ConfigError: All problems at once.
        """
        from mlrecipes.features.condition import filter_problems
        from mlrecipes.features.sql import parse_query

        found = list(filter_problems(self.config, self.loaded.places.find))
        raw: list[str] = []
        for definition in self.feature_definitions:
            try:
                raw.extend(parse_query(definition, self.root).tables)
            except ConfigError as error:
                found.extend(error.problems)
        found.extend(self._suite_problems(tuple(dict.fromkeys(raw))))
        if found:
            raise ConfigError(found)

    def artifact(self, name: str) -> tuple[Manifest | None, ArtifactSpec]:
        """What an artifact is, and the result that holds it; None if it was not made yet.

        Raises:
            RecipeError: No step makes an artifact of this name.
        """
        if name not in self.graph.writers:
            raise RecipeError(
                f"There is no artifact '{name}'. {did_you_mean(name, self.graph.writers)}"
            )
        step = self.graph.step(self.graph.writers[name])
        spec = next(spec for spec in step.writes if spec.name == name)
        return self.store.current(self.profile, step.name), spec

    def read_artifact(self, name: str) -> Any:
        """An artifact that was made; None if it was not.

        Raises:
            RecipeError: No step makes an artifact of this name.
            CorruptArtifactError: The file was changed after the step wrote it.
        """
        manifest, spec = self.artifact(name)
        return None if manifest is None else self.store.read(manifest, spec)

    def wanted(self, target: str, from_step: str | None = None) -> Wanted:
        """What a run to the target would need to be made from."""
        parts = {name: self._own_parts(self.steps[name]) for name in self.graph.up_to(target)}
        return Wanted(parts, target, from_step)

    def known(self) -> Known:
        """What the workspace holds for this profile, and what not to trust of it."""
        found = {name: self.store.current(self.profile, name) for name in self.graph.names}
        current = {name: manifest for name, manifest in found.items() if manifest is not None}
        doubts = {
            name: doubt
            for name, manifest in current.items()
            if (doubt := self._doubts.about(manifest)) is not None
        }
        doubts |= {
            name: "its last result is damaged or gone"
            for name, manifest in found.items()
            if manifest is None and self.store.has_pointer(self.profile, name)
        }
        self.digests.save()
        return Known(current, doubts, self.store.find)

    # -- private -----------------------------------------------------------------------

    def _path(self, text: str) -> Path:
        return self.root / Path(text).expanduser()

    @property
    def _shared(self) -> Path | None:
        location = self.config.results.location
        return None if location is None else self._path(location)

    @property
    def _doubts(self) -> Doubts:
        config = self.config
        tables = config.feature_store if config.feature_store.using == "local" else None
        recorded = frozenset(name for name, step in self.steps.items() if step.needs_tracking)
        database = local_database(self.destinations.tracking_uri)
        return Doubts(self.root, self.workspace, self.digests, tables, recorded, database)

    def _declaration_problems(self, function: UserFunction) -> Iterator[Problem]:
        yield from declaration_problems(
            self.code,
            f"steps.{function.module}",
            function.name,
            key=function.key,
            place=self.loaded.places.find(function.key),
        )

    def _suite_problems(self, raw: tuple[str, ...] | None = None) -> list[Problem]:
        """What is wrong with the suites of expectations.

        Args:
            raw: The raw tables that queries read; None if that is not known.
        """
        try:
            suites = load_suites(self.root, self.config.quality.folder)
        except ConfigError as error:
            return list(error.problems)
        features, lookups = self.config.steps.features, self.config.steps.ingest.feature_lookups
        tables = tables_by_set(self.root)
        # Suites hold for the tables of all sets, whichever of them this profile or call builds.
        names = {name for listed in tables.values() for name in listed}
        names |= {lookup.table_name for lookup in lookups}
        is_all = features is not None and set(tables) <= set(features.sets)
        known = () if features is None else raw if is_all else None
        return list(door_problems(suites, tuple(sorted(names)), known))

    def _own_parts(self, step: Step) -> dict[str, JSON]:
        parts: dict[str, JSON] = {}
        parts |= flatten("", step.settings(self.config))
        for module in sorted({use.module for use in step.user_functions(self.config)}):
            parts |= self.code.digests(f"steps.{module}")
        parts |= {f"library.{name}": _version(name) for name in step.libraries}
        parts[f"engine.{step.name} step"] = step.version
        parts["engine.python"] = ".".join(platform.python_version_tuple()[:2])
        if step.needs_tracking:
            parts["tracking_uri"] = masked(self.destinations.tracking_uri)
        if step.name in DOORS_OF:
            folder = self.config.quality.folder
            digests = suite_digests(self.root, folder, DOORS_OF[step.name])
            parts |= {f"file.{file}": digest for file, digest in digests.items()}
        if step.name == "features":
            parts |= {f"file.{d.file}": d.digest for d in self.feature_definitions}
        if step.name in {"register", "promote"}:
            parts["registry_uri"] = masked(self.destinations.registry_uri)
        if step.name == "register":
            parts |= self._card_parts()
        # The steps between them read the new run, so they run again by themselves.
        depends_on = {"train": ("runs", self.runs_mark)}
        depends_on |= dict.fromkeys(("register", "promote"), ("model", self.model_mark))
        if step.name in depends_on:
            what, mark = depends_on[step.name]
            reset_at = self.resets.at(mark)
            parts |= {} if reset_at is None else {f"reset.{what}": reset_at}
        return parts

    def _card_parts(self) -> dict[str, JSON]:
        """The words of the model card as they are, right or wrong: a plan refuses nothing."""
        try:
            return {f"file.{MODEL_CARD}": self.digests.digest(self.root / MODEL_CARD)[1]}
        except OSError:
            return {}


def open_project(
    root: Path,
    profile: str,
    *,
    overrides: Mapping[str, str] | None = None,
    environment: Mapping[str, Any] | None = None,
    feature_sets: tuple[str, ...] = (),
) -> Project:
    """Open a recipe with a profile.

    Args:
        root: The folder with ``recipe.yaml``.
        profile: Name of a file in ``profiles/``.
        overrides: New values for variables of the profile.
        environment: Environment variables.
        feature_sets: Sets of feature tables to build instead of those that the recipe names.

    Raises:
        ConfigError: The recipe or the profile has problems; all are listed.
    """
    loaded = load_config(root, profile, overrides or {})
    if feature_sets:
        loaded = _with_sets(loaded, feature_sets)
    destinations = resolve_destinations(loaded.config, root=root, environment=environment or {})
    project = Project(root, profile, loaded, destinations)
    _ = project.code_paths  # what is wrong with them is told before anything is planned
    return project


def _with_sets(loaded: LoadedConfig, sets: tuple[str, ...]) -> LoadedConfig:
    steps = loaded.config.steps
    if steps.features is None:
        what, hint = "is missing.", "Say there where the raw tables are."
        raise ConfigError([Problem(*loaded.places.find("steps"), "steps.features", what, hint)])
    features = steps.features.model_copy(update={"sets": sets})
    steps = steps.model_copy(update={"features": features})
    return replace(loaded, config=loaded.config.model_copy(update={"steps": steps}))


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
