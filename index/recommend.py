"""What in this shop looks like what this person wears."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fullshot.core.boxes import Box, Picture, crop
from fullshot.core.errors import MissingInput, StageFailed, UserError
from fullshot.core.files import write_bytes
from fullshot.core.pictures import NotAnImage, read_rgb
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import Wear
from fullshot.core.workspace import Workspace
from fullshot.curation import garment_boxes, open_pose_estimator
from fullshot.index import garments as choosing
from fullshot.index.answer import Garment, LookAlike, Recommendation
from fullshot.index.catalog import Catalog, Hit
from fullshot.index.drawing import Tile, drawn, format_of
from fullshot.train import detector
from fullshot.train.detector import Detector
from fullshot.train.embedder import load as load_embedder

_FACTS = ("name", "brand", "price", "currency", "url")
"""What is told of a product."""


@dataclass(frozen=True)
class Found:
    """The garments of one picture before they are looked up; ``person`` is False where the pose model saw nobody."""

    person: bool
    boxes: list[Box]


class Recommender:
    """The models and the catalog, loaded once.

    Args:
        workspace: with an embedder and the catalog that it made; a detector is used where there is one.
        settings: see :class:`fullshot.core.settings.RecommendSettings`.

    Raises:
        MissingInput: there is no embedder or no catalog; says what to run first.
        UserError: the catalog was made by another embedder.
    """

    def __init__(self, workspace: Workspace, settings: Settings) -> None:
        self._settings = settings
        self._embedder = load_embedder(workspace, device=settings.embedder.device)
        self.catalog = Catalog.load(workspace, self._embedder)
        self._pose = open_pose_estimator(settings)
        self.detector = _detector(workspace, settings)
        rows = workspace.read("products").to_dict("records")
        self._products: dict[str, dict[Any, Any]] = {str(row["product_id"]): row for row in rows}

    def find(self, pictures: Sequence[Picture]) -> list[Found]:
        """What the primary person of each picture wears."""
        detected = self.detector.predict(pictures) if self.detector else [[] for _ in pictures]
        return [self._found(*pair) for pair in zip(pictures, detected, strict=True)]

    def _found(self, picture: Picture, detected: list[Box]) -> Found:
        height, width = picture.shape[:2]
        people = self._pose.predict(picture)
        bodies = [choosing.body(tuple(box), width, height) for box in people.boxes.tolist()]
        if not bodies:
            return Found(False, [])
        number = choosing.primary_person(bodies, width, height)
        by_pose = garment_boxes(people[number], width, height)
        return Found(True, choosing.person_garments(detected, bodies[number], by_pose))

    def look_alikes(self, pictures: Sequence[Picture], found: Sequence[Found]) -> list[list[Garment]]:
        """Each picture's garments with what the shop has that looks like them, in one batch."""
        places = [(number, box) for number, one in enumerate(found) for box in one.boxes]
        vectors = self._embedder.embed([crop(pictures[number], box.corners) for number, box in places])
        answers: list[list[Garment]] = [[] for _ in pictures]
        for (number, box), vector in zip(places, vectors, strict=True):
            hits = self.catalog.search(vector[None], box.label, self._settings.recommend.neighbours)[0]
            answers[number].append(Garment(box, [self._look_alike(hit) for hit in hits]))
        return answers

    def _look_alike(self, hit: Hit) -> LookAlike:
        # A product may have gone from the table since the catalog was built.
        row = self._products.get(hit.product_id, {})
        known = {name: None if pd.isna(row.get(name)) else row.get(name) for name in _FACTS}
        return LookAlike(
            hit.product_id, **known, score=hit.score, distance=hit.distance, image_id=hit.image_id, path=hit.path
        )


def _detector(workspace: Workspace, settings: Settings) -> Detector | None:
    try:
        return detector.load(workspace, settings=settings)
    except MissingInput:
        return None


def recommend(workspace: Workspace, photo: Path, settings: Settings, output: Path | None = None) -> Recommendation:
    """Answer a photo of a dressed person with look-alikes for each garment.

    The detector's boxes on the primary person are used; where it finds no top, bottom or shoes, and where none was
    trained, the pose says where they are (``box.source`` is ``pose``).

    Args:
        workspace: see :class:`Recommender`.
        photo: a file, in any format that Pillow reads; turned as its EXIF orientation says.
        settings: see :class:`fullshot.core.settings.RecommendSettings`.
        output: where the answer goes as a picture, in one step; None: nowhere.

    Raises:
        UserError: there is no such photo, it is no picture, or the output cannot be a picture.
        MissingInput: there is no embedder or no catalog; says what to run first.
        StageFailed: nobody is in the photo.
    """
    picture = _read(photo)
    image_format = format_of(output) if output else ""
    recommender = Recommender(workspace, settings)
    found = recommender.find([picture])
    if not found[0].person:
        raise StageFailed(f"no person found in {photo}: expected a photo of a dressed person")
    answer = Recommendation(
        str(photo), recommender.look_alikes([picture], found)[0], _notes(recommender, found[0].boxes)
    )
    if output:
        rows = [(garment.box, [_tile(workspace, one) for one in garment.look_alikes]) for garment in answer.garments]
        try:
            write_bytes(output, drawn(picture, rows, answer.notes, image_format))
        except OSError as error:
            raise UserError(f"cannot write {output}: {error.strerror or error}") from None
    return answer


def _read(photo: Path) -> Picture:
    if not photo.is_file():
        raise UserError(f"expected a photo, but there is {'a folder' if photo.is_dir() else 'no file'} at {photo}")
    try:
        return read_rgb(photo, upright=True)
    except (NotAnImage, OSError) as error:
        raise UserError(f"{photo} is not a picture that can be read: {error}") from None


def _notes(recommender: Recommender, boxes: Sequence[Box]) -> list[str]:
    notes = []
    by_pose = [box.label for box in boxes if box.source == "pose"]
    if recommender.detector is None:
        notes.append("no detector was trained: the boxes are where the pose says that garments are")
    elif by_pose:
        notes.append(f"the detector found no {', '.join(by_pose)}: boxes are where the pose says they are")
    notes += [f"no {box.label} in this catalog" for box in boxes if box.label not in recommender.catalog]
    seen = {box.label for box in boxes}
    if Wear.LONG in seen:
        seen |= {Wear.TOP, Wear.BOTTOM}
    notes += [f"no {wear} to be seen" for wear in (Wear.TOP, Wear.BOTTOM, Wear.FOOT) if wear not in seen]
    return notes


def _tile(workspace: Workspace, found: LookAlike) -> Tile:
    words = [found.cost, f"score {found.score:.2f}"]
    return Tile(workspace / found.path, found.title, " · ".join(word for word in words if word))
