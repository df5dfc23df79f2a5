"""Which model a name, a path or nothing at all stands for."""

from pathlib import Path

from ..errors import ModelError
from ..training.run_folder import RunFolder
from .workspace import Workspace


def choose_model(workspace: Workspace | None, model: str | None) -> Path:
    """The folder of a finished model.

    Args:
        workspace: where runs are looked up; None = there is none, and only a path will do.
        model: name of a run, path of a run or model folder; None = the newest finished run.

    Raises:
        ModelError: there is no such model, or it is not finished.
    """
    if model is None:
        return _newest(workspace)
    path = Path(model)
    if path.is_dir():
        for folder in (path, path / "model"):
            if (folder / "model.json").is_file():
                return folder
        raise ModelError(f"{path} holds no finished model; give the folder of a run whose training has ended")
    runs = _runs(workspace)
    for run in runs:
        if run.path.name == model:
            if run.is_finished:
                return run.model
            raise ModelError(
                f"the run {model} is not finished; go on with `medsegan train --name {model} --resume`"
            )
    known = ", ".join(run.path.name for run in runs) or "none"
    raise ModelError(f"there is no run or folder {model!r}; runs of the workspace: {known}")


def _newest(workspace: Workspace | None) -> Path:
    finished = [run.model for run in _runs(workspace) if run.is_finished]
    if not finished:
        raise ModelError("there is no finished run in the workspace; run `medsegan train` first, or pass --model")
    return max(finished, key=lambda folder: (folder / "model.json").stat().st_mtime)


def _runs(workspace: Workspace | None) -> list[RunFolder]:
    if workspace is None or not workspace.runs.is_dir():
        return []
    folders = [RunFolder(path) for path in sorted(workspace.runs.iterdir()) if path.is_dir()]
    return [folder for folder in folders if folder.is_started]
