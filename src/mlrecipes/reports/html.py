"""A card as one HTML file that opens anywhere, offline, without script."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from mlrecipes.records import CardView
from mlrecipes.reports import charts
from mlrecipes.reports.wording import clean, clean_lines, number, share, shown

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render_card"]


def render_card(view: CardView) -> str:
    """Render a card. All text of the view is escaped; equal views give equal bytes."""
    css = Markup(_read("card.css"))  # noqa: S704 - a file of this package
    return _environment().get_template("card.html").render(view=view, css=css)


@cache
def _environment() -> Environment:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FunctionLoader(_read),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "clean": clean,
        "clean_lines": clean_lines,
        "shown": shown,
        "number": number,
    }
    environment.globals |= {
        "share": share,
        "kind": lambda block: type(block).__name__,
        "is_number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
        "curve": _safe(charts.curve_svg),
        "bars": _safe(charts.bars_svg),
        "heatmap": _safe(charts.heatmap_svg),
        "histogram": _safe(charts.histogram_svg),
        "overlay": _safe(charts.overlay_svg),
        "anchor": _anchor,
    }
    return environment


def _safe(draw: Any) -> Any:
    """Charts escape their own text."""

    def drawn(*arguments: Any) -> Markup:
        return Markup(draw(*arguments))  # noqa: S704 - every text in a chart went through escape

    return drawn


def _anchor(position: int) -> str:
    return f"section-{position}"


def _read(name: str) -> str:
    return (files("mlrecipes.reports") / "templates" / name).read_text(encoding="utf-8")
