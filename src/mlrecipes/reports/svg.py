"""What every drawing shares: the frame with its name for screen readers, and escaped text."""

from __future__ import annotations

from html import escape

from mlrecipes.reports.wording import clean

__all__ = ["N_COLOURS", "frame", "label", "no_data", "text_width", "turned"]

N_COLOURS = 6
"""Colours, dashes and marks of the stylesheet; further lines begin again."""
CHARACTER = 6.4
"""Width of a letter of the small print, in pixels, on average."""


def frame(
    size: tuple[float, float], title: str, description: str, body: str, style: str = "chart"
) -> str:
    """An SVG element; its title and description are read aloud and shown under the pointer."""
    width, height = size
    name, details = escape(clean(title)), escape(clean(description))
    return (
        f'<svg class="{style}" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label="{name}"><title>{name}</title>'
        f"<desc>{details}</desc>{body}</svg>"
    )


def no_data(title: str, width: float) -> str:
    """The drawing of nothing."""
    words = f'<text class="faint" x="{width / 2:g}" y="34" text-anchor="middle">no data</text>'
    edge = f'<rect class="frame" x="0.5" y="0.5" width="{width - 1:g}" height="59" rx="6"/>'
    return frame((width, 60), title, "no data", edge + words)


def label(x: float, y: float, text: object, anchor: str = "start", style: str = "") -> str:
    """Escaped text at a place."""
    kind = f' class="{style}"' if style else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{kind}>{escape(clean(text))}</text>'


def turned(x: float, y: float, text: object) -> str:
    """Escaped text that runs upwards along an axis."""
    return (
        f'<text class="label" transform="translate({x:g} {y:g}) rotate(-90)" '
        f'text-anchor="middle">{escape(clean(text, 60))}</text>'
    )


def text_width(text: str) -> float:
    """About how wide small print is, in pixels."""
    return CHARACTER * len(text)
