"""A parsed page, and cards that carry one text in one field."""

from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from mlrecipes.records import (
    Bars,
    Block,
    CardView,
    ColumnProfile,
    Curve,
    Facts,
    Heatmap,
    Histogram,
    Profile,
    ProfileComparison,
    Section,
    Series,
    StepStatus,
    Table,
    Text,
)

VOID = {"meta", "br", "img", "hr", "link", "input"}
TWO = Histogram((0.0, 1.0, 2.0), (3, 1))
POINTS = Series("points", (0.0, 1.0), (0.0, 1.0))


class Page(HTMLParser):
    """Elements and visible text of a page; a tag that does not fit is an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice: {attrs}"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"nothing to close: {tag}"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All visible text, its white space made single blanks."""
        return plain("\n".join(self.texts))

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}

    @property
    def attributes(self) -> list[tuple[str, str]]:
        return [pair for _, attributes in self.elements for pair in attributes.items()]


def plain(text: str) -> str:
    """A text as a browser shows it: white space made single blanks."""
    return " ".join(text.split())


def card(*blocks: Block, **fields: Any) -> CardView:
    """A card that shows these blocks in one section."""
    view = CardView("train@demo", "train", "demo", "local", StepStatus.SUCCEEDED, "all is well")
    return replace(view, sections=(Section("Findings", blocks),), **fields)


def column(**fields: Any) -> ColumnProfile:
    """A numeric column with a histogram, unless told otherwise."""
    return replace(ColumnProfile("age", "double", 4, 1, 3, histogram=TWO), **fields)


def both(**fields: Any) -> ProfileComparison:
    """One column in two tables."""
    profile = Profile((column(**fields),))
    return ProfileComparison(("train", "test"), (profile, profile))


FIELDS: dict[str, Callable[[str], CardView]] = {
    "title": lambda t: card(title=t),
    "step": lambda t: card(step=t),
    "recipe": lambda t: card(recipe=t),
    "profile": lambda t: card(profile=t),
    "summary": lambda t: card(summary=t),
    "header name": lambda t: card(header=((t, 1),)),
    "header value": lambda t: card(header=(("run", t),)),
    "section title": lambda t: replace(card(), sections=(Section(t, ()), Section(t, ()))),
    "warning": lambda t: card(warnings=(t,)),
    "error": lambda t: card(status=StepStatus.FAILED, error=t),
    "traceback": lambda t: card(status=StepStatus.FAILED, traceback=t),
    "text": lambda t: card(Text(t)),
    "preformatted text": lambda t: card(Text(t, preformatted=True)),
    "fact name": lambda t: card(Facts(((t, 1),))),
    "fact value": lambda t: card(Facts((("name", t),))),
    "table column": lambda t: card(Table((t,), ((1,),))),
    "table cell": lambda t: card(Table(("a",), ((t,),))),
    "table caption": lambda t: card(Table(("a",), (), caption=t)),
    "column name": lambda t: card(Profile((column(name=t),))),
    "column type": lambda t: card(Profile((column(dtype=t),))),
    "top value": lambda t: card(Profile((column(top_values=((t, 2),)),))),
    "compared table": lambda t: card(replace(both(), names=(t, t))),
    "compared column name": lambda t: card(both(name=t)),
    "compared column type": lambda t: card(both(dtype=t)),
    "compared top value": lambda t: card(both(top_values=((t, 2),))),
    "curve caption": lambda t: card(Curve(t, "x", "y", (POINTS,))),
    "curve x label": lambda t: card(Curve("c", t, "y", (POINTS,))),
    "curve y label": lambda t: card(Curve("c", "x", t, (POINTS,))),
    "series name": lambda t: card(Curve("c", "x", "y", (POINTS, replace(POINTS, name=t)))),
    "bars caption": lambda t: card(Bars(t, "gain", ("a",), (1.0,))),
    "bars value label": lambda t: card(Bars("c", t, ("a",), (1.0,))),
    "bar label": lambda t: card(Bars("c", "gain", (t,), (1.0,))),
    "heatmap caption": lambda t: card(Heatmap(t, "r", "c", ("a",), ("b",), ((1.0,),))),
    "heatmap row label": lambda t: card(Heatmap("h", t, "c", ("a",), ("b",), ((1.0,),))),
    "heatmap column label": lambda t: card(Heatmap("h", "r", t, ("a",), ("b",), ((1.0,),))),
    "heatmap row": lambda t: card(Heatmap("h", "r", "c", (t,), ("b",), ((1.0,),))),
    "heatmap column": lambda t: card(Heatmap("h", "r", "c", ("a",), (t,), ((1.0,),))),
}
"""A card with one text in one field, by the field's name."""

EMPTY: dict[str, Block] = {
    "text": Text(""),
    "facts": Facts(()),
    "table": Table((), ()),
    "table without rows": Table(("a",), ()),
    "profile": Profile(()),
    "profile of no rows": Profile((ColumnProfile("a", "null", 0, 0, 0),)),
    "histogram": Profile((column(histogram=Histogram((0.0, 1.0), (0,))),)),
    "comparison": ProfileComparison((), ()),
    "comparison without columns": ProfileComparison(("train",), (Profile(()),)),
    "comparison of no counts": both(histogram=Histogram((0.0, 1.0), (0,))),
    "curve": Curve("c", "x", "y", ()),
    "curve without points": Curve("c", "x", "y", (Series("s", (), ()),)),
    "bars": Bars("c", "gain", (), ()),
    "heatmap": Heatmap("h", "r", "c", (), (), ()),
    "heatmap without columns": Heatmap("h", "r", "c", ("a",), (), ((),)),
}
"""Blocks of every kind with nothing in them."""
