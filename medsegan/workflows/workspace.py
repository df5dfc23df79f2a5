"""The workspace: the folder whose `medsegan.toml` holds the labels, domains and settings of all commands."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import tomlkit
from tomlkit.exceptions import TOMLKitError

from ..errors import DataError, InputError, UsageError
from .privacy.private_folder import PrivateFolder
from .workspace_file import WORKSPACE_FILE, read_document, updated_document, write_document
from .workspace_names import require_domain_name, require_label_name, require_label_value

ENVIRONMENT_VARIABLE = "MEDSEGAN_WORKSPACE"


@dataclass(frozen=True)
class DomainSettings:
    """One kind of image with one appearance, as `medsegan.toml` records it.

    Args:
        modality: "ct", "mr", "xray" or "unknown".
        values: name of a class -> its value in this domain's own label files; a class that this domain does not
            annotate is absent.
        source: the layout that the scans were found in, in words; never a path.
        test_fraction: share of the labelled patients that are for the test; None, here and below = not recorded.
        val_fraction: share that is for validation.
        seed: of the split.
        window: lowest and highest stored intensity shown to a network.
    """

    modality: str
    values: dict[str, int] = field(default_factory=dict)
    source: str = ""
    test_fraction: float | None = None
    val_fraction: float | None = None
    seed: int | None = None
    window: tuple[float, float] | None = None


@dataclass(frozen=True)
class PreparationSettings:
    """What all domains of a workspace are prepared with: `size` pixels along each side, `plane` of the slices."""

    size: int
    plane: str


@dataclass(frozen=True)
class Workspace:
    """A folder with `medsegan.toml`, and the places in it.

    Args:
        root: the folder.
        labels: name -> value of each class in the masks that `segment` writes; the k-th name is class index k,
            from 1.
        domains: name -> settings.
        preparation: None until something was prepared.
    """

    root: Path
    labels: dict[str, int] = field(default_factory=dict)
    domains: dict[str, DomainSettings] = field(default_factory=dict)
    preparation: PreparationSettings | None = None

    @classmethod
    def find(cls, start: Path | None = None, override: Path | None = None) -> Self:
        """The workspace in use: `override`, else MEDSEGAN_WORKSPACE of the environment, else the nearest upwards.

        Args:
            start: folder to look from; None = the current folder.
            override: the workspace folder itself (or its medsegan.toml); None = look for it.

        Raises:
            InputError: there is no workspace.
            DataError: its medsegan.toml is invalid.
        """
        root = cls.locate(start, override)
        if (root / WORKSPACE_FILE).is_file():
            return cls.open(root)
        named = _named_root(override)
        where = f"no {WORKSPACE_FILE} in {root}" if named else f"no {WORKSPACE_FILE} in {root} or above"
        raise InputError(f"{where}; run `medsegan prepare` first or pass -C with the folder of a workspace")

    @classmethod
    def locate(cls, start: Path | None = None, override: Path | None = None) -> Path:
        """The folder that `find` would open, or, where there is none, that `prepare` should make one in."""
        named = _named_root(override)
        if named is not None:
            return named
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / WORKSPACE_FILE).is_file():
                return folder
        return here

    @classmethod
    def open(cls, root: Path) -> Self:
        """The workspace in `root`; an empty one, not yet on disk, where there is no medsegan.toml.

        Raises:
            DataError: medsegan.toml is invalid; the message names the field.
        """
        path = root / WORKSPACE_FILE
        if not path.is_file():
            return cls(root)
        document: dict[str, Any] = read_document(path).unwrap()
        labels = {
            require_label_name(name, path): require_label_value(value, path, f"labels.{name}")
            for name, value in _table(document, "labels", path).items()
        }
        _require_different(labels, path, "labels")
        domains = {
            _read_domain_name(name, path): _read_domain(name, table, path)
            for name, table in _table(document, "domains", path).items()
        }
        return cls(root, labels, domains, _read_preparation(document, path))

    @classmethod
    def create(cls, folder: Path) -> Self:
        """A workspace in `folder`, made if there is none yet; an existing one is opened and left as it is."""
        workspace = cls.open(folder)
        if not (folder / WORKSPACE_FILE).is_file():
            folder.mkdir(parents=True, exist_ok=True)
            workspace.write()
        return workspace

    @property
    def file(self) -> Path:
        """The medsegan.toml of this workspace."""
        return self.root / WORKSPACE_FILE

    @property
    def exists(self) -> bool:
        """Whether medsegan.toml is on disk already."""
        return self.file.is_file()

    @property
    def data(self) -> Path:
        """The folder of all slice stores."""
        return self.root / "data"

    @property
    def runs(self) -> Path:
        """The folder of all runs."""
        return self.root / "runs"

    @property
    def reports(self) -> Path:
        """The folder of what eval writes."""
        return self.root / "reports"

    @property
    def private(self) -> PrivateFolder:
        """The folder that leads from ids back to scans."""
        return PrivateFolder(self.root / "private")

    def store_path(self, domain: str) -> Path:
        """The slice store of a domain, whether it exists or not."""
        return self.data / require_domain_name(domain)

    def run_path(self, name: str) -> Path:
        """The folder of a run, whether it exists or not.

        Raises:
            UsageError: the name is not one plain folder name.
        """
        if not name or name in {".", ".."} or Path(name).name != name:
            raise UsageError(f"a run's name is one folder name without slashes, got {name!r}")
        return self.runs / name

    @property
    def class_names(self) -> tuple[str, ...]:
        """All classes by index, "background" first."""
        return ("background", *self.labels)

    def write(self) -> None:
        """Write medsegan.toml, or bring an existing one up to date: comments and fields of the user stay.

        Raises:
            InputError: the file cannot be written.
        """
        path = self.file
        try:
            document = read_document(path) if path.is_file() else tomlkit.document()
            updated = updated_document(document, self._content())
        except TOMLKitError as error:
            raise DataError(f"{path} cannot be brought up to date: {error}") from error
        write_document(updated, path)

    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = {"labels": dict(self.labels), "domains": {}}
        if self.preparation is not None:
            content["preparation"] = {"size": self.preparation.size, "plane": self.preparation.plane}
        for name, settings in self.domains.items():
            recorded = {
                "modality": settings.modality,
                "source": settings.source,
                "test_fraction": settings.test_fraction,
                "val_fraction": settings.val_fraction,
                "seed": settings.seed,
                "window": None if settings.window is None else list(settings.window),
                "values": dict(settings.values),
            }
            content["domains"][name] = {key: value for key, value in recorded.items() if value is not None}
        return content


def _named_root(override: Path | None) -> Path | None:
    named = override
    if named is None and os.environ.get(ENVIRONMENT_VARIABLE):
        named = Path(os.environ[ENVIRONMENT_VARIABLE])
    if named is None:
        return None
    named = named.expanduser().resolve()
    return named.parent if named.name == WORKSPACE_FILE else named


def _table(document: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise DataError(f"{path}: [{name}] must be a table, found {table!r}")
    return table


def _read_domain_name(name: str, path: Path) -> str:
    try:
        return require_domain_name(name)
    except UsageError as error:
        raise DataError(f"{path}: [domains.{name}]: {error}") from error


def _read_domain(name: str, table: Any, path: Path) -> DomainSettings:
    where = f"domains.{name}"
    if not isinstance(table, dict):
        raise DataError(f"{path}: [{where}] must be a table, found {table!r}")
    modality = table.get("modality", "unknown")
    if modality not in {"ct", "mr", "xray", "unknown"}:
        raise DataError(f'{path}: {where}.modality must be "ct", "mr", "xray" or "unknown", found {modality!r}')
    values = {
        require_label_name(label, path): require_label_value(value, path, f"{where}.values.{label}")
        for label, value in _table(table, "values", path).items()
    }
    _require_different(values, path, f"{where}.values")
    return DomainSettings(
        modality=modality,
        values=values,
        source=str(table.get("source", "")),
        test_fraction=_read_share(table, path, f"{where}.test_fraction"),
        val_fraction=_read_share(table, path, f"{where}.val_fraction"),
        seed=_read_seed(table, path, f"{where}.seed"),
        window=_read_window(table, path, f"{where}.window"),
    )


def _read_share(table: dict[str, Any], path: Path, field: str) -> float | None:
    share = table.get(field.rpartition(".")[2])
    if share is not None and not (_is_number(share) and 0 <= share <= 1):
        raise DataError(f"{path}: {field} must be a number from 0 to 1, found {share!r}")
    return None if share is None else float(share)


def _read_seed(table: dict[str, Any], path: Path, field: str) -> int | None:
    seed = table.get("seed")
    if seed is None or (isinstance(seed, int) and not isinstance(seed, bool)):
        return seed
    raise DataError(f"{path}: {field} must be a whole number, found {seed!r}")


def _read_window(table: dict[str, Any], path: Path, field: str) -> tuple[float, float] | None:
    window = table.get("window")
    if window is None:
        return None
    if not (isinstance(window, list) and len(window) == 2 and all(_is_number(end) for end in window)):
        raise DataError(f"{path}: {field} must be two numbers, found {window!r}")
    if not window[0] < window[1]:
        raise DataError(f"{path}: {field} must run from a lower to a higher intensity, found {window!r}")
    return float(window[0]), float(window[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require_different(values: dict[str, int], path: Path, where: str) -> None:
    if len(set(values.values())) < len(values):
        raise DataError(f"{path}: two names in [{where}] have the same value: {values}; give each its own")


def _read_preparation(document: dict[str, Any], path: Path) -> PreparationSettings | None:
    table = _table(document, "preparation", path)
    if not table:
        return None
    size, plane = table.get("size"), table.get("plane")
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise DataError(f"{path}: preparation.size must be a number of pixels, found {size!r}")
    if plane not in {"axial", "coronal", "sagittal"}:
        raise DataError(f'{path}: preparation.plane must be "axial", "coronal" or "sagittal", found {plane!r}')
    return PreparationSettings(size, plane)
