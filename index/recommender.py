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
from fullshot.index.answer import Garment, LookAlike, Recommendation
from fullshot.index.catalog import Catalog, Hit
from fullshot.index.drawing import Tile, draw_answer, format_of
from fullshot.index.garments import body, person_garments, primary_person
from fullshot.train import detector
from fullshot.train.detector import Detector
from fullshot.train.embedder import load as load_embedder

_FACTS = ("name", "brand", "price", "currency", "url")
"""The columns of a product that an answer shows."""


@dataclass(frozen=True)
class PersonGarments:
    """The garments of a picture's primary person, before they are looked up.

    ``has_person`` is False where the pose estimator found nobody; there are no boxes then.
    """

    has_person: bool
    boxes: list[Box]


class Recommender:
    """The models and the catalog, loaded once.

    Args:
        workspace: with an embedder and the catalog that it made; a detector is used where there is one.
        settings: the sections ``recommend``, ``index``, ``detector`` and ``embedder``, and the pose estimator of the
            section ``curate``.

    Raises:
        MissingInput: there is no embedder or no catalog; says what to run first.
        UserError: the catalog was made by another embedder, or a setting names a part that there is not.
        StageFailed: a file of the catalog is damaged.
    """

    def __init__(self, workspace: Workspace, settings: Settings) -> None:
        self._settings = settings
        self._embedder = load_embedder(workspace, device=settings.embedder.device)
        self.catalog = Catalog.load(workspace, settings, self._embedder)
        self._pose = open_pose_estimator(settings)
        self.detector = _detector(workspace, settings)
        rows = workspace.read("products").to_dict("records")
        self._products: dict[str, dict[Any, Any]] = {str(row["product_id"]): row for row in rows}

    def find_garments(self, pictures: Sequence[Picture]) -> list[PersonGarments]:
        """What the primary person of each picture wears."""
        detected = self.detector.predict(pictures) if self.detector else [[] for _ in pictures]
        return [self._of_primary_person(*pair) for pair in zip(pictures, detected, strict=True)]

    def _of_primary_person(self, picture: Picture, detected: list[Box]) -> PersonGarments:
        height, width = picture.shape[:2]
        people = self._pose.predict(picture)
        bodies = [
            body((x_min, y_min, x_max, y_max), width, height) for x_min, y_min, x_max, y_max in people.boxes.tolist()
        ]
        if not bodies:
            return PersonGarments(False, [])
        row = primary_person(bodies, width, height)
        by_pose = garment_boxes(people[row], width, height)
        return PersonGarments(True, person_garments(detected, bodies[row], by_pose))

    def look_alikes(self, pictures: Sequence[Picture], people: Sequence[PersonGarments]) -> list[list[Garment]]:
        """Each picture's garments with what the shop has that looks like them, in one batch."""
        places = [(number, box) for number, person in enumerate(people) for box in person.boxes]
        vectors = self._embedder.embed([crop(pictures[number], box.corners) for number, box in places])
        answers: list[list[Garment]] = [[] for _ in pictures]
        for (number, box), vector in zip(places, vectors, strict=True):
            hits = self.catalog.search(vector[None], box.label, self._settings.recommend.neighbours)[0]
            answers[number].append(Garment(box, [self._look_alike(hit) for hit in hits]))
        return answers

    def _look_alike(self, hit: Hit) -> LookAlike:
        # A product may have gone from the table since the catalog was built.
        row = self._products.get(hit.product_id, {})
        facts = {name: None if pd.isna(row.get(name)) else row.get(name) for name in _FACTS}
        return LookAlike(
            hit.product_id, **facts, score=hit.score, distance=hit.distance, image_id=hit.image_id, path=hit.path
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
        settings: see :class:`Recommender`.
        output: where the answer goes as a picture, in one step; None: nowhere.

    Raises:
        UserError: there is no such photo, it is no picture, or the output cannot be a picture.
        MissingInput: there is no embedder or no catalog; says what to run first.
        StageFailed: nobody is in the photo.
    """
    picture = _read(photo)
    image_format = format_of(output) if output else ""
    recommender = Recommender(workspace, settings)
    people = recommender.find_garments([picture])
    if not people[0].has_person:
        raise StageFailed(f"no person found in {photo}: expected a photo of a dressed person")
    garments = recommender.look_alikes([picture], people)[0]
    answer = Recommendation(str(photo), garments, _notes(recommender, people[0].boxes))
    if output:
        rows = [(garment.box, [_tile(workspace, one) for one in garment.look_alikes]) for garment in answer.garments]
        try:
            write_bytes(output, draw_answer(picture, rows, answer.notes, image_format))
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
    labels = {box.label for box in boxes}
    if Wear.LONG in labels:
        labels |= {Wear.TOP, Wear.BOTTOM}
    notes += [f"no {wear} to be seen" for wear in (Wear.TOP, Wear.BOTTOM, Wear.FOOT) if wear not in labels]
    return notes


def _tile(workspace: Workspace, product: LookAlike) -> Tile:
    words = [product.cost, f"score {product.score:.2f}"]
    return Tile(workspace / product.path, product.title, " · ".join(word for word in words if word))
