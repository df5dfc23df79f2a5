"""What every test shares: deterministic hypothesis, a clean environment and the optional real scans."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

# Derandomised, so that a failure on one machine is a failure on all; no deadline, since CI machines are slow.
hypothesis.settings.register_profile(
    "medsegan",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large],
)
hypothesis.settings.load_profile("medsegan")

REAL_SCANS = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--plain` hides the compiled kernels: every operator takes its reference."""
    parser.addoption("--plain", action="store_true", help="run as if medsegan-cuda were not installed")


def pytest_configure(config: pytest.Config) -> None:
    """Before anything of medsegan is imported."""
    if config.getoption("--plain"):
        sys.modules["medsegan_cuda"] = None  # type: ignore[assignment]


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """No test sees the workspace, the colours or the terminal width of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MEDSEGAN_WORKSPACE", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            patch.delenv(name, raising=False)
        patch.setenv("COLUMNS", "100")
        yield


@pytest.fixture(scope="session")
def real_scans() -> Callable[[str], Path]:
    """A function from the name of a real data set ("abdomen_ct") to its folder; skips where it is absent."""

    def folder_of(name: str) -> Path:
        folder = REAL_SCANS / name
        if not folder.is_dir():
            pytest.skip(f"no real scans at {folder}")
        return folder

    return folder_of
