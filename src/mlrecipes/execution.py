"""Executing one step: the place where configuration, code, stores and cards meet.

::

    read inputs -> step.run -> write outputs -> manifest -> pointer -> card -> end of run
"""

from __future__ import annotations

import contextlib
import json
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlrecipes._version import __version__
from mlrecipes.cards import CardFolder, failed_view, succeeded_view
from mlrecipes.dag.fingerprint import content_key, digest_of_files, source_parts
from mlrecipes.errors import DataError, RecipeError, StoreError, UserCodeError
from mlrecipes.planning import Project
from mlrecipes.project_facts import gather_facts
from mlrecipes.records import JSON, Decision, Manifest, StepResult
from mlrecipes.reports.model_card import render_model_card
from mlrecipes.steps import CardMaterial, Context, Ports, Step
from mlrecipes.stores.objects import CorruptArtifactError
from mlrecipes.tasks import task_for
from mlrecipes.user_code.imports import UserCode

__all__ = ["Event", "Executor", "Listener", "PortsFactory", "input_parts", "silent"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something to tell the user while a run goes on.

    Attributes:
        kind: cached, started, finished, warning, repaired, failed or rejected.
        text: The reason, the summary or the message.
        duration_s: Seconds it took, or took the last time for a step that starts.
    """

    kind: str
    step: str
    text: str = ""
    duration_s: float | None = None


Listener = Callable[[Event], None]
PortsFactory = Callable[[Project], Ports]


def silent(_event: Event) -> None:
    """Hear an event and tell nobody."""


class Executor:
    """Executes steps of one run. The outside world is reached only when a step needs it."""

    def __init__(self, project: Project, make_ports: PortsFactory, tell: Listener) -> None:
        self._project = project
        self._make_ports = make_ports
        self._tell = tell
        self._ports: Ports | None = None
        self._user_code = UserCode(project.root, project.code_paths)
        self._cards = CardFolder(project.workspace, project.profile)

    def end_left_runs(self) -> None:
        """End the runs that a killed process left open, also if no step has to run.

        Raises:
            TryAgain: The tracking server does not answer.
        """
        if self._project.journal.exists():
            self._ports = self._make_ports(self._project)

    def shows(self, step: str) -> bool:
        """Whether the profile has a card of the step."""
        return self._cards.html_path(step).is_file()

    def use_again(self, manifest: Manifest) -> None:
        """Make an older result, and its card, the profile's current one."""
        project = self._project
        project.store.point(project.profile, manifest)
        self._cards.bring_back(manifest.step, project.store.folder(manifest))
        self._cards.write_index(project)

    def execute(
        self,
        step: Step,
        decision: Decision,
        parts: Mapping[str, JSON],
        results: Mapping[str, Manifest],
    ) -> Manifest:
        """Run a step and make its result the profile's current one.

        Args:
            step: The step.
            decision: Why it runs.
            parts: All parts of its key that are known before it runs.
            results: Results of the earlier steps.

        Raises:
            RecipeError: The step failed; its card says why, nothing else was changed.
            CorruptArtifactError: A stored input is damaged; it was set aside.
        """
        self._tell(Event("started", step.name, decision.because, decision.last_duration_s))
        noted: list[str] = []
        try:
            return self._execute(step, parts, results, noted)
        except CorruptArtifactError:
            self._end_runs("KILLED")
            raise
        except RecipeError as error:
            self._fail(step, error, error, noted)
            raise
        except Exception as error:
            failure = self._translate(step, error)
            self._fail(step, failure, error, noted)
            raise failure from error
        except BaseException:
            self._end_runs("KILLED")
            raise
        finally:
            self._project.store.drop_staging()

    # -- private -------------------------------------------------------------------------

    def _execute(
        self,
        step: Step,
        parts: Mapping[str, JSON],
        results: Mapping[str, Manifest],
        noted: list[str],
    ) -> Manifest:
        project = self._project
        project.store.drop_staging()
        staging = project.store.stage()
        started = time.monotonic()
        with _noted_warnings(noted), self._user_code.importable():
            inputs = self._inputs(step, results)
            result = step.run(inputs, self._context(step, staging, results))
            files = project.store.write(staging, step.writes, result.outputs)
        self._check_sources(result)
        all_parts = {**parts, **source_parts(result.sources)}
        manifest = Manifest(
            step=step.name,
            key=content_key(all_parts),
            parts=all_parts,
            artifacts=files,
            sources=result.sources,
            summary=result.summary,
            duration_s=round(time.monotonic() - started, 3),
            finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
            warnings=tuple(noted),
        )
        project.store.commit(staging, manifest, project.profile)
        self._cards.write(succeeded_view(project, manifest, result))
        self._cards.keep(step.name, project.store.folder(manifest))
        self._cards.write_index(project)
        self._publish(step, result)
        self._tell(Event("finished", step.name, result.summary, manifest.duration_s))
        for text in noted:
            self._tell(Event("warning", step.name, text))
        return manifest

    def _context(self, step: Step, staging: Path, results: Mapping[str, Manifest]) -> Context:
        project, config = self._project, self._project.config
        if self._ports is None:
            self._ports = self._make_ports(project)
        return Context(
            config=config,
            task=task_for(config.recipe, config.positive_class),
            functions={
                use.key: self._user_code.load(use.module, use.name)
                for use in step.user_functions(config)
            },
            ports=self._ports,
            project=gather_facts(
                project,
                with_record=step.name == "train",
                with_tags=step.name in {"predict", "monitor"},
            ),
            staging=staging,
            where=project.where,
            card=self._card_material(results) if step.name == "register" else None,
        )

    def _card_material(self, results: Mapping[str, Manifest]) -> CardMaterial | None:
        text = self._project.model_card
        if text is None:
            return None
        return CardMaterial(text, results, render_model_card, __version__)

    def _inputs(self, step: Step, results: Mapping[str, Manifest]) -> Any:
        project = self._project
        values = {}
        for name in step.spec.reads:
            writer = project.graph.step(project.graph.writers[name])
            artifact = next(spec for spec in writer.writes if spec.name == name)
            if name in step.reads_files:
                project.store.verify(results[writer.name], name)
                values[name] = project.store.path(results[writer.name], artifact)
            else:
                values[name] = project.store.read(results[writer.name], artifact)
        return step.inputs(**values)

    def _check_sources(self, result: StepResult) -> None:
        """A file that changed while it was read may be half old, half new."""
        digests = self._project.digests
        for source in result.sources:
            if source.sha256 is None or "://" in source.uri:
                continue
            if digests.digest(self._project.root / source.uri)[1] != source.sha256:
                raise DataError(
                    f"{source.uri} changed while it was read, so nothing was kept.",
                    hint="Run again when the file is complete.",
                )
        digests.save()

    def _publish(self, step: Step, result: StepResult) -> None:
        """Put the cards beside the model: a run is complete in itself."""
        if self._ports is None or result.run_id is None:
            return
        names = self._project.graph.up_to(step.name) if step.name == "train" else (step.name,)
        for name in names:
            html = self._cards.read_html(name)
            if html is not None:
                self._ports.tracker.log_text(result.run_id, html, f"{name}/card.html")
            quality = self._quality_of(name)
            if quality is not None:
                self._ports.tracker.log_text(result.run_id, quality, f"{name}/data_quality.json")
        self._ports.tracker.end_open_runs("FINISHED")

    def _quality_of(self, step: str) -> str | None:
        """What was found in the tables at the step's doors, as JSON."""
        store, spec = self._project.store, self._project.graph.step(step)
        manifest = store.current(self._project.profile, step)
        named = [artifact for artifact in spec.writes if artifact.name.endswith("data_quality")]
        if manifest is None or not named:
            return None
        facts = store.read(manifest, named[0])
        return json.dumps(facts, indent=1) if facts else None

    def _fail(self, step: Step, failure: RecipeError, cause: Exception, noted: list[str]) -> None:
        trace = "".join(traceback.format_exception(cause))
        self._cards.write(failed_view(self._project, step.name, failure, trace, noted))
        self._cards.write_index(self._project)
        self._end_runs("FAILED")

    def _end_runs(self, status: str) -> None:
        if self._ports is not None:
            self._ports.tracker.end_open_runs(status)

    def _translate(self, step: Step, error: Exception) -> RecipeError:
        """An error of a library or of the user's code, in one sentence with its place."""
        place = self._user_code.where(error)
        kind = UserCodeError if place else StoreError if isinstance(error, OSError) else DataError
        return kind(
            f"{step.name}: {type(error).__name__}: {error}{place}",
            hint=f"Look: mlrecipes inspect {step.name}",
        )


def input_parts(project: Project, step: str, results: Mapping[str, Manifest]) -> dict[str, JSON]:
    """Digests of what a step reads, as parts of its key."""
    return {
        f"input.{artifact}": digest_of_files(
            results[project.graph.writers[artifact]].artifacts[artifact]
        )
        for artifact in project.graph.step(step).reads
    }


@contextlib.contextmanager
def _noted_warnings(noted: list[str]) -> Iterator[None]:
    """Collect the warnings of libraries and user code, each once, instead of printing them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        # Of a notebook without widgets, where a library would have drawn a progress bar.
        warnings.filterwarnings("ignore", message="IProgress not found")
        # Spark says so of any pandas 3, though what is used of it here works.
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
        try:
            yield
        finally:
            noted.extend(dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in caught))
