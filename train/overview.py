"""All training runs of a workspace: what they were made with, how good they are, and which one is in use."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullshot.core.errors import MissingInput, UserError
from fullshot.core.progress import say
from fullshot.core.settings import DetectorSettings, EmbedderSettings
from fullshot.core.workspace import Workspace
from fullshot.train import validation
from fullshot.train.runs import Run, all_runs, latest_run, unknown_runs

if TYPE_CHECKING:
    from rich.table import Table

KINDS = ("detector", "embedder")

IN_USE, FINISHED, UNFINISHED = "in use", "finished", "unfinished"

_SECTIONS: Mapping[str, type[DetectorSettings] | type[EmbedderSettings]] = {
    "detector": DetectorSettings,
    "embedder": EmbedderSettings,
}

_MAIN = {"detector": ("family", "model", "epochs", "image_size"), "embedder": ("backbone", "epochs", "image_size")}
"""Settings that are told of a run that is the only one of its kind."""

_OF_THE_MACHINE = {"device", "confidence", "plots", "starter", "runtime", "precision", "mlflow"}
"""Settings that say nothing of what was learnt."""

_LEARNT_FROM = ("products", "item_shots", "worn_garments")

_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class RunRow:
    """What is told of a run.

    Attributes:
        kind: ``detector`` or ``embedder``.
        run: its name.
        started_at: UTC, ISO 8601; as the record says it.
        state: :data:`IN_USE`, :data:`FINISHED` or :data:`UNFINISHED`.
        epochs: that are done; None: not known.
        epochs_asked: in all.
        made_with: the settings in which it differs from other runs of its kind; of a single one the main settings.
        validation: ``figure``, ``value``, and the ``split`` that it was measured on; None: there is none.
        learnt_from: such as ``pictures`` and ``boxes`` of the split train.
        bytes: of its folder.
        seconds: of its (last) training; None: not known.
    """

    kind: str
    run: str
    started_at: str
    state: str
    epochs: int | None
    epochs_asked: int | None
    made_with: dict[str, Any]
    validation: dict[str, Any] | None
    learnt_from: dict[str, int]
    bytes: int
    seconds: float | None

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def list_runs(workspace: Workspace, kind: str | None = None) -> list[RunRow]:
    """All runs, newest first. Those whose record cannot be read are named on stderr.

    Args:
        workspace: where.
        kind: ``detector`` or ``embedder``; None: both.

    Raises:
        MissingInput: there is no workspace.
    """
    workspace.must_be_there()
    rows = [row for each in ([kind] if kind else KINDS) for row in _rows_of(workspace, each)]
    return sorted(rows, key=lambda row: (row.started_at, row.run), reverse=True)


def table_of_runs(rows: Sequence[RunRow]) -> "Table":
    """The runs for a terminal."""
    from rich.table import Table
    from rich.text import Text

    made = Table.grid(padding=(0, 2))
    for name in ("kind", "run", "started", "state", "validation", "made with", "learnt from", "size", "seconds"):
        made.add_column(justify="right" if name in ("size", "seconds") else "left", no_wrap=True, header=name)
    made.show_header = True
    made.header_style = "dim"
    for row in rows:
        cells = [
            row.kind,
            row.run,
            row.started_at.replace("T", " ")[:16],
            _state_in_words(row),
            _figure_in_words(row.validation),
            ", ".join(f"{name.replace('_', ' ')} {_cell(value)}" for name, value in row.made_with.items()) or "–",
            ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in row.learnt_from.items()) or "–",
            f"{row.bytes / _MEGABYTE:,.1f} MB",
            "–" if row.seconds is None else f"{row.seconds:,.0f}",
        ]
        made.add_row(*map(Text, cells), style="bold" if row.state == IN_USE else None)
    return made


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _rows_of(workspace: Workspace, kind: str) -> list[RunRow]:
    for file in unknown_runs(workspace, kind):
        say(f"fullshot runs: {file} cannot be read: that run is left out")
    runs = list(all_runs(workspace, kind))
    try:
        in_use = latest_run(workspace, kind).name
    except MissingInput:
        in_use = ""
    made_with = _differences(kind, runs)
    return [_row(run, in_use, settings) for run, settings in zip(runs, made_with, strict=True)]


def _row(run: Run, in_use: str, made_with: dict[str, Any]) -> RunRow:
    record, metrics = run.record, run.metrics
    state = UNFINISHED if not run.finished else IN_USE if run.name == in_use else FINISHED
    epochs = _number(metrics.get("epochs")) if run.finished else _epochs_done(run)
    seconds = metrics.get("seconds")
    return RunRow(
        kind=run.kind,
        run=run.name,
        started_at=str(record.get("started_at", "")),
        state=state,
        epochs=epochs,
        epochs_asked=_number(_section(run).get("epochs")),
        made_with=made_with,
        validation=_figure(metrics),
        learnt_from=_learnt_from(record, metrics),
        bytes=size_of(run.folder),
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
    )


def _section(run: Run) -> dict[str, Any]:
    """The settings of its kind, with the defaults of those that it does not know; its record may be damaged."""
    try:
        known = run.section
    except UserError:
        known = {}
    family = {"family": run.record.get("family", "yolo")} if run.kind == "detector" else {}
    return {**_SECTIONS[run.kind]().model_dump(mode="json"), **known, **family}


def _differences(kind: str, runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Of each run the settings that are not the same in all; of a single one those of the main ones that are set."""
    sections = [_section(run) for run in runs]
    if len(runs) == 1:
        return [{name: value for name in _MAIN[kind] if (value := sections[0].get(name))}]
    names = dict.fromkeys([*_MAIN[kind], *(name for section in sections for name in section)])
    told = [
        name
        for name in names
        if name not in _OF_THE_MACHINE and any(section.get(name) != sections[0].get(name) for section in sections)
    ]
    return [{name: section.get(name) for name in told} for section in sections]


def _epochs_done(run: Run) -> int | None:
    """Those that the checkpoint of an unfinished run holds; None where that cannot be told."""
    # Not above: what reads a checkpoint loads torch, and most workspaces have no unfinished run.
    try:
        if run.kind == "embedder":
            from fullshot.train.driving import epochs_done

            return epochs_done(run.folder)
        from fullshot.core.interfaces import ContinuingTrainer
        from fullshot.train.detector.families import trainer_of

        trainer = trainer_of(run, DetectorSettings())
        return trainer.epochs_done(run.folder) if isinstance(trainer, ContinuingTrainer) else None
    except Exception:  # a broken checkpoint, a damaged record, a family of another package: each raises its own
        return None


def _figure(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """The figure of a run's validation; one of before names none, but has measured it."""
    found = validation.of_metrics(metrics)
    if found is not None:
        return {"figure": found.figure, "value": found.value, "split": "val"}
    measured = metrics.get("val")
    for name, key in (("mAP@0.5", "map50"), ("recall@5", "recall@5")):
        value = measured.get(key) if isinstance(measured, dict) else None
        if isinstance(measured, dict) and isinstance(value, int | float):
            return {"figure": name, "value": float(value), "split": str(measured.get("measured_on", "val"))}
    return None


def _learnt_from(record: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, int]:
    pictures, boxes = metrics.get("pictures"), metrics.get("boxes")
    if isinstance(pictures, dict) and isinstance(boxes, dict):
        return {"pictures": int(pictures.get("train", 0)), "boxes": int(boxes.get("train", 0))}
    counted = record.get("counts")
    if isinstance(counted, dict) and isinstance(counted.get("train"), dict):
        return {name: int(counted["train"].get(name, 0)) for name in ("pictures", "boxes")}
    return {name: int(metrics[name]) for name in _LEARNT_FROM if isinstance(metrics.get(name), int)}


def _state_in_words(row: RunRow) -> str:
    if row.state != UNFINISHED:
        return row.state
    done, asked = ("?" if number is None else number for number in (row.epochs, row.epochs_asked))
    return f"unfinished: epoch {done} of {asked}"


def _figure_in_words(figure: Mapping[str, Any] | None) -> str:
    if figure is None:
        return "–"
    elsewhere = "" if figure["split"] == "val" else f" (on {figure['split']})"
    return f"{figure['figure']} {figure['value']:.4f}{elsewhere}"


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value not in ("", None) else "–"


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None
