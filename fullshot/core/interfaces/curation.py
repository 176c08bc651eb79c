"""What is measured of pictures."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, TypeVar

from fullshot.core.boxes import Picture

if TYPE_CHECKING:
    import pandas as pd

    from fullshot.core.settings import CurateSettings, Settings

People_co = TypeVar("People_co", covariant=True)
Skeleton_co = TypeVar("Skeleton_co", covariant=True)
Reductions_contra = TypeVar("Reductions_contra", contravariant=True)


class PoseEstimator(Protocol[People_co, Skeleton_co]):
    """Finds people and their joints. Registry: :data:`fullshot.curation.pose.POSE_ESTIMATORS`, by ``curate.pose``.

    It loads its model with the first picture, and can be pickled before and after: a worker process gets the
    description and loads the model itself.

    Attributes:
        skeleton: the joints that it finds; see :class:`fullshot.curation.pose.skeletons.Skeleton`.
        version: of what it finds, such as a digest of its model: two of one version find the same in the same picture.
        model_source: where its model came from, in a word, for the record of a run.
    """

    @classmethod
    def from_settings(cls, settings: "Settings") -> Self:
        """The estimator that the settings describe; its model is fetched if need be.

        Raises:
            UserError: there is no model.
        """

    @property
    def skeleton(self) -> Skeleton_co: ...

    @property
    def version(self) -> str: ...

    @property
    def model_source(self) -> str: ...

    def predict(self, picture: Picture) -> People_co:
        """The people in a picture, the surest first.

        Args:
            picture: shape (height, width, 3), uint8, RGB; it stays as it is.

        Returns:
            Key points of shape (N, J, 4), float: for each person and joint x and y as shares of the picture's width and
            height, visibility and presence in [0, 1]; see :class:`fullshot.curation.pose.people.People`.

        Raises:
            UserError: the model is none of this estimator's.
        """

    def close(self) -> None:
        """Give back the model's memory; a later picture loads the model again."""


class QualityCheck(Protocol[Reductions_contra]):
    """One way in which a picture is of no use. Registry: :data:`fullshot.curation.quality.QUALITY_CHECKS`.

    What is measured of the pixels is kept, so that another bound decides again without decoding a picture. A check of
    another package that measures something makes curation extract the features of all pictures once more. Whoever
    changes how something is measured gives the measure another name.

    Attributes:
        name: as it stands in the registry and in ``curated.issues``: one word.
        words: for people.
        measures: names of the numbers that :meth:`measure` gives; no other check has one of them.
    """

    name: ClassVar[str]
    words: ClassVar[str]
    measures: ClassVar[tuple[str, ...]]

    def measure(self, reductions: Reductions_contra) -> Mapping[str, float]:
        """What is kept of a picture: each of ``measures``, as 32-bit floating-point numbers.

        Args:
            reductions: ``picture``, shape (height, width, 3), uint8, RGB, decoded at 512 pixels or a little more, and
                grey copies of it; see :class:`fullshot.curation.quality.reductions.Reductions`.
        """

    def failed(self, rows: "pd.DataFrame", settings: "CurateSettings") -> "pd.Series[bool]":
        """Which pictures fail.

        Args:
            rows: columns ``width`` and ``height`` of the whole picture in pixels, ``products`` (how many show it), and
                the measures of all checks.
            settings: the section ``curate``.
        """
