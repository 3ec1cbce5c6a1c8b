"""A card as one HTML file that opens anywhere, offline, without script."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from mlrecipes.records import CardView
from mlrecipes.reports import charts, sparks
from mlrecipes.reports.svg import line_style
from mlrecipes.reports.tables import compared_columns, numeric_columns
from mlrecipes.reports.wording import clean, clean_ends, clean_lines, compact, share, shown

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render_card", "render_page"]

MANY_FACTS = 12


def render_card(view: CardView) -> str:
    """Render a card. All text of the view is escaped; equal views give equal bytes."""
    return render_page("card.html", view=view)


def render_page(template: str, **values: Any) -> str:
    """Render a template of this package with its stylesheet; all values are escaped."""
    css = Markup(_read("card.css"))  # noqa: S704 - a file of this package
    return _environment().get_template(template).render(css=css, **values)


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
        "clean_ends": clean_ends,
        "clean_lines": clean_lines,
        "shown": shown,
        "compact": compact,
    }
    environment.globals |= {
        "share": share,
        "kind": lambda block: type(block).__name__,
        "numeric_columns": numeric_columns,
        "compared_columns": compared_columns,
        "percent": _percent,
        "halves": _halves,
        "curve": _safe(charts.curve_svg),
        "bars": _safe(charts.bars_svg),
        "heatmap": _safe(charts.heatmap_svg),
        "histogram": _safe(sparks.histogram_svg),
        "overlay": _safe(sparks.overlay_svg),
        "composition": _safe(sparks.composition_svg),
        "anchor": _anchor,
        "line_style": line_style,
        "is_wide": charts.is_wide,
        "stands_out": lambda columns: any(any(c.missing_stands_out) for c in columns),
    }
    return environment


def _safe(draw: Any) -> Any:
    """Charts escape their own text."""

    def drawn(*arguments: Any) -> Markup:
        return Markup(draw(*arguments))  # noqa: S704 - every text in a chart went through escape

    return drawn


def _percent(part: int, whole: int) -> float:
    """The length of a bar: between nothing and all."""
    return round(min(max(100 * part / whole, 0.0), 100.0), 1) if whole else 0.0


def _halves(items: Sequence[Any]) -> tuple[Sequence[Any], ...]:
    """Many facts stand in two columns, few in one."""
    middle = (len(items) + 1) // 2
    return (items[:middle], items[middle:]) if len(items) > MANY_FACTS else (items,)


def _anchor(position: int) -> str:
    return f"section-{position}"


def _read(name: str) -> str:
    return (files("mlrecipes.reports") / "templates" / name).read_text(encoding="utf-8")
