"""Importing the user's code without touching ``sys.path``.

While a recipe runs, ``import steps.train``, imports of its ``code_paths`` and of other modules
at the recipe's root find its files, the working directory is the root, and afterwards all
of that is as it was. So several recipes, each with its own ``steps``, can run in one
process, and an edited file is read anew by the next run.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from mlrecipes.errors import UserCodeError
from mlrecipes.user_code.code_paths import place_of
from mlrecipes.user_code.source import NOWHERE_ELSE

__all__ = ["UserCode"]

STEPS = "steps"


class UserCode:
    """The importable side of a recipe's code.

    Args:
        root: The folder with ``recipe.yaml``.
        code_paths: Packages and modules elsewhere, by the name they are imported as.
    """

    def __init__(self, root: Path, code_paths: Mapping[str, Path] = NOWHERE_ELSE) -> None:
        self._root = root
        self._code_paths = code_paths

    @contextlib.contextmanager
    def importable(self) -> Iterator[None]:
        """Make the recipe's modules importable, and its root the working directory."""
        own = {STEPS: self._root}
        own |= {name: path.parent for name, path in self._code_paths.items()}
        first = [_Finder(folder, only=name) for name, folder in own.items()]
        last = _Finder(self._root, only=None)
        shadowed = {key: module for name in own for key, module in _take_modules(name).items()}
        before = set(sys.modules)
        writes_no_bytecode = sys.dont_write_bytecode
        # Python takes bytecode for current if size and second of the source agree, which
        # two quick edits of one file can do.
        sys.dont_write_bytecode = True
        sys.meta_path[:0] = first
        sys.meta_path.append(last)
        try:
            with contextlib.chdir(self._root):
                yield
        finally:
            for finder in (*first, last):
                sys.meta_path.remove(finder)
            sys.dont_write_bytecode = writes_no_bytecode
            for name in set(sys.modules) - before:
                if self._is_own(sys.modules[name]):
                    del sys.modules[name]
            sys.modules.update(shadowed)

    def load(self, module: str, name: str) -> Callable[..., Any]:
        """Import ``steps.<module>`` and take a function from it, inside ``importable()``.

        Raises:
            UserCodeError: The module does not import, or has no such function.
        """
        place = f"{STEPS}/{module}.py"
        try:
            loaded = importlib.import_module(f"{STEPS}.{module}")
        except Exception as error:
            raise UserCodeError(
                f"{place} cannot be imported: {type(error).__name__}: {error}{self.where(error)}"
            ) from error
        function: Callable[..., Any] | None = getattr(loaded, name, None)
        if not callable(function):
            raise UserCodeError(f"{place} has no function '{name}'.")
        return function

    def where(self, error: BaseException) -> str:
        """The innermost place of an error in the user's own files, as `` (file:line)``."""
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            path = Path(frame.filename)
            if self._is_in(path, self._root / STEPS):
                place = place_of(path, self._root, self._code_paths)
                return f" ({place}:{frame.lineno})"
        return ""

    def _is_own(self, module: ModuleType) -> bool:
        """Modules that came from the recipe's root, but not an environment inside it."""
        places = [getattr(module, "__file__", None) or "", *_package_path(module)]
        return any(
            self._is_in(Path(place), self._root) and "site-packages" not in place
            for place in places
            if place
        )

    def _is_in(self, path: Path, folder: Path) -> bool:
        """Whether a file lies in a folder of the recipe, or in one of its code paths."""
        return any(path.is_relative_to(one) for one in (folder, *self._code_paths.values()))


class _Finder:
    """Finds top-level modules in the recipe's root; their submodules are found as usual."""

    def __init__(self, root: Path, *, only: str | None) -> None:
        self._root = root
        self._only = only

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if path is not None or "." in fullname or self._only not in {None, fullname}:
            return None
        spec = PathFinder.find_spec(fullname, [str(self._root)], target)
        if spec is not None and spec.loader is None:
            # A folder without __init__.py: a plain list keeps Python from looking for the
            # same name on sys.path later, where another recipe's steps may lie.
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [str(self._root / fullname)]
        return spec


def _package_path(module: ModuleType) -> list[str]:
    try:
        return [str(place) for place in getattr(module, "__path__", ())]
    except (TypeError, KeyError):
        return []


def _take_modules(package: str) -> dict[str, ModuleType]:
    """Take a package and its modules out of ``sys.modules``, to be put back later."""
    names = [name for name in sys.modules if name == package or name.startswith(f"{package}.")]
    return {name: sys.modules.pop(name) for name in names}
