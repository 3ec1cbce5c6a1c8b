"""What the user's code says, read without running it.

A step's outcome depends on its module under ``steps/``, on the modules of the recipe
that this one imports, on theirs, and on data files beside them. They are digested as
syntax trees, a definition at a time, so that a comment, a docstring or a reformat changes
nothing and a change can be named. An import made at run time from a computed name is not
seen.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from mlrecipes.user_code.code_paths import place_of

__all__ = ["Module", "SourceTree"]

CODE_SUFFIX = ".py"
NOT_DATA = frozenset({".py", ".pyc", ".md", ".ipynb"})
DIGEST_LENGTH = 16
NOWHERE_ELSE: Mapping[str, Path] = MappingProxyType({})


@dataclass(frozen=True)
class Module:
    """One Python file of the recipe.

    Attributes:
        path: The file.
        name: Its dotted name from the recipe's root, such as ``steps.train``.
    """

    path: Path
    name: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree.

        Raises:
            SyntaxError: The file is no Python.
            OSError, UnicodeDecodeError: It cannot be read.
        """
        return ast.parse(self.path.read_text(encoding="utf-8"), filename=str(self.path))

    @cached_property
    def definitions(self) -> tuple[tuple[str, str], ...]:
        """Each top-level definition with the digest of its syntax."""
        return tuple(_definitions(self.tree))

    @cached_property
    def import_names(self) -> tuple[str, ...]:
        """Every dotted name that an import could mean."""
        return tuple(_import_names(self))

    @property
    def package(self) -> str:
        """The dotted name that relative imports start from."""
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]

    def function(self, name: str) -> ast.FunctionDef | None:
        """The top-level function of this name, if it is plainly written there."""
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return node
        return None

    def may_define(self, name: str) -> bool:
        """Whether the name can exist in the module: defined, assigned or imported."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
                return True
            if isinstance(node, ast.alias) and name in {node.asname or node.name, "*"}:
                return True
            if isinstance(node, ast.alias) and node.name == "*":
                return True
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name:
                return True
        return False

    def function_names(self) -> tuple[str, ...]:
        """Names of the top-level functions, for suggestions."""
        return tuple(node.name for node in self.tree.body if isinstance(node, ast.FunctionDef))


class SourceTree:
    """The Python files below a recipe's root, each read once.

    Args:
        root: The folder with ``recipe.yaml``.
        code_paths: Packages and modules elsewhere, by the name they are imported as.
    """

    def __init__(self, root: Path, code_paths: Mapping[str, Path] = NOWHERE_ELSE) -> None:
        self._root = root
        self._code_paths = code_paths
        self._modules: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """Find a module of the recipe by its dotted name; None if it is not the recipe's."""
        if name not in self._modules:
            first, *others = name.split(".")
            path = self._code_paths.get(first, self._root / first).joinpath(*others)
            candidates = (path / "__init__.py", path.with_suffix(CODE_SUFFIX))
            found = next((candidate for candidate in candidates if candidate.is_file()), None)
            self._modules[name] = None if found is None else Module(found, name)
        return self._modules[name]

    def closure(self, name: str) -> tuple[Module, ...]:
        """The module and all modules of the recipe that it imports, directly or not.

        Raises:
            SyntaxError: One of the files is no Python.
        """
        found: dict[str, Module] = {}
        waiting = [name]
        while waiting:
            module = self.module(waiting.pop())
            if module is None or module.name in found:
                continue
            found[module.name] = module
            waiting.extend(_parents(module.name))
            waiting.extend(self._imported(module))
        return tuple(found[key] for key in sorted(found))

    def digests(self, name: str) -> dict[str, str]:
        """Digest each definition of a module and its imports, and the data beside them.

        Returns:
            ``{"code.steps/train.py:estimator_fn": "…", "file.steps/shop/cities.json": "…"}``

        Raises:
            SyntaxError: One of the files is no Python.
        """
        parts: dict[str, str] = {}
        modules = self.closure(name)
        for module in modules:
            place = self.place(module.path)
            for definition, digest in module.definitions:
                parts[f"code.{place}:{definition}"] = digest
        folders = {module.path.parent for module in modules} - {self._root}
        for folder in sorted(folders - {path.parent for path in self._code_paths.values()}):
            for path in _data_files(folder):
                content = hashlib.sha256(path.read_bytes()).hexdigest()[:DIGEST_LENGTH]
                parts[f"file.{self.place(path)}"] = content
        return parts

    def place(self, path: Path) -> str:
        """How a file is named: from the recipe's root, or from what is imported from elsewhere."""
        return place_of(path, self._root, self._code_paths) or path.as_posix()

    def foreign_imports(self, name: str) -> tuple[str, ...]:
        """Top-level names of imported modules that are neither the recipe's nor Python's."""
        imported = {
            target.partition(".")[0]
            for module in self.closure(name)
            for target in module.import_names
        }
        own = {part for part in imported if self._is_own(part)}
        return tuple(sorted(imported - own - sys.stdlib_module_names - {"__future__", ""}))

    def _is_own(self, name: str) -> bool:
        return name in self._code_paths or (
            (self._root / name).is_dir() or (self._root / f"{name}{CODE_SUFFIX}").is_file()
        )

    def _imported(self, module: Module) -> Iterator[str]:
        for target in module.import_names:
            yield target
            yield from _parents(target)


def _parents(name: str) -> Iterator[str]:
    parent = name.rpartition(".")[0]
    while parent:
        yield parent
        parent = parent.rpartition(".")[0]


def _import_names(module: Module) -> Iterator[str]:
    """Every dotted name that an import could mean: ``from a import b`` is a and a.b."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            if base:
                yield base
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    steps_up = module.package.split(".")
    kept = steps_up[: len(steps_up) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _definitions(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Each top-level definition with the digest of its syntax; the rest is one part."""
    rest = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, _digest(node)
        elif not _is_docstring(node):
            rest.append(_dump(node))
    if rest:
        yield "module level", hashlib.sha256("\n".join(rest).encode()).hexdigest()[:DIGEST_LENGTH]


def _digest(node: ast.AST) -> str:
    return hashlib.sha256(_dump(node).encode()).hexdigest()[:DIGEST_LENGTH]


def _dump(node: ast.AST) -> str:
    return ast.dump(_WithoutDocstrings().visit(node))


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


class _WithoutDocstrings(ast.NodeTransformer):
    """Leaves out text that stands alone: docstrings, and nothing that acts."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if _is_docstring(node) else self.generic_visit(node)


def _data_files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix not in NOT_DATA and not path.name.startswith(".")
    )
