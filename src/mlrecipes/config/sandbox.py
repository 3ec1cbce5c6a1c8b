"""The Jinja that recipes are filled in with: it prints values, and reaches nothing else.

Importing Jinja costs a tenth of a second, so only ``template.py`` imports this, when a file
holds markup.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from mlrecipes.config.comments import hide_comments
from mlrecipes.config.tokens import Absent, Tokens
from mlrecipes.errors import shorten

__all__ = ["Missing", "RecipeEnvironment"]

MAX_BITS = 4_096
MAX_LENGTH = 100_000


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that a template uses and nothing sets.

    Attributes:
        is_variable: Whether the name is a variable, not a part of one's value.
    """

    name: str
    is_variable: bool
    file: str
    line: int | None


class _MarkedCode(CodeGenerator):
    """Writes into the output where its text comes from; keeps values as they are in blocks.

    Text that a macro, a filter block or ``{% set %}`` collects is a value like any other when
    it is printed in the end, so what is printed *into* it must be text, not tokens.
    """

    environment: RecipeEnvironment

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        if frame.buffer is not None:
            self._finalize = self._FinalizeInfo(str, None)
        else:
            self._finalize = None
            for child in node.nodes:
                if isinstance(child, nodes.TemplateData):
                    place = self.environment.tokens.mark_place(self.filename or "", child.lineno)
                    child.data = place + child.data
        super().visit_Output(node, frame)


class _Recorder(Undefined, Absent):
    """A name without value: it remembers its use and lets the template go on.

    So one run finds all of them. ``default`` and ``is defined`` work as usual.
    """

    seen: ClassVar[list[Missing]]

    def _record(self, *_: Any, **__: Any) -> Any:
        if self._undefined_exception is SecurityError:
            self._fail_with_undefined_error()
        file, line = _template_place()
        name = str(self._undefined_name or "a value")
        self.seen.append(Missing(name, self._undefined_obj is missing, file, line))
        return self

    def tell(self) -> None:
        """Remember that the name was used."""
        self._record()

    def _as_nothing(self, *_: Any) -> Any:
        self._record()
        return False

    def _as_zero(self) -> Any:
        self._record()
        return 0

    def _as_float(self) -> Any:
        return float(self._as_zero())

    def __str__(self) -> str:
        self._record()
        return ""

    def __iter__(self) -> Iterator[Any]:
        self._record()
        return iter(())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._record()

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _as_nothing
    __contains__ = _as_nothing
    __len__ = __int__ = _as_zero
    __float__ = _as_float
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _record
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _record
    __mod__ = __rmod__ = __pow__ = __rpow__ = __pos__ = __neg__ = _record
    __call__ = __getitem__ = _record
    __hash__ = Undefined.__hash__


class RecipeEnvironment(ImmutableSandboxedEnvironment):
    """Templates of one recipe.

    Args:
        root: The recipe's folder; nothing outside is read.
        tokens: Takes each value that is printed.
    """

    code_generator_class = _MarkedCode
    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, root: Path, tokens: Tokens) -> None:
        self.tokens = tokens
        self.missing: list[Missing] = []
        self.files: list[Path] = []
        self._root = root.resolve()
        super().__init__(
            undefined=type("UndefinedName", (_Recorder,), {"seen": self.missing}),
            finalize=tokens.hide,
            loader=jinja2.FunctionLoader(self._load),
            keep_trailing_newline=True,
        )
        self.filters["from_json"] = self._from_json
        del self.globals["lipsum"]

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute ``*`` and ``**`` unless the outcome would fill the memory.

        Raises:
            ValueError: It would.
        """
        if operator == "**" and isinstance(left, int) and isinstance(right, int):
            is_large = right > 0 and left.bit_length() * right > MAX_BITS
        else:
            sizes = [len(side) for side in (left, right) if isinstance(side, str | list | tuple)]
            counts = [side for side in (left, right) if isinstance(side, int)]
            is_large = bool(sizes and counts) and sizes[0] * counts[0] > MAX_LENGTH
        if is_large:
            raise ValueError(f"computes a value that is too large with {operator}")
        return super().call_binop(context, operator, left, right)

    def _load(self, name: str) -> tuple[str, str, None] | None:
        path = self._below_root(name)
        if not path.is_file():
            return None
        self.files.append(path)
        return hide_comments(path.read_text(encoding="utf-8-sig")), name, None

    def _from_json(self, name: Any) -> Any:
        if isinstance(name, Undefined):
            return name
        path = self._below_root(str(name))
        if not path.is_file():
            raise ValueError(f"from_json: there is no file '{shorten(name)}' in the recipe")
        self.files.append(path)
        return json.loads(path.read_text(encoding="utf-8-sig"))

    def _below_root(self, name: str) -> Path:
        """A file of the recipe, after links were followed.

        Raises:
            ValueError: The file lies outside the recipe.
        """
        path = (self._root / name).resolve()
        if not path.is_relative_to(self._root):
            raise ValueError(f"'{shorten(name)}' lies outside the recipe's folder")
        return path


def _template_place() -> tuple[str, int | None]:
    """File and line of the template that is running."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            return template.filename or "", template.get_corresponding_lineno(frame.f_lineno)
        frame = frame.f_back
    return "", None
