"""What every drawing shares: the frame with its name for screen readers, and escaped text."""

from __future__ import annotations

from html import escape

from mlrecipes.reports.wording import clean

__all__ = [
    "N_STYLES",
    "cut_label",
    "dot",
    "frame",
    "label",
    "line_style",
    "no_data",
    "text_width",
    "turned",
]

N_STYLES = 6
"""Colours of the stylesheet, and as many dashes and shapes."""
SHAPES = (
    (),
    ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    ((0, -1.3), (1.2, 0.9), (-1.2, 0.9)),
    ((0, -1.4), (1.2, 0), (0, 1.4), (-1.2, 0)),
    ((0, 1.3), (1.2, -0.9), (-1.2, -0.9)),
    ((-1.7, -0.5), (1.7, -0.5), (1.7, 0.5), (-1.7, 0.5)),
)
"""Corners of the points of each further cloud, around its middle; the first has circles."""
SMALL_LETTER, CAPITAL, BROAD_LETTER, FULL_WIDTH = 6.4, 7.6, 10.6, 11.6
"""Widths in the small print, in pixels, as a broad system font has them."""
BROAD = frozenset("MWmw@%")
FIRST_FULL_WIDTH = "\u1100"
"""From here on, letters count as full width: Chinese, Japanese, Korean and emoji are."""


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


def cut_label(x: float, y: float, name: str, room: float, anchor: str = "start") -> str:
    """A name in at most ``room`` pixels; under the pointer it is whole."""
    whole = clean(name)
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" class="tick">'
        f"{escape(_cut(whole, room))}<title>{escape(whole)}</title></text>"
    )


def line_style(position: int) -> str:
    """The classes of a line: no two of 36 lines share both colour and dashes."""
    return f"line c{position % N_STYLES} d{_form(position)}"


def dot(position: int, x: float, y: float, radius: float) -> str:
    """One point of a cloud; clouds differ by colour and by shape."""
    style, corners = f"dot c{position % N_STYLES}", SHAPES[_form(position)]
    if not corners:
        return f'<circle class="{style}" cx="{x:g}" cy="{y:g}" r="{radius:g}"/>'
    points = " ".join(f"{x + radius * a:.4g},{y + radius * b:.4g}" for a, b in corners)
    return f'<polygon class="{style}" points="{points}"/>'


def _form(position: int) -> int:
    """Dashes or shape: shifted by one whenever the colours begin again."""
    return (position + position // N_STYLES) % N_STYLES


def turned(x: float, y: float, text: object) -> str:
    """Escaped text that runs upwards along an axis."""
    return (
        f'<text class="label" transform="translate({x:g} {y:g}) rotate(-90)" '
        f'text-anchor="middle">{escape(clean(text, 60))}</text>'
    )


def text_width(text: str) -> float:
    """About how wide small print is, in pixels; rather too wide than too narrow."""
    return sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    if letter >= FIRST_FULL_WIDTH:
        return FULL_WIDTH
    if letter in BROAD:
        return BROAD_LETTER
    return CAPITAL if letter.isupper() or letter.isdigit() else SMALL_LETTER


def _cut(text: str, room: float) -> str:
    if text_width(text) <= room:
        return text
    length = len(text)
    while length and text_width(text[:length]) + FULL_WIDTH > room:
        length -= 1
    return f"{text[:length]}…"
