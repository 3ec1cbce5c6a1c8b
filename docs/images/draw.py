"""Draw the pictures of docs/monitoring_sba.md again: ``python docs/images/draw.py``.

It runs notebooks/5_sba_loans.ipynb, keeps its three pictures, and takes two of the card with
Chromium or Chrome. It takes a few minutes; ``LOANS`` may name an own copy of the loan file.
"""

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NOTEBOOK = ROOT / "notebooks" / "5_sba_loans.ipynb"
CARD = ROOT / "recipes" / "sba_default" / ".mlrecipes" / "cards" / "local" / "monitor.html"
NAMES = ("sba_auc.png", "sba_defaults.png", "sba_guarantee.png")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PARTS = {
    "sba_card.png": ("nav, #section-3, #section-4, #section-5", "1100,1400"),
    "sba_card_performance.png": (
        "header, nav, #section-1, #section-2, #section-3, #section-5",
        "640,500",
    ),
}
"""Pictures of the card: what is left out of it, and width and height in pixels."""


def draw() -> None:
    """Write the pictures beside this file."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    at = {"metadata": {"path": str(NOTEBOOK.parent)}}
    client = NotebookClient(notebook, timeout=1_800, kernel_name="python3", resources=at)
    client.execute(env={**os.environ, "MLRECIPES_PROFILE": "local"})
    shown = [
        output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])
    ]
    pictures = [data["image/png"] for data in shown if "image/png" in data]
    for name, picture in zip(NAMES, pictures, strict=True):
        (HERE / name).write_bytes(base64.b64decode(picture))
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit(f"No picture of the card: none of {', '.join(BROWSERS)} is installed.")
    # A picture in the documentation shows no place of a machine.
    card = CARD.read_text(encoding="utf-8").replace(f"{ROOT}{os.sep}", "")
    with TemporaryDirectory() as folder:
        for name, (left_out, size) in PARTS.items():
            page = Path(folder) / "card.html"
            style = f"<style>{left_out} {{ display: none }}</style></head>"
            page.write_text(card.replace("</head>", style, 1), encoding="utf-8")
            _photograph(browser, page, size, HERE / name)


def _photograph(browser: str, page: Path, size: str, target: Path) -> None:
    words = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={size}"]
    command = [browser, *words, f"--screenshot={target}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - a page of our own


if __name__ == "__main__":
    draw()
