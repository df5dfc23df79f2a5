"""The manners of the house: sizes, names, documentation, and what library code never does."""

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Callable, Iterator

import pytest
from source_tree import ROOT, Source, read_sources

FILE_LINES = 400
FUNCTION_LINES = 60
PARAMETERS = 7
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
ENVIRONMENT_READERS = {"workflows", "cli"}
MAY_EXIT = {"cli/main.py", "medsegan/__main__.py"}
MAY_WRITE_TO_STDOUT = {"cli/console.py"}
# One parameter an option: these are the commands themselves, called by typer alone.
COMMANDS = {
    f"cli/{stem}.py"
    for stem in ("app", "prepare", "train", "segment", "evaluate", "convert", "verify", "info", "demo")
}

LIBRARY = read_sources("medsegan")
SHIPPED = (*LIBRARY, *read_sources("cli"))
EVERYTHING = (*SHIPPED, *read_sources("tests", "examples", "benchmarks"))

Rule = Callable[[Source], Iterator[str]]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(source: Source) -> Iterator[Function]:
    """Every function and method of a file, nested ones included."""
    return (node for node in ast.walk(source.tree) if isinstance(node, Function))


def long_functions(source: Source) -> Iterator[str]:
    """Functions of more lines than allowed, not counting their docstring."""
    for node in functions(source):
        first = node.body[0]
        has_docstring = ast.get_docstring(node, clean=False) is not None
        docstring = (first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0
        length = (node.end_lineno or node.lineno) - node.lineno + 1 - docstring
        if length > FUNCTION_LINES:
            yield f"{source.line(node.lineno)}  <- {length} lines, at most {FUNCTION_LINES}"


def crowded_functions(source: Source) -> Iterator[str]:
    """Functions of more parameters than allowed, not counting self; commands are exempt."""
    if source.path in COMMANDS:
        return
    for node in functions(source):
        names = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        count = len([name for name in names if name not in ("self", "cls")])
        if count > PARAMETERS:
            yield f"{source.line(node.lineno)}  <- {count} parameters, at most {PARAMETERS}"


def dotted(node: ast.AST) -> str:
    """The dotted name that an expression spells, such as "os.environ.get"; empty for anything else."""
    if isinstance(node, ast.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr}" if base else ""
    return node.id if isinstance(node, ast.Name) else ""


def prints_and_exits(source: Source) -> Iterator[str]:
    """Lines that print or end the process outside the one file that may."""
    for node in ast.walk(source.tree):
        name = (
            dotted(node.func) if isinstance(node, ast.Call) else dotted(node) if isinstance(node, ast.Name) else ""
        )
        if name in ("sys.exit", "os._exit", "exit", "quit", "SystemExit") and source.path not in MAY_EXIT:
            yield f"{source.line(node.lineno)}  <- only {sorted(MAY_EXIT)} may end the process"
        is_output = name in ("print", "sys.stdout.write") and isinstance(node, ast.Call)
        if is_output and source.path not in MAY_WRITE_TO_STDOUT:
            yield f"{source.line(node.lineno)}  <- only {sorted(MAY_WRITE_TO_STDOUT)} may print"


def environment_use(source: Source) -> Iterator[str]:
    """Lines that read the environment outside `workflows/` and `cli/`, or that change it anywhere."""
    may_read = source.folder in ENVIRONMENT_READERS
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            if {alias.name for alias in node.names} & {"environ", "getenv", "putenv"}:
                yield f"{source.line(node.lineno)}  <- write os.environ in full"
        elif isinstance(node, ast.Attribute) and dotted(node) in ("os.environ", "os.getenv") and not may_read:
            yield f"{source.line(node.lineno)}  <- only workflows/ and cli/ read the environment"
        is_item = isinstance(node, ast.Subscript) and dotted(node.value) == "os.environ"
        is_assigned = is_item and not isinstance(getattr(node, "ctx", None), ast.Load)
        called = dotted(node.func) if isinstance(node, ast.Call) else ""
        if is_assigned or re.fullmatch(r"os\.(putenv|environ\.(update|setdefault|pop|clear))", called):
            yield f"{source.line(getattr(node, 'lineno', 1))}  <- nothing changes the environment"


def pickles(source: Source) -> Iterator[str]:
    """Lines that would read or write a pickle through torch or numpy."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        allows = [
            k for k in node.keywords if k.arg == "allow_pickle" and getattr(k.value, "value", None) is not False
        ]
        if dotted(node.func) in ("torch.load", "torch.save") or allows:
            yield f"{source.line(node.lineno)}  <- checkpoints are safetensors and JSON, never pickles"


def bare_waivers(source: Source) -> Iterator[str]:
    """Comments that switch a checker off without saying which rule."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and re.search(r"noqa(?!:)|type:\s*ignore(?!\[)", token.string):
            yield f"{source.line(token.start[0])}  <- name the rule that is waived"


def undocumented(source: Source) -> Iterator[str]:
    """Modules, public classes and public functions that say nothing of themselves."""
    if len((ast.get_docstring(source.tree) or "").strip(" .")) < 10:
        yield f"{source.path}:1: <- the module has no docstring"
    for node in source.tree.body:
        is_public = isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_")
        if is_public and not ast.get_docstring(node):
            yield f"{source.line(node.lineno)}  <- public and without a docstring"


@pytest.mark.parametrize(
    "rule", [long_functions, crowded_functions, prints_and_exits, environment_use, pickles, undocumented]
)
def test_shipped_code_keeps_the_rules(rule: Rule) -> None:
    offences = [line for source in SHIPPED for line in rule(source)]
    assert not offences, "\n" + "\n".join(offences)


def test_no_checker_is_silenced_without_a_name() -> None:
    offences = [line for source in EVERYTHING for line in bare_waivers(source)]
    assert not offences, "\n" + "\n".join(offences)


def test_no_file_is_longer_than_allowed() -> None:
    lengths = {source.path: len(source.text.splitlines()) for source in EVERYTHING}
    assert {path: n for path, n in lengths.items() if n > FILE_LINES} == {}


def test_no_file_is_a_drawer() -> None:
    assert [s.path for s in EVERYTHING if DRAWERS & set(s.path.removesuffix(".py").split("/"))] == []


def test_every_folder_lists_what_it_exports() -> None:
    folders = [s for s in LIBRARY if s.path.endswith("/__init__.py") and s.path != "medsegan/__init__.py"]
    silent = [s.path for s in folders if "__all__" not in s.text and s.folder != "workflows"]
    assert silent == []


def test_every_folder_is_packaged() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        packages = tomllib.load(file)["tool"]["setuptools"]["packages"]
    found = {source.package for source in SHIPPED}
    assert sorted(packages) == sorted(found)


def test_nothing_named_cli_is_installed() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)["tool"]["setuptools"]
    assert settings["package-dir"] == {"medsegan_cli": "cli"}
    assert not {"cli", "cuda_ext"} & set(settings["packages"])


@pytest.mark.parametrize(
    ("rule", "text", "count"),
    [
        (long_functions, "def f():\n" + "    x = 1\n" * 60, 1),
        (long_functions, "def f():\n" + "    x = 1\n" * 59, 0),
        (long_functions, 'def f():\n    """A.\n' + "    b\n" * 30 + '    """\n' + "    x = 1\n" * 59, 0),
        (crowded_functions, "def f(a, b, c, d, *, e, g, h, i): ...", 1),
        (crowded_functions, "class A:\n    def f(self, a, b, c, d, e, g, h): ...", 0),
        (prints_and_exits, "print('x')", 1),
        (prints_and_exits, "import sys\nsys.exit(2)", 1),
        (prints_and_exits, "raise SystemExit", 1),
        (prints_and_exits, "console.print('x')", 0),
        (environment_use, "import os\nx = os.environ.get('A')", 1),
        (environment_use, "from os import getenv", 1),
        (environment_use, "import os\nx = os.getpid()", 0),
        (pickles, "import torch\ntorch.load('x')", 1),
        (pickles, "import numpy as np\nnp.load('x', allow_pickle=True)", 1),
        (pickles, "import numpy as np\nnp.load('x', allow_pickle=False)", 0),
        (bare_waivers, "x = 1  # type: " + "ignore", 1),
        (bare_waivers, "x = 1  # noqa: E501", 0),
        (undocumented, "def f(): ...", 2),
        (undocumented, '"""What this file is about."""\ndef _f(): ...', 0),
    ],
)
def test_the_rules_can_fail(rule: Rule, text: str, count: int) -> None:
    assert len(list(rule(Source("medsegan/geometry/a.py", text)))) == count


def test_workflows_may_read_the_environment_but_not_change_it() -> None:
    read = Source("medsegan/workflows/a.py", "import os\nx = os.environ.get('A')\ny = os.environ['B']")
    write = Source("medsegan/workflows/a.py", "import os\nos.environ['A'] = 'x'")
    assert list(environment_use(read)) == []
    assert len(list(environment_use(write))) == 1


def test_no_half_merged_file() -> None:
    marked = [s.path for s in EVERYTHING if re.search(r"^(<{7}|>{7}) ", s.text, flags=re.MULTILINE)]
    assert marked == []
