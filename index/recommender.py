"""What in this shop looks like what this person wears."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fullshot.core.boxes import Box, Picture, crop
from fullshot.core.errors import MissingInput
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation import People, garment_boxes, open_pose_estimator
from fullshot.index.answer import Garment, LookAlike
from fullshot.index.catalog import Catalog, Hit
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
        self._workspace, self._settings = workspace, settings
        self.embedder = load_embedder(workspace, device=settings.embedder.device)
        self.catalog = Catalog.load(workspace, settings, self.embedder)
        self.pose = open_pose_estimator(settings)
        self.detector_name, self.detector = _detector(workspace, settings)

    @property
    def confidence(self) -> float:
        """The least score of a box of the detector."""
        return self._settings.detector.confidence

    def detect(self, pictures: Sequence[Picture]) -> list[list[Box]]:
        """The detector's boxes in upright pictures; none where there is no detector."""
        return self.detector.predict(pictures) if self.detector else [[] for _ in pictures]

    def find_garments(
        self,
        pictures: Sequence[Picture],
        poses: Sequence[People | None] | None = None,
        detected: Sequence[list[Box]] | None = None,
    ) -> list[PersonGarments]:
        """What the primary person of each picture wears.

        Args:
            pictures: each of shape (height, width, 3), uint8, RGB, upright.
            poses: the people in each picture; None: they are looked for.
            detected: the detector's boxes in each picture; None: they are looked for.
        """
        detected = self.detect(pictures) if detected is None else detected
        known = poses if poses is not None else [None] * len(pictures)
        return [self._of_primary_person(*three) for three in zip(pictures, detected, known, strict=True)]

    def _of_primary_person(self, picture: Picture, detected: list[Box], pose: People | None) -> PersonGarments:
        height, width = picture.shape[:2]
        people = self.pose.predict(picture) if pose is None else pose
        bodies = [
            body((x_min, y_min, x_max, y_max), width, height) for x_min, y_min, x_max, y_max in people.boxes.tolist()
        ]
        if not bodies:
            return PersonGarments(False, [])
        row = primary_person(bodies, width, height)
        by_pose = garment_boxes(people[row], width, height)
        return PersonGarments(True, person_garments(detected, bodies[row], by_pose))

    def nearest(
        self, pictures: Sequence[Picture], people: Sequence[PersonGarments]
    ) -> list[list[tuple[Box, list[Hit]]]]:
        """Each picture's garments with the products of the catalog that are nearest to each, in one batch."""
        places = [(number, box) for number, person in enumerate(people) for box in person.boxes]
        vectors = self.embedder.embed([crop(pictures[number], box.corners) for number, box in places])
        hits = self.search(vectors, [box.label for _, box in places])
        answers: list[list[tuple[Box, list[Hit]]]] = [[] for _ in pictures]
        for row, (number, box) in enumerate(places):
            answers[number].append((box, hits[row]))
        return answers

    def search(self, vectors: NDArray[np.float32], labels: Sequence[str]) -> list[list[Hit]]:
        """The products of the catalog that are nearest to garments.

        Args:
            vectors: of N garments, shape (N, d), float32.
            labels: N of them, such as ``top``.
        """
        hits: dict[int, list[Hit]] = {}
        for label in dict.fromkeys(labels):
            rows = [row for row, other in enumerate(labels) if other == label]
            found = self.catalog.search(vectors[rows], label, self._settings.recommend.neighbours)
            hits.update(zip(rows, found, strict=True))
        return [hits[row] for row in range(len(labels))]

    def look_alikes(self, pictures: Sequence[Picture], people: Sequence[PersonGarments]) -> list[list[Garment]]:
        """As :meth:`nearest`, with what an answer shows of each product."""
        answers = self.nearest(pictures, people)
        products = self._facts({hit.product_id for answer in answers for _, hits in answer for hit in hits})
        return [
            [Garment(box, [_look_alike(hit, products.get(hit.product_id, {})) for hit in hits]) for box, hits in answer]
            for answer in answers
        ]

    def _facts(self, products: set[str]) -> dict[str, dict[str, Any]]:
        """What the table says of some products; one may have gone from it since the catalog was built."""
        if not products:
            return {}
        with self._workspace.open() as data:
            rows = data.find("products", "product_id IN (SELECT unnest($ids))", ids=sorted(products))
        return {row["product_id"]: {name: row[name] for name in _FACTS} for row in rows}


def _look_alike(hit: Hit, facts: dict[str, Any]) -> LookAlike:
    known = {name: facts.get(name) for name in _FACTS}
    return LookAlike(
        hit.product_id, **known, score=hit.score, distance=hit.distance, image_id=hit.image_id, path=hit.path
    )


def _detector(workspace: Workspace, settings: Settings) -> tuple[str, Detector | None]:
    """The detector in use, with its name; an empty one where there is none."""
    try:
        name = detector.in_use(workspace, settings).name
        return name, detector.load(workspace, name, settings=settings)
    except MissingInput:
        return "", None
