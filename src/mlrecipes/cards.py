"""The cards of a recipe: one HTML file and one JSON file a step, beside the results."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlrecipes.errors import GateRejected, RecipeError, StoreError
from mlrecipes.planning import Project
from mlrecipes.records import CardView, Manifest, StepResult, StepStatus
from mlrecipes.reports.card_json import card_json
from mlrecipes.reports.html import render_card
from mlrecipes.reports.index import StepRow, render_index
from mlrecipes.stores.replacing import replace_text

__all__ = ["Card", "CardFolder", "failed_view", "succeeded_view"]

KEY_SHOWN = 12
DONE = (StepStatus.SUCCEEDED, StepStatus.ALERT)


@dataclass(frozen=True, slots=True)
class Card:
    """A step's card; a notebook shows it in place.

    Attributes:
        path: The HTML file.
        json_path: The same facts as JSON.
    """

    path: Path
    json_path: Path

    @property
    def facts(self) -> dict[str, Any]:
        """The card's content as plain data."""
        content: dict[str, Any] = json.loads(self.json_path.read_text(encoding="utf-8"))
        return content

    def _repr_html_(self) -> str:
        html = self.path.read_text(encoding="utf-8").replace("&", "&amp;").replace('"', "&quot;")
        # Pixels: where an output is a frame as high as what is in it, a share of it is nothing.
        style = "width:100%;height:640px;border:0;resize:vertical"
        return f'<iframe srcdoc="{html}" style="{style}"></iframe>'


class CardFolder:
    """Where the cards of a profile lie.

    Args:
        workspace: The workspace's folder.
        profile: The profile's name.
    """

    def __init__(self, workspace: Path, profile: str) -> None:
        self._folder = workspace / "cards" / profile

    def write(self, view: CardView) -> None:
        """Replace the step's card."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path, text in (
            (self.html_path(view.step), render_card(view)),
            (self.json_path(view.step), card_json(view)),
        ):
            replace_text(path, text)

    def keep(self, step: str, folder: Path) -> None:
        """Lay a copy of the step's card beside the result that it tells of."""
        for path in (self.html_path(step), self.json_path(step)):
            shutil.copyfile(path, folder / f"card{path.suffix}")

    def bring_back(self, step: str, folder: Path) -> None:
        """Show the card of an older result again; nothing if that one has no card."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in (self.html_path(step), self.json_path(step)):
            kept = folder / f"card{path.suffix}"
            if kept.is_file():
                replace_text(path, kept.read_text(encoding="utf-8"))

    def write_index(self, project: Project) -> None:
        """Replace the overview of all steps."""
        rows = [self._row(project, name) for name in project.graph.names]
        self._folder.mkdir(parents=True, exist_ok=True)
        html = render_index(rows, recipe=project.name, profile=project.profile)
        replace_text(self.index_path, html)

    @property
    def index_path(self) -> Path:
        """The overview of all steps."""
        return self._folder / "index.html"

    def _row(self, project: Project, step: str) -> StepRow:
        card = self.json_path(step)
        if not card.is_file():
            return StepRow(step, "not run", "")
        facts = json.loads(card.read_text(encoding="utf-8"))
        manifest = project.store.current(project.profile, step)
        is_done = facts["status"] in DONE and manifest is not None
        duration_s = manifest.duration_s if is_done and manifest is not None else None
        return StepRow(step, facts["status"], facts["summary"], duration_s, f"{step}.html")

    def html_path(self, step: str) -> Path:
        """The card for people."""
        return self._folder / f"{step}.html"

    def json_path(self, step: str) -> Path:
        """The same facts for programs."""
        return self._folder / f"{step}.json"

    def read_html(self, step: str) -> str | None:
        """The step's card, if it has one."""
        path = self.html_path(step)
        return path.read_text(encoding="utf-8") if path.is_file() else None


def succeeded_view(project: Project, manifest: Manifest, result: StepResult) -> CardView:
    """The card of a step that is done."""
    header = [
        ("content key", manifest.key[:KEY_SHOWN]),
        ("duration", f"{manifest.duration_s:.1f} s"),
        ("finished", manifest.finished_at),
    ]
    if result.run_id is not None:
        header.append(("MLflow run", result.run_id))
    return CardView(
        title=f"{manifest.step}@{project.name}",
        step=manifest.step,
        recipe=project.name,
        profile=project.profile,
        status=StepStatus.ALERT if result.has_alerts else StepStatus.SUCCEEDED,
        summary=manifest.summary,
        header=tuple(header),
        sections=result.sections,
        warnings=manifest.warnings,
    )


def failed_view(
    project: Project, step: str, failure: RecipeError, trace: str, noted: Sequence[str]
) -> CardView:
    """The card of a step that failed, or that a gate stopped."""
    is_gate = isinstance(failure, GateRejected)
    return CardView(
        title=f"{step}@{project.name}",
        step=step,
        recipe=project.name,
        profile=project.profile,
        status=StepStatus.REJECTED if is_gate else StepStatus.FAILED,
        summary="",
        sections=failure.sections if isinstance(failure, GateRejected) else (),
        warnings=tuple(noted),
        error=str(failure),
        traceback="" if is_gate else trace,
    )


def newest_card(project: Project, step: str | None) -> Card:
    """The card of a step, of the last one that has a card if none is given.

    Raises:
        StoreError: The step never ran.
    """
    names = [project.graph.step(step).name] if step else list(reversed(project.graph.names))
    folder = CardFolder(project.workspace, project.profile)
    for name in names:
        if folder.html_path(name).is_file():
            return Card(folder.html_path(name), folder.json_path(name))
    what = f"{step} has" if step else "The steps have"
    raise StoreError(
        f"{what} no card with profile '{project.profile}': it never ran.",
        hint=f"Run it: mlrecipes run{f' --step {step}' if step else ''} -p {project.profile}",
    )
