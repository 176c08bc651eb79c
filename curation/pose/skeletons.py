"""Which joints a pose estimator finds, and what each of them is good for.

A rule, a box or a drawing asks a skeleton which joints are the head, the ankles or a foot, so that it works with any
estimator.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Skeleton:
    """The joints of a pose estimator in their order, and which of them make up which part of the body.

    Args:
        name: as it stands in the settings and in kept features.
        joints: the joints' names, in the order of the rows of a person's key points; left and right are the person's
            own.
        head: joints of which one must be visible where a head is asked for.
        face: joints whose mean height stands for the head's.
        shoulders: left, then right.
        arms: elbows and wrists.
        hips: left, then right.
        knees: left, then right.
        ankles: left, then right.
        feet: for each foot, left then right, its lowest joints; the ankle where the estimator finds nothing below it.
        bones: pairs of joints that a drawing joins.

    Raises:
        ValueError: two joints have one name, or a part names a joint that is not there.
    """

    name: str
    joints: tuple[str, ...]
    head: tuple[str, ...]
    face: tuple[str, ...]
    shoulders: tuple[str, ...]
    arms: tuple[str, ...]
    hips: tuple[str, ...]
    knees: tuple[str, ...]
    ankles: tuple[str, ...]
    feet: tuple[tuple[str, ...], ...]
    bones: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        if len(self._rows) != len(self.joints):
            raise ValueError(f"the joints of skeleton {self.name} must have different names, but got {self.joints}")
        upper, lower = (self.head, self.face, self.shoulders, self.arms), (self.hips, self.knees, self.ankles)
        parts = (*upper, *lower, *self.feet, *self.bones)
        unknown = sorted({joint for part in parts for joint in part} - set(self.joints))
        if unknown:
            raise ValueError(f"skeleton {self.name} has no joint named {', '.join(unknown)}")

    @property
    def has_toes(self) -> bool:
        """Whether the estimator finds joints below the ankles."""
        return not {joint for foot in self.feet for joint in foot} <= set(self.ankles)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {joint: row for row, joint in enumerate(self.joints)}

    def rows(self, names: Iterable[str]) -> list[int]:
        """The rows of some joints in a person's key points, in the order of the names.

        Raises:
            KeyError: a name is not one of :attr:`joints`.
        """
        return [self._rows[name] for name in names]


_SHOULDERS = ("left shoulder", "right shoulder")
_ARMS = ("left elbow", "right elbow", "left wrist", "right wrist")
_HIPS = ("left hip", "right hip")
_KNEES = ("left knee", "right knee")
_ANKLES = ("left ankle", "right ankle")
_EYES_AND_NOSE = ("nose", "left eye", "right eye")
_LIMBS = (
    ("left shoulder", "left elbow"),
    ("left elbow", "left wrist"),
    ("right shoulder", "right elbow"),
    ("right elbow", "right wrist"),
    ("left hip", "left knee"),
    ("left knee", "left ankle"),
    ("right hip", "right knee"),
    ("right knee", "right ankle"),
)
_FACE = (("nose", "left eye"), ("left eye", "left ear"), ("nose", "right eye"), ("right eye", "right ear"))

BLAZEPOSE = Skeleton(
    "blazepose",
    joints=(
        "nose",
        "left eye (inner)",
        "left eye",
        "left eye (outer)",
        "right eye (inner)",
        "right eye",
        "right eye (outer)",
        "left ear",
        "right ear",
        "mouth (left)",
        "mouth (right)",
        "left shoulder",
        "right shoulder",
        "left elbow",
        "right elbow",
        "left wrist",
        "right wrist",
        "left pinky",
        "right pinky",
        "left index",
        "right index",
        "left thumb",
        "right thumb",
        "left hip",
        "right hip",
        "left knee",
        "right knee",
        "left ankle",
        "right ankle",
        "left heel",
        "right heel",
        "left foot index",
        "right foot index",
    ),
    head=_EYES_AND_NOSE,
    face=("nose",),
    shoulders=_SHOULDERS,
    arms=_ARMS,
    hips=_HIPS,
    knees=_KNEES,
    ankles=_ANKLES,
    feet=(("left heel", "left foot index"), ("right heel", "right foot index")),
    bones=(
        ("nose", "left eye (inner)"),
        ("left eye (inner)", "left eye"),
        ("left eye", "left eye (outer)"),
        ("left eye (outer)", "left ear"),
        ("nose", "right eye (inner)"),
        ("right eye (inner)", "right eye"),
        ("right eye", "right eye (outer)"),
        ("right eye (outer)", "right ear"),
        ("mouth (left)", "mouth (right)"),
        ("left shoulder", "right shoulder"),
        ("left shoulder", "left hip"),
        ("right shoulder", "right hip"),
        ("left hip", "right hip"),
        *_LIMBS,
        ("left wrist", "left thumb"),
        ("left wrist", "left index"),
        ("left wrist", "left pinky"),
        ("left index", "left pinky"),
        ("right wrist", "right thumb"),
        ("right wrist", "right index"),
        ("right wrist", "right pinky"),
        ("right index", "right pinky"),
        ("left ankle", "left heel"),
        ("left heel", "left foot index"),
        ("left ankle", "left foot index"),
        ("right ankle", "right heel"),
        ("right heel", "right foot index"),
        ("right ankle", "right foot index"),
    ),
)
"""MediaPipe's 33 landmarks, in its order and under its names."""

COCO18 = Skeleton(
    "coco",
    joints=(
        "nose",
        "neck",
        "right shoulder",
        "right elbow",
        "right wrist",
        "left shoulder",
        "left elbow",
        "left wrist",
        "right hip",
        "right knee",
        "right ankle",
        "left hip",
        "left knee",
        "left ankle",
        "right eye",
        "left eye",
        "right ear",
        "left ear",
    ),
    head=_EYES_AND_NOSE,
    face=("nose",),
    shoulders=_SHOULDERS,
    arms=_ARMS,
    hips=_HIPS,
    knees=_KNEES,
    ankles=_ANKLES,
    feet=(("left ankle",), ("right ankle",)),
    bones=(
        ("nose", "neck"),
        ("neck", "left shoulder"),
        ("neck", "right shoulder"),
        ("neck", "left hip"),
        ("neck", "right hip"),
        *_LIMBS,
        *_FACE,
    ),
)
"""The 18 joints of OpenPose's COCO models, in their order: COCO's 17 and the neck."""

MPI15 = Skeleton(
    "mpi",
    joints=(
        "head",
        "neck",
        "right shoulder",
        "right elbow",
        "right wrist",
        "left shoulder",
        "left elbow",
        "left wrist",
        "right hip",
        "right knee",
        "right ankle",
        "left hip",
        "left knee",
        "left ankle",
        "chest",
    ),
    head=("head",),
    face=("head",),
    shoulders=_SHOULDERS,
    arms=_ARMS,
    hips=_HIPS,
    knees=_KNEES,
    ankles=_ANKLES,
    feet=(("left ankle",), ("right ankle",)),
    bones=(
        ("head", "neck"),
        ("neck", "left shoulder"),
        ("neck", "right shoulder"),
        ("neck", "chest"),
        ("chest", "left hip"),
        ("chest", "right hip"),
        *_LIMBS,
    ),
)
"""The 15 joints of OpenPose's MPII models, in their order; its ``head`` is the top of the head, not the face."""
