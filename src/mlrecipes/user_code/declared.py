"""Whether the user's functions are there and can be called as the engine calls them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mlrecipes.errors import Problem, did_you_mean
from mlrecipes.user_code.source import Module, SourceTree

__all__ = ["CallShape", "declaration_problems"]


@dataclass(frozen=True, slots=True)
class CallShape:
    """The ways in which the engine may call a function.

    Attributes:
        positional: Acceptable numbers of positional arguments, the first preferred.
        signature: How a person would write the function.
    """

    positional: tuple[int, ...]
    signature: str


SHAPES: Mapping[str, CallShape] = MappingProxyType(
    {
        "loader_method": CallShape((2, 1), "(path, using)"),
        "split_method": CallShape((1,), "(frame)"),
        "post_split_method": CallShape((3,), "(training, validation, test)"),
        "post_split_filter_method": CallShape((1,), "(training)"),
        "transformer_method": CallShape((0,), "()"),
        "estimator_method": CallShape((1, 0), "(estimator_params)"),
    }
)


def declaration_problems(
    tree: SourceTree, module_name: str, function: str, *, key: str, place: tuple[str, int | None]
) -> Iterator[Problem]:
    """Find out why a function that the recipe names could not be called.

    Args:
        tree: The recipe's code.
        module_name: Dotted name of the module, such as ``steps.train``.
        function: The function's name.
        key: The configuration key that names it, such as ``steps.train.estimator_method``.
        place: File and line of that key.
    """
    file, line = place
    path = f"{module_name.replace('.', '/')}.py"
    module = tree.module(module_name)
    if module is None:
        yield Problem(file, line, key, f"is '{function}', but there is no {path}.")
        return
    try:
        is_there = module.may_define(function)
    except (SyntaxError, UnicodeDecodeError) as error:
        yield Problem(path, getattr(error, "lineno", None), "", f"is no valid Python: {error}")
        return
    if not is_there:
        names = module.function_names()
        what = f"is '{function}', which {path} does not define."
        hint = did_you_mean(function, names) if names else f"Add: def {function}(...)."
        yield Problem(file, line, key, what, hint)
        return
    yield from _shape_problems(module, function, key.rpartition(".")[2], path)


def _shape_problems(module: Module, function: str, kind: str, path: str) -> Iterator[Problem]:
    shape = SHAPES.get(kind)
    node = module.function(function)
    if shape is None or node is None:
        return
    least, most = _positional_range(node.args)
    if any(least <= n_given <= most for n_given in shape.positional):
        return
    yield Problem(
        path,
        node.lineno,
        f"{function}({ast.unparse(node.args)})",
        f"cannot be called as {kind}.",
        f"Write it as: def {function}{shape.signature}.",
    )


def _positional_range(arguments: ast.arguments) -> tuple[int, float]:
    """The least and the greatest number of positional arguments a function takes."""
    n_all = len(arguments.posonlyargs) + len(arguments.args)
    n_required = n_all - len(arguments.defaults)
    if any(default is None for default in arguments.kw_defaults):
        return 0, -1.0
    return n_required, float("inf") if arguments.vararg else n_all
