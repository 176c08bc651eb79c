"""Which pose estimator a run uses: described so that worker processes can open it, and stored poses name it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fullshot.core.errors import UserError
from fullshot.core.files import digest
from fullshot.curation.pose import model_file as pose_model
from fullshot.curation.pose.mediapipe import MOST_PEOPLE, MediaPipePose, PoseEstimator
from fullshot.curation.pose.model_file import PoseModel
from fullshot.curation.pose.skeletons import BLAZEPOSE, COCO18, MPI15, Layout

if TYPE_CHECKING:
    from fullshot.core.settings import Settings

_LAYOUTS = {"coco": COCO18, "mpi": MPI15}


@dataclass(frozen=True)
class Estimator:
    """A pose estimator that is not open yet.

    Args:
        layout: the joints it finds.
        model: the file of its weights, where it came from, and the file's sha256.
    """

    layout: Layout
    model: PoseModel

    @property
    def make(self) -> str:
        """What poses depend on: the same make finds the same in the same picture."""
        return f"{self.layout.name} {self.model.sha256} {MOST_PEOPLE}"

    @contextmanager
    def opened(self) -> Iterator[PoseEstimator]:
        """The estimator, ready to look at pictures; its memory is given back at the end."""
        if self.layout != BLAZEPOSE:
            from fullshot.curation.pose.openpose import OpenPose

            with OpenPose(self.model.path, self.layout) as network:
                yield network
            return
        with MediaPipePose(self.model) as landmarker:
            yield landmarker


def prepare(estimator: Estimator) -> None:
    """Load what a worker process needs to look at pictures, and open its estimator."""
    from fullshot.curation.features.extract import opened

    opened(estimator)


def chosen(settings: "Settings") -> Estimator:
    """The estimator that the settings name; MediaPipe's model is fetched if need be.

    Raises:
        UserError: there is no model, or no network at the path given.
    """
    if settings.curate.pose == "mediapipe":
        return Estimator(BLAZEPOSE, pose_model.provide(settings))
    path = Path(settings.curate.pose_network)
    if not settings.curate.pose_network:
        raise UserError(
            "the pose estimator openpose needs its network: set curate.pose_network, or --pose-network FILE"
        )
    if not path.is_file():
        raise UserError(f"expected an OpenPose network, got no such file: {path}")
    return Estimator(_LAYOUTS[settings.curate.pose_layout], PoseModel(path, "settings", digest(path)))
