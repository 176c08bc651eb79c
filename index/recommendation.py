"""Answer a photo of a dressed person: what can be refused at once is, before a model or a library is loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fullshot.core.errors import StageFailed, UserError
from fullshot.core.settings import Settings
from fullshot.core.taxonomy import Wear
from fullshot.core.workspace import Workspace
from fullshot.curation import POSE_ESTIMATORS
from fullshot.index.answer import Recommendation, format_of
from fullshot.index.catalog import must_be_of, must_have_catalog
from fullshot.train.detector import STARTER
from fullshot.train.embedder import digest_in_use

if TYPE_CHECKING:
    from fullshot.core.boxes import Box, Picture
    from fullshot.index.answer import LookAlike
    from fullshot.index.drawing import Tile
    from fullshot.index.recommender import Recommender


def must_be_answerable(workspace: Workspace, settings: Settings) -> None:
    """Check that there is what a photo is answered with, without loading any of it.

    Raises:
        MissingInput: there is no embedder, no catalog or no table of products; says what to run first.
        UserError: the catalog was made by another embedder, or a setting names a part that there is not.
    """
    workspace.must_be_there()
    embedder = digest_in_use(workspace)
    must_be_of(workspace, must_have_catalog(workspace), embedder)
    workspace.must_have("products")
    POSE_ESTIMATORS.check(settings.curate.pose)


def recommend(workspace: Workspace, photo: Path, settings: Settings, output: Path | None = None) -> Recommendation:
    """Answer a photo of a dressed person with look-alikes for each garment.

    The detector's boxes on the primary person are used; where it finds no top, bottom or shoes, and where none was
    trained, the pose says where they are (``box.source`` is ``pose``).

    Args:
        workspace: see :class:`fullshot.index.recommender.Recommender`.
        photo: a file, in any format that Pillow reads; turned as its EXIF orientation says.
        settings: see :class:`fullshot.index.recommender.Recommender`.
        output: where the answer goes as a picture, in one step; None: nowhere.

    Raises:
        UserError: there is no such photo, it is no picture, or the output cannot be a picture.
        MissingInput: there is no embedder or no catalog; says what to run first.
        StageFailed: nobody is in the photo.
    """
    if not photo.is_file():
        raise UserError(f"expected a photo, but there is {'a folder' if photo.is_dir() else 'no file'} at {photo}")
    image_format = format_of(output) if output else ""
    workspace.must_be_there()
    picture = _read(photo)
    must_be_answerable(workspace, settings)
    from fullshot.index.recommender import Recommender

    recommender = Recommender(workspace, settings)
    people = recommender.find_garments([picture])
    if not people[0].has_person:
        raise StageFailed(f"no person found in {photo}: expected a photo of a dressed person")
    garments = recommender.look_alikes([picture], people)[0]
    notes = _notes(recommender, people[0].boxes)
    answer = Recommendation(str(photo), garments, notes, recommender.detector_name)
    if output:
        from fullshot.core.files import write_bytes
        from fullshot.index.drawing import draw_answer

        rows = [(garment.box, [_tile(workspace, one) for one in garment.look_alikes]) for garment in answer.garments]
        try:
            write_bytes(output, draw_answer(picture, rows, answer.notes, image_format))
        except OSError as error:
            raise UserError(f"cannot write {output}: {error.strerror or error}") from None
    return answer


def _read(photo: Path) -> "Picture":
    from fullshot.core.pictures import NotAnImage, read_rgb

    try:
        return read_rgb(photo, upright=True)
    except (NotAnImage, OSError) as error:
        raise UserError(f"{photo} is not a picture that can be read: {error}") from None


def _notes(recommender: "Recommender", boxes: "Sequence[Box]") -> list[str]:
    notes = []
    if recommender.detector_name == STARTER:
        notes.append("no detector was trained here: the boxes are of the starter weights")
    by_pose = [box.label for box in boxes if box.source == "pose"]
    if recommender.detector is None:
        notes.append("no detector is used: the boxes are where the pose says that garments are")
    elif by_pose:
        notes.append(f"the detector found no {', '.join(by_pose)}: boxes are where the pose says they are")
    notes += [f"no {box.label} in this catalog" for box in boxes if box.label not in recommender.catalog]
    labels = {box.label for box in boxes}
    if Wear.LONG in labels:
        labels |= {Wear.TOP, Wear.BOTTOM}
    notes += [f"no {wear} to be seen" for wear in (Wear.TOP, Wear.BOTTOM, Wear.FOOT) if wear not in labels]
    return notes


def _tile(workspace: Workspace, product: "LookAlike") -> "Tile":
    from fullshot.index.drawing import Tile

    words = [product.cost, f"score {product.score:.2f}"]
    return Tile(workspace / product.path, product.title, " · ".join(word for word in words if word))
