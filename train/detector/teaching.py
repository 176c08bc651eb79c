"""Self-training: what another detector is sure of, in full shots that nobody labelled, is learnt from as well.

The teacher's boxes lie in the run's folder: they are never written into ``boxes.csv``, and no picture of the splits val
and test is among theirs.
"""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fullshot.core.boxes import Box
from fullshot.core.dataset import Dataset
from fullshot.core.errors import StageFailed, UserError
from fullshot.core.features import geometry_rows
from fullshot.core.files import digest, write_bytes
from fullshot.core.geometry import ImageGeometry
from fullshot.core.progress import say
from fullshot.core.settings import DetectorSettings, Settings
from fullshot.core.workspace import Workspace
from fullshot.train.detector.detections import kept_detections
from fullshot.train.detector.families import KIND
from fullshot.train.detector.mirrored import MirroringDetector
from fullshot.train.detector.opening import in_use, load
from fullshot.train.detector.sureness import LEAST_SEEN, UNSURE, sure_boxes
from fullshot.train.runs import Run, latest_run
from fullshot.train.weights import STARTER, STARTER_FILE

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

UNLABELLED = "unlabelled_full_shots"
"""The table of a data set that :func:`find_unlabelled` makes."""

TAUGHT = "self_training"
"""Entry of ``run.json`` and ``metrics.json``: who taught, and what came of it."""

FILE = "teacher-boxes.parquet"
"""In the folder of a run: ``image_id``, ``path``, ``label``, corners in pixels of the stored picture, ``score``."""

_RULES = "2"
"""Of what is taken; other ones teach otherwise."""

# Whoever looked at a picture and drew no box on it has labelled it, too.
_UNLABELLED = """
SELECT image_id, path FROM pictures
JOIN (SELECT image_id FROM kept WHERE split = 'train' AND full_shot) AS full_shots USING (image_id)
ANTI JOIN (SELECT DISTINCT image_id FROM boxes WHERE source <> 'model') AS boxed USING (image_id)
ANTI JOIN annotations_in_force USING (image_id)
ORDER BY image_id
"""

_TEXT = ("image_id", "path", "label")
_COLUMNS = (*_TEXT, "x_min", "y_min", "x_max", "y_max", "score")

_AT_ONCE = 50_000
"""Boxes that are objects at a time."""


@dataclass(frozen=True)
class Teacher:
    """A detector that teaches: the name of its run, or ``starter``, and the digest of its weights."""

    name: str
    digest: str


def teacher_of(workspace: Workspace, settings: Settings, resumed: Run | None) -> Teacher | None:
    """Who teaches; nobody, where the settings do not ask for it.

    Where the detector in use was taught itself, its teacher teaches again: asked for once more, nothing has changed.

    Args:
        workspace: holds the runs.
        settings: see :class:`fullshot.core.settings.DetectorSettings`.
        resumed: a run to go on with, by its own teacher; None: a new one.

    Raises:
        MissingInput: there is no detector yet, and the settings want no other.
        UserError: there is no such run, or it is not finished.
    """
    section = settings.detector
    if not section.self_training:
        return None
    taught = resumed.record.get(TAUGHT) if resumed else None
    if taught is None and section.teacher == STARTER:
        return Teacher(STARTER, digest(STARTER_FILE)[:16])
    if taught is None and section.teacher:
        run = latest_run(workspace, KIND, section.teacher)
        return Teacher(run.name, str(run.metrics.get("weights", "")))
    if taught is None:
        used = in_use(workspace, settings)
        taught = used.run.record.get(TAUGHT) if used.run else None
        if taught is None:
            return Teacher(used.name, used.digest)
    return Teacher(str(taught["teacher"]), str(taught["teacher_digest"]))


def made_with(teacher: Teacher | None, section: DetectorSettings) -> Mapping[str, Mapping[str, str]]:
    """What a model depends on where somebody teaches; see :mod:`fullshot.train.digests`."""
    if teacher is None:
        return {}
    return {"teacher": {"sha256": teacher.digest, "least_score": str(section.teacher_score), "rules": _RULES}}


def find_unlabelled(data: Dataset) -> None:
    """Let queries of a data set find the full shots of the split train that nobody labelled: ``image_id, path``."""
    data.create(UNLABELLED, _UNLABELLED)


def teach(
    stage: str, workspace: Workspace, settings: Settings, teacher: Teacher, unlabelled: "pd.DataFrame"
) -> "tuple[pyarrow.Table, dict[str, Any]]":
    """Look for boxes that the teacher is sure of.

    Args:
        stage: its name, for what is said.
        workspace: holds the pictures.
        settings: the device, the labels that count, and the least score.
        teacher: looks.
        unlabelled: rows of :data:`UNLABELLED`.

    Returns:
        The boxes, columns as of :data:`FILE`; and who taught how many, for ``run.json``.

    Raises:
        UserError: the teacher is there no more.
        StageFailed: its weights are gone, or others.
    """
    section = settings.detector
    detector = load(workspace, teacher.name, settings=settings, confidence=LEAST_SEEN)
    if detector.digest != teacher.digest:
        raise StageFailed(f"the detector {teacher.name} has other weights than when the training began")
    labels, paths = section.labels.split(), list(unlabelled["path"])
    found = kept_detections(workspace.root, paths, MirroringDetector(detector), LEAST_SEEN)
    geometries = geometry_rows(workspace.root, paths)
    sizes = zip(*(geometries.array(name).tolist() for name in ("width", "height", "orientation")), strict=True)
    taken, left_out = _Rows(), Counter[str]()
    for image_id, path, boxes, size in zip(unlabelled["image_id"], paths, found, sizes, strict=True):
        sure = None if boxes is None else sure_boxes(boxes, labels=labels, least=section.teacher_score)
        if sure:
            taken.add(image_id, path, sure, ImageGeometry(*size))
        else:
            left_out["unreadable" if boxes is None else "unsure" if sure is None else "nothing_sure"] += 1
    table = taken.table()
    facts = {
        "teacher": teacher.name,
        "teacher_digest": teacher.digest,
        "least_score": section.teacher_score,
        "unlabelled": len(paths),
        "pictures": taken.pictures,
        "boxes": table.num_rows,
        "by_label": {label: taken.by_label[label] for label in labels},
        "left_out": {reason: left_out[reason] for reason in ("unsure", "nothing_sure", "unreadable")},
    }
    who = "the starter weights teach" if teacher.name == STARTER else f"run {teacher.name} teaches"
    say(
        f"{stage}: {who}: {taken.pictures} of {len(paths)} unlabelled full shots join, with {table.num_rows} boxes of "
        f"a score of {section.teacher_score} or more; left out are {left_out['unsure']} with one of {UNSURE} or more "
        f"that is not sure, {left_out['nothing_sure']} without any, {left_out['unreadable']} that cannot be read"
        + ("" if taken.pictures else "; detector.teacher_score says what is sure")
    )
    return table, facts


def write_boxes(run: Run, table: "pyarrow.Table") -> None:
    """Keep the teacher's boxes in the folder of a run, in one step."""
    import pyarrow.parquet

    content = io.BytesIO()
    pyarrow.parquet.write_table(table, content)
    write_bytes(run.folder / FILE, content.getvalue())


def read_boxes(run: Run) -> "pyarrow.Table | None":
    """The teacher's boxes of a run that is gone on with; None: a kill came before they were written.

    Raises:
        UserError: the file is damaged.
    """
    import pyarrow.parquet

    file = run.folder / FILE
    if not file.is_file():
        return None
    try:
        return pyarrow.parquet.read_table(file)
    except (OSError, pyarrow.ArrowException):
        raise UserError(f"{file}: expected the boxes of a teacher: the file was damaged or edited") from None


def with_taught(boxes: "pd.DataFrame", table: "pyarrow.Table") -> "pd.DataFrame":
    """Boxes that people drew, and a teacher's in the split train, which alone have a ``score``; sorted by picture."""
    import pandas as pd

    taught = table.to_pandas().assign(split="train")
    both: pd.DataFrame = pd.concat([boxes, taught], ignore_index=True)
    return both.sort_values("image_id", kind="stable", ignore_index=True)


class _Rows:
    """Boxes as they come; of many, few are objects at a time."""

    def __init__(self) -> None:
        self.pictures, self.by_label = 0, Counter[str]()
        self._tables: list[pyarrow.Table] = []
        self._rows: list[tuple[Any, ...]] = []

    def add(self, image_id: str, path: str, boxes: Sequence[Box], geometry: ImageGeometry) -> None:
        self.pictures += 1
        self.by_label.update(box.label for box in boxes)
        self._rows += [(image_id, path, box.label, *geometry.to_stored(box.corners), box.score) for box in boxes]
        if len(self._rows) >= _AT_ONCE:
            self._keep()

    def table(self) -> "pyarrow.Table":
        """All of them, columns as of :data:`FILE`."""
        import pyarrow

        self._keep()
        return pyarrow.concat_tables(self._tables)

    def _keep(self) -> None:
        import pyarrow

        fields = [(name, pyarrow.string() if name in _TEXT else pyarrow.float64()) for name in _COLUMNS]
        columns = zip(*self._rows, strict=True) if self._rows else [()] * len(_COLUMNS)
        arrays = [pyarrow.array(cells, kind) for cells, (_, kind) in zip(columns, fields, strict=True)]
        self._tables.append(pyarrow.table(arrays, pyarrow.schema(fields)))
        self._rows = []
