"""The source files of the checkout as syntax trees, for the tests that watch over the architecture."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file: where it lies in the checkout and what it says.

    Args:
        path: relative to the checkout, with forward slashes, such as "medsegan/geometry/grid.py".
        text: the whole content.
    """

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree of the file."""
        return ast.parse(self.text, filename=self.path)

    @property
    def folder(self) -> str:
        """The part of the architecture it belongs to: "geometry", "cli", or the stem of a file at the top."""
        parts = self.path.removesuffix(".py").split("/")
        return parts[0] if parts[0] != "medsegan" else parts[1]

    @property
    def module(self) -> str:
        """Its dotted name when imported; `cli/` is installed as `medsegan_cli`."""
        dotted = self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return "medsegan_cli" + dotted.removeprefix("cli") if dotted.split(".")[0] == "cli" else dotted

    @property
    def package(self) -> str:
        """The dotted name that one leading dot in an import of this file stands for."""
        return self.module if self.path.endswith("/__init__.py") else self.module.rpartition(".")[0]

    def line(self, number: int) -> str:
        """The place and the text of a line, as a test reports it: `medsegan/x.py:12: import torch`."""
        return f"{self.path}:{number}: {self.text.splitlines()[number - 1].strip()}"


@dataclass(frozen=True)
class Import:
    """One imported module: the dotted name, the names taken from it, the line, and whether it runs at import."""

    module: str
    names: tuple[str, ...]
    line: int
    at_module_level: bool

    @property
    def top(self) -> str:
        """The first part of the dotted name."""
        return self.module.split(".")[0]


def read_sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file below these folders of the checkout, sorted by path."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return tuple(Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths)


def imports_of(source: Source) -> Iterator[Import]:
    """Every import of a file with relative names resolved, also those inside functions."""
    at_start = {id(node) for node in _nodes_run_at_import(source.tree)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, (), node.lineno, id(node) in at_start)
        elif isinstance(node, ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            yield Import(_absolute(node, source), names, node.lineno, id(node) in at_start)


def _nodes_run_at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes outside function bodies and outside `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(tree):
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        is_for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
        if not is_function and not is_for_types:
            yield child
            yield from _nodes_run_at_import(child)


def _absolute(node: ast.ImportFrom, source: Source) -> str:
    if not node.level:
        return node.module or ""
    parents = source.package.split(".")
    base = parents[: len(parents) - node.level + 1]
    return ".".join([*base, *(node.module or "").split(".")]).rstrip(".")
