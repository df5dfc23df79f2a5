"""The benchmarks know every operator, and refuse to time a slow path as ours."""

import subprocess
import sys

from source_tree import ROOT

from benchmarks.ops import OPERATORS
from benchmarks.timing import Case, as_rows, measure
from medsegan.ops import operators


def test_every_operator_has_its_cases() -> None:
    files = {path.stem for path in (ROOT / "benchmarks" / "operators").glob("[!_]*.py")}
    assert files == set(OPERATORS)
    shared = {
        "keep_largest",
        "nearest_outside",
        "local_correlation",
        "self_similarity",
        "upsample2d",
        "downsample2d",
    }
    assert set(operators()) - shared <= files


def test_a_missed_bar_is_said() -> None:
    case = Case("work", lambda: sum(range(20_000)), {"rival": lambda: None}, {"rival": 2.0}, 3, 8, "note")
    (row,) = as_rows(case, measure(case, "cpu"), bandwidth=1e9)
    assert row.startswith("| work | ")
    assert "note | rival | " in row
    assert "2x MISSED" in row


def test_without_kernels_nothing_is_timed() -> None:
    program = "import sys; sys.modules['medsegan_cuda'] = None; from benchmarks.ops import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 1
    assert "would run plain on cpu" in done.stderr
