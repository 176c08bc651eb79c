"""What one annotation of Label Studio's says: its verdict, its author, and those of its boxes that can be used."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from fullshot.annotate.label_studio import regions
from fullshot.annotate.label_studio.project import NOT_FULL
from fullshot.annotate.label_studio.regions import SHOT, Region
from fullshot.core.boxes import Box, iou
from fullshot.core.geometry import ImageGeometry
from fullshot.core.taxonomy import GARMENTS

_ROUNDING = 1e-6  # pixels


def verdict_of(annotation: Mapping[str, Any]) -> tuple[str, str | None]:
    """The verdict, and the shot that the annotator chose where the picture is not a full shot."""
    if annotation["was_cancelled"]:
        return "skipped", None
    shot = regions.answer(annotation["result"], SHOT)
    return ("not_full_shot", shot) if shot in NOT_FULL else ("boxes", None)


def annotator_of(annotation: Mapping[str, Any], people: Mapping[int, str]) -> str:
    """The annotator's address, or else their number; empty where neither is known.

    Args:
        annotation: as Label Studio's API returns it.
        people: addresses by the users' numbers.
    """
    by = annotation.get("completed_by")
    if isinstance(by, Mapping):
        return str(by.get("email") or by.get("id") or "")
    return people.get(by, str(by)) if isinstance(by, int) else ""


def seconds_of(annotation: Mapping[str, Any]) -> float | None:
    """The seconds that the annotator spent; None where a browser's clock was set back meanwhile."""
    seconds = annotation.get("lead_time")
    return seconds if isinstance(seconds, int | float) and seconds >= 0 else None


def initial_boxes(
    annotation: Mapping[str, Any], task: Mapping[str, Any], geometry: ImageGeometry
) -> tuple[str | None, list[Box]]:
    """The prediction that the annotator started from: its version and its boxes, or None and no boxes.

    Args:
        annotation: as Label Studio's API returns it.
        task: that it belongs to, with its predictions.
        geometry: of the picture.
    """
    prediction = annotation.get("prediction")
    if not isinstance(prediction, Mapping) or not prediction.get("result"):
        number = annotation.get("parent_prediction")
        prediction = next((each for each in task["predictions"] if each["id"] == number), None)
    if prediction is None:
        return None, []
    with suppress(ValueError):  # another program's prediction may contain anything
        drawn = regions.read(prediction["result"], geometry)
        boxes = [Box(region.labels[0], *region.corners) for region in drawn if region.labels]
        return str(prediction["model_version"]), boxes
    return None, []


@dataclass
class CheckedBoxes:
    """The boxes of an annotation after they were checked.

    Attributes:
        boxes: that can be used, in pixels of the picture as it is stored.
        mistakes: what is wrong with each of the others.
        clipped: how many boxes were cut to the picture.
        rotated: how many rotated boxes were replaced by the upright box around them.
    """

    boxes: list[Box] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    clipped: int = 0
    rotated: int = 0


def boxes_of(annotation: Mapping[str, Any], geometry: ImageGeometry, duplicate_iou: float) -> CheckedBoxes:
    """The boxes of an annotation, checked; none where it was skipped.

    Args:
        annotation: as Label Studio's API returns it.
        geometry: of the picture.
        duplicate_iou: two boxes of one label that overlap by at least this IoU are the same box drawn twice.
    """
    checked = CheckedBoxes()
    if annotation["was_cancelled"]:
        return checked
    try:
        drawn = regions.read(annotation["result"], geometry)
    except ValueError as error:
        checked.mistakes.append(str(error))
        return checked
    for region in drawn:
        if mistake := _add(region, geometry, duplicate_iou, checked):
            checked.mistakes.append(mistake)
    return checked


def _add(region: Region, geometry: ImageGeometry, duplicate_iou: float, checked: CheckedBoxes) -> str:
    """Add a rectangle to the boxes; returns what is wrong with it, empty where nothing is."""
    if len(region.labels) != 1 or region.labels[0] not in GARMENTS:
        return f"a box labelled {', '.join(region.labels) or 'not at all'}: expected one of {', '.join(GARMENTS)}"
    label = region.labels[0]
    x_min, y_min, x_max, y_max = region.corners
    inside = (max(0.0, x_min), max(0.0, y_min), min(float(geometry.width), x_max), min(float(geometry.height), y_max))
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        return f"a {label} without area, or outside the picture"
    checked.rotated += region.is_rotated
    checked.clipped += any(abs(a - b) > _ROUNDING for a, b in zip(inside, region.corners, strict=True))
    same_label = [box.corners for box in checked.boxes if box.label == label]
    if same_label and iou([inside], same_label).max() >= duplicate_iou:
        return f"a {label} that is drawn twice"
    checked.boxes.append(Box(label, *inside, source="human"))
    return ""
