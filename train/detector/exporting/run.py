"""Export a detector: files for other runtimes, each measured before it is kept."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fullshot
from fullshot.core.errors import UserError
from fullshot.core.files import bring_back, digest, read_json, replaced_folder, write_text
from fullshot.core.progress import say, say_unchanged
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train import runtimes
from fullshot.train.detector.data import WANTED
from fullshot.train.detector.exporting import card
from fullshot.train.detector.exporting.making import ONNX, OPENVINO, STAGE, Making
from fullshot.train.detector.exporting.samples import digests, of_photos, of_workspace
from fullshot.train.detector.families import KIND
from fullshot.train.detector.sources import Source, find_source

ALL = "all"
FORMATS = (ONNX, OPENVINO, ALL)

CARD, FIGURES = "export-card.md", "export-card.json"

FOLDER = "export"
"""In a run's folder; of weights that no run of the workspace has, beside the runs."""

_FORMAT = "1"

Stats = dict[str, Any]


def export(
    workspace: Workspace | None,
    settings: Settings,
    *,
    weights: str,
    format: str = ALL,
    int8: bool = False,
    output: Path | None = None,
    photos: Sequence[Path] = (),
) -> Stats:
    """Write a detector as files for other runtimes, and measure each against the network in torch.

    Args:
        workspace: whose pictures it is measured on; None: ``photos`` name them.
        settings: say the confidence from which boxes are compared.
        weights: see :func:`fullshot.train.detector.sources.find_source`.
        format: one of :data:`FORMATS`.
        int8: whether files of 8-bit numbers are written, too.
        output: the folder that the files go to; None: :data:`FOLDER`, in the folder of the run.
        photos: to measure on and calibrate with, in place of the workspace's pictures.

    Returns:
        ``weights``, ``digest``, ``family``, ``labels``, ``image_size``; ``measured_on``, ``pictures``,
        ``pictures_left_out`` (of more than 200), ``unreadable``, ``confidence``, ``overlap``; ``before`` (``map50``,
        ``map50_95`` and ``ms`` in torch); ``files``: of each ``file``, ``runtime``, ``numbers``, ``megabytes``, ``ms``,
        ``boxes``, ``same``, ``share``, ``map50``, ``map50_95``; ``left_out``, the reasons why files were not kept; and
        ``folder``. The same is written to :data:`FIGURES`, and as text to :data:`CARD`, beside the files.

    Raises:
        UserError: there are no such weights, or nothing to measure on; or ``output`` holds something else.
        StageFailed: the network cannot be exported, or nothing of it was kept.
    """
    if workspace is None:
        return _exported(None, settings, weights, format, int8, output, photos)
    with workspace.stage(STAGE, settings, () if photos else tuple(WANTED)) as stats:
        stats |= _exported(workspace, settings, weights, format, int8, output, photos)
    return stats


def _exported(
    workspace: Workspace | None,
    settings: Settings,
    weights: str,
    format: str,
    int8: bool,
    output: Path | None,
    photos: Sequence[Path],
) -> Stats:
    source = find_source(weights, workspace)
    folder = (output or _folder(workspace, source)).resolve()
    formats = _formats(format)
    inputs = {
        "weights": source.digest,
        "formats": ",".join(formats),
        "int8": str(int8),
        "confidence": str(settings.detector.confidence),
        "pictures": _pictures_now(workspace, photos),
        "version": f"{fullshot.__version__}-{_FORMAT}",
    }
    bring_back(folder)
    _must_be_free(folder)
    if (kept := _kept(folder, inputs)) is not None:
        say_unchanged(STAGE, "this was exported", f"it is in {folder}")
        return kept
    samples = of_photos(photos) if workspace is None or photos else of_workspace(workspace, source.labels, STAGE)
    with replaced_folder(folder) as part:
        stats = {**Making(source, settings.detector, samples, part).run(formats, int8=int8), "folder": str(folder)}
        files = {path.name: digest(path) for path in sorted(part.iterdir())}
        write_text(part / CARD, card.markdown(stats))
        write_text(part / FIGURES, json.dumps({**stats, "inputs": inputs, "sha256": files}, indent=1) + "\n")
    return stats


def _folder(workspace: Workspace | None, source: Source) -> Path:
    if workspace is None:
        raise UserError("expected --output: without a workspace there is no place to export to")
    models = workspace.models(KIND)
    if source.run is not None and source.run.folder.resolve().parent == models.resolve():
        return source.run.folder / FOLDER
    return models / f"{FOLDER}s" / f"{Path(source.name).stem}-{source.digest[:8]}"


def _formats(wanted: str) -> list[str]:
    if wanted == ONNX:
        return [ONNX]
    if runtimes.is_installed(runtimes.OPENVINO):
        return [OPENVINO] if wanted == OPENVINO else [ONNX, OPENVINO]
    if wanted == OPENVINO:
        raise UserError("OpenVINO is not installed: pip install 'fullshot[openvino]' (for Python below 3.14)")
    say(f"{STAGE}: OpenVINO is not installed: its files are left out")
    return [ONNX]


def _pictures_now(workspace: Workspace | None, photos: Sequence[Path]) -> str:
    """What tells the pictures from others, told without opening those of a workspace."""
    if workspace is None or photos:
        return digests(of_photos(photos))
    return json.dumps(workspace.digests(tuple(WANTED)), sort_keys=True)


def _must_be_free(folder: Path) -> None:
    if not folder.exists():
        return
    ours = {CARD, FIGURES, *read_json(folder / FIGURES).get("sha256", {})} if folder.is_dir() else set()
    others = sorted({path.name for path in folder.iterdir()} - ours) if folder.is_dir() else [folder.name]
    if others:
        raise UserError(f"{folder} holds something else ({others[0]}): export into a new folder")


def _kept(folder: Path, inputs: dict[str, str]) -> Stats | None:
    """What was exported before of the same, if its files are whole."""
    found = read_json(folder / FIGURES)
    files = found.pop("sha256", {})
    if found.pop("inputs", None) != inputs or not (folder / CARD).is_file():
        return None
    return found if all(digest(folder / name) == sha256 for name, sha256 in files.items()) else None
