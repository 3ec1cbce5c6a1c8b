"""Release notes: CHANGELOG.md's part for a version, and what was decided about its model.

    python .github/release_notes.py v0.2.0 --promotions promotions.json

It needs Python alone. ``promotions.json`` is what ``mlrecipes promotions --json`` prints.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"
UNRELEASED = "Unreleased"
MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-!|@~])")
MAX_TEXT = 1000


def part_of(changelog: str, tag: str) -> str:
    """The text under the version's heading, or under Unreleased if it has none of its own."""
    pieces = re.split(r"^## +\[?([^\s\]]+).*$", changelog, flags=re.MULTILINE)
    parts = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    version = tag.removeprefix("v")
    text = parts.get(version, parts.get(UNRELEASED, "")).strip()
    if not text:
        raise SystemExit(f"CHANGELOG.md says nothing under '## {version}' or '## {UNRELEASED}'.")
    return text


def verdict(rows: list[dict[str, Any]]) -> str:
    """What the last row of the ledger of promotions says, as Markdown."""
    if not rows:
        return "No decision about a model was made."
    last = rows[-1]
    what = last["verdict"] if last["move"] == "decision" else last["move"]
    about, champion = last["to_version"], last["from_version"]
    table = [(f"version {about}", _number(last["challenger_value"]))]
    if champion:
        table.append((f"version {champion}, champion till then", _number(last["champion_value"])))
    if last["difference"] is not None:
        interval = f"{_number(last['lower'])} to {_number(last['upper'])}"
        table.append(("difference", f"{_number(last['difference'])} ({interval})"))
    return "\n".join(
        [
            f"Version {_safe(about)}: **{_safe(what)}**. {_safe(last['reason'])}".rstrip(),
            "",
            f"| | {_safe(last['metric'] or 'metric')} |",
            "|---|---|",
            *(f"| {_safe(name)} | {value} |" for name, value in table),
        ]
    )


def main() -> None:
    """Print the notes."""
    parser = argparse.ArgumentParser(description="Print the release notes of a version.")
    parser.add_argument("tag", help="such as v0.2.0")
    parser.add_argument("--promotions", type=Path, help="what mlrecipes promotions --json printed")
    given = parser.parse_args()
    notes = part_of(CHANGELOG.read_text(encoding="utf-8"), given.tag)
    if given.promotions:
        rows = json.loads(given.promotions.read_text(encoding="utf-8"))
        notes += f"\n\n### The model\n\n{verdict(rows)}"
    sys.stdout.write(f"{notes}\n")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _safe(text: object) -> str:
    """No text of the registry becomes markup, a link or a mention."""
    return MARKDOWN.sub(r"\\\1", " ".join(str(text).split())[:MAX_TEXT])


if __name__ == "__main__":
    main()
