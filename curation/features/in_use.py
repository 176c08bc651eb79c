"""Which of the features that a workspace keeps curation and its report need."""

from fullshot.core.features import InUse
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation.features.versions import KIND, shards_folder, version_of
from fullshot.curation.pose import open_pose_estimator
from fullshot.curation.report import thumbnails


def features_in_use(workspace: Workspace, settings: Settings) -> InUse:
    """The versions of features that curation and its report need; see :func:`fullshot.core.features.collect_garbage`.

    Raises:
        UserError: there is no pose model.
    """
    folder = shards_folder(workspace.root, version_of(open_pose_estimator(settings)))
    return {KIND: [folder.name], thumbnails.KIND: [thumbnails.VERSION]}
