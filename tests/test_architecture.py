"""The floors, the towers and the import order of DESIGN, held as data and checked on the syntax trees."""

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator

import pytest
from source_tree import Import, Source, imports_of, read_sources

# A file imports only from floors below its own or from its own folder.
FLOORS = {
    "errors": 0,
    "atomic": 0,
    "shapes": 0,
    "progress": 0,
    "compiled": 0,
    "__init__": 0,
    "voxels": 1,
    "geometry": 1,
    "imaging": 1,
    "pictures": 1,
    "ops": 1,
    "slices": 2,
    "metrics": 2,
    "phantoms": 2,
    "models": 2,
    "data": 3,
    "training": 4,
    "inversion": 5,
    "methods": 5,
    "workflows": 6,
    "cli": 7,
    "__main__": 8,  # `python -m medsegan`: the door to the command line
}
# imaging stands on geometry; whatever holds voxels stands on their operators
SAME_FLOOR = {("imaging", "geometry"), ("imaging", "voxels"), ("geometry", "voxels"), ("ops", "voxels")}

IMAGE_TOWER = {"geometry", "imaging", "slices", "metrics", "phantoms"}
LEARNING_TOWER = {"ops", "models", "training", "inversion", "methods"}
LEARNS_NOTHING = IMAGE_TOWER | {"pictures", "voxels"}
BANNED_IN_IMAGE_TOWER = {"torch", "monai", "safetensors"}
BANNED_IN_LEARNING_TOWER = {"nibabel", "pydicom", "highdicom", "SimpleITK", "skimage"}
MEDICAL_PACKAGES = (*sorted(BANNED_IN_LEARNING_TOWER), "monai")

BANNED_EVERYWHERE = {
    **dict.fromkeys(
        ("pickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"), "loading a model can run no code"
    ),
    **dict.fromkeys(("requests", "httpx", "socket", "http", "ftplib", "huggingface_hub"), "no network"),
}

Rule = Callable[[Source], Iterator[str]]

SOURCES = read_sources("medsegan", "cli")


def target_folder(found: Import, name: str | None = None) -> str | None:
    """The folder of the architecture that an import leads to; None for other packages."""
    parts = found.module.split(".")
    if parts[0] == "medsegan_cli":
        return "cli"
    if parts[0] != "medsegan":
        return None
    if len(parts) > 1:
        return parts[1]
    return name if name in FLOORS else "__init__"


def targets(found: Import) -> set[str]:
    """All folders of the architecture that one import statement leads to."""
    return {folder for name in found.names or (None,) if (folder := target_folder(found, name)) is not None}


def floor_offences(source: Source) -> Iterator[str]:
    """The imports of a file that lead to its own floor or upwards."""
    here = source.folder
    for found in imports_of(source):
        for there in targets(found) - {here}:
            is_below = FLOORS[there] < FLOORS[here] or (here, there) in SAME_FLOOR
            if not is_below:
                where = f"{here} (floor {FLOORS[here]}) imports {there} (floor {FLOORS[there]})"
                yield f"{source.line(found.line)}  <- {where}"


def tower_offences(source: Source) -> Iterator[str]:
    """The imports of a file that cross from one tower to the other, or use the other tower's packages."""
    for found in imports_of(source):
        if source.folder in LEARNS_NOTHING:
            if found.top in BANNED_IN_IMAGE_TOWER or targets(found) & (LEARNING_TOWER | {"data"}):
                yield f"{source.line(found.line)}  <- the image tower knows nothing of learning"
        elif source.folder in LEARNING_TOWER and (
            found.top in BANNED_IN_LEARNING_TOWER or targets(found) & IMAGE_TOWER
        ):
            yield f"{source.line(found.line)}  <- the learning tower knows no file format"


def banned_packages(source: Source) -> Iterator[str]:
    """The imports of a file that no file may have."""
    for found in imports_of(source):
        names = {found.top, found.module, *(f"{found.module}.{name}" for name in found.names)}
        if "urllib.request" in names:
            yield f"{source.line(found.line)}  <- no network"
        if found.top in BANNED_EVERYWHERE:
            yield f"{source.line(found.line)}  <- {BANNED_EVERYWHERE[found.top]}"


def import_graph(sources: Iterable[Source]) -> dict[str, set[str]]:
    """From each module to the modules that it imports while it is itself imported."""
    sources = tuple(sources)
    known = {source.module for source in sources}
    graph: dict[str, set[str]] = {}
    for source in sources:
        graph[source.module] = edges = set()
        for found in imports_of(source):
            if found.at_module_level:
                full = {f"{found.module}.{name}" for name in found.names}
                edges |= full & known or {found.module} & known
        edges.discard(source.module)
    return graph


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """One circle of modules that import each other, first and last equal; empty if there is none."""
    finished: set[str] = set()

    def visit(module: str, trail: list[str]) -> list[str]:
        if module in trail:
            return [*trail[trail.index(module) :], module]
        if module in finished:
            return []
        for there in sorted(graph.get(module, ())):
            if cycle := visit(there, [*trail, module]):
                return cycle
        finished.add(module)
        return []

    for module in sorted(graph):
        if cycle := visit(module, []):
            return cycle
    return []


def test_every_folder_has_a_floor() -> None:
    homeless = sorted({source.folder for source in SOURCES} - set(FLOORS))
    assert homeless == [], "give it a floor in the table of this test and in DESIGN"


@pytest.mark.parametrize("rule", [floor_offences, tower_offences, banned_packages])
def test_no_import_breaks_a_rule(rule: Rule) -> None:
    offences = [line for source in SOURCES for line in rule(source)]
    assert not offences, "\n" + "\n".join(offences)


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert find_cycle(import_graph(SOURCES)) == []


def test_learning_tower_imports_where_no_medical_package_is_installed() -> None:
    modules = [source.module for source in SOURCES if source.folder in LEARNING_TOWER | {"pictures"}]
    program = (
        "import importlib, sys\n"
        f"sys.modules.update(dict.fromkeys({MEDICAL_PACKAGES!r}))\n"
        f"for name in {modules!r}:\n"
        "    importlib.import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("path", "text", "rule", "word"),
    [
        (
            "medsegan/geometry/a.py",
            "from ..slices import Frame",
            floor_offences,
            "geometry (floor 1) imports slices",
        ),
        ("medsegan/geometry/a.py", "from .. import workflows", floor_offences, "imports workflows (floor 6)"),
        (
            "medsegan/metrics/a.py",
            "import medsegan.slices.cut",
            floor_offences,
            "metrics (floor 2) imports slices",
        ),
        ("medsegan/training/a.py", "def f():\n    from ..inversion import x", floor_offences, "a.py:2: from"),
        ("medsegan/workflows/a.py", "from medsegan_cli.main import main", floor_offences, "imports cli"),
        ("medsegan/slices/a.py", "import torch.nn", tower_offences, "nothing of learning"),
        ("medsegan/metrics/a.py", "from ..models import Generator", tower_offences, "nothing of learning"),
        ("medsegan/models/a.py", "def f():\n    import nibabel", tower_offences, "no file format"),
        ("medsegan/training/a.py", "from ..imaging.volume import Volume", tower_offences, "no file format"),
        ("medsegan/models/a.py", "import pickle", banned_packages, "run no code"),
        ("medsegan/models/a.py", "from urllib import request", banned_packages, "no network"),
    ],
)
def test_the_rules_name_an_offending_line(path: str, text: str, rule: Rule, word: str) -> None:
    offences = list(rule(Source(path, text)))
    assert len(offences) == 1
    assert word in offences[0]
    assert offences[0].startswith(path)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("medsegan/imaging/a.py", "from ..geometry import Grid\nfrom .volume import Volume\nimport nibabel"),
        ("medsegan/training/a.py", "import torch\nfrom ..data import dataset\nfrom ..pictures import montage"),
        ("medsegan/slices/__init__.py", "from .frame import Frame\nfrom ..errors import DataError"),
        ("cli/a.py", "from medsegan import __version__\nfrom medsegan.workflows import train"),
    ],
)
def test_the_rules_let_pass_what_is_allowed(path: str, text: str) -> None:
    source = Source(path, text)
    assert [*floor_offences(source), *tower_offences(source), *banned_packages(source)] == []


def test_a_circle_is_found_and_an_import_inside_a_function_is_none() -> None:
    first = Source("medsegan/ops/a.py", "from .b import x")
    assert find_cycle(import_graph([first, Source("medsegan/ops/b.py", "from .a import y")])) == [
        "medsegan.ops.a",
        "medsegan.ops.b",
        "medsegan.ops.a",
    ]
    assert find_cycle(import_graph([first, Source("medsegan/ops/b.py", "def f():\n    from .a import y")])) == []
