import io
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fullshot.core.boxes import Picture
from fullshot.core.settings import load
from fullshot.curation.pose.garment_boxes import garment_boxes
from fullshot.curation.pose.mediapipe import MediaPipePose
from fullshot.curation.pose.model_file import PoseModel
from fullshot.curation.pose.people import People
from fullshot.curation.pose.skeletons import BLAZEPOSE
from fullshot.curation.shots.rule import FULL, classify_shot


def decode(content: bytes) -> Picture:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def test_people_have_named_joints_in_shares_of_the_picture(pose: MediaPipePose, photos: dict[str, bytes]) -> None:
    person = pose.predict(decode(photos["outfit"]))[0]
    assert person.keypoints.shape == (1, 33, 4)
    [nose, hip, ankle] = person.joints(["nose", "left hip", "left ankle"])[0]
    assert 0 < nose[1] < hip[1] < ankle[1] < 1
    x_min, y_min, x_max, y_max = person.boxes[0]
    assert x_min < nose[0] < x_max
    assert y_min < nose[1] < y_max
    assert len(set(BLAZEPOSE.joints)) == 33


@pytest.mark.parametrize(
    ("name", "full_shot"),
    [
        ("person", True),
        ("outfit", True),
        ("bus", False),  # a street with people on it: none fills the picture
        ("zidane", False),
        ("half", False),
        ("worn", False),
        ("front", False),
        ("item0", False),
    ],
)
def test_real_and_drawn_pictures_are_told_apart(
    pose: MediaPipePose, photos: dict[str, bytes], name: str, full_shot: bool
) -> None:
    verdict = classify_shot(pose.predict(decode(photos[name])), load().curate)
    assert (verdict.shot == FULL) == full_shot, verdict
    assert (verdict.score >= 0.5) == full_shot


def test_the_smallest_picture_and_one_in_a_row_of_memory_turned_round(pose: MediaPipePose) -> None:
    assert len(pose.predict(np.zeros((1, 1, 3), np.uint8))) == 0
    assert len(pose.predict(np.zeros((30, 20, 3), np.uint8)[::-1, ::2])) == 0


def test_nothing_is_said_on_stderr_and_an_open_landmarker_ends_in_silence(
    pose_model: PoseModel, photos: dict[str, bytes], tmp_path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from fullshot.core.pictures import read_rgb\n"
        "from fullshot.curation.pose.mediapipe import MediaPipePose\n"
        "from fullshot.curation.pose.model_file import PoseModel\n"
        "pose = MediaPipePose(PoseModel(Path(sys.argv[1]), 'maker', ''))\n"
        "print(len(pose.predict(read_rgb(Path(sys.argv[2])))))"
    )
    photo = tmp_path / "outfit.jpg"
    photo.write_bytes(photos["outfit"])
    done = subprocess.run(
        [sys.executable, "-c", code, str(pose_model.path), str(photo)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_boxes_of_garments_lie_on_the_body(pose: MediaPipePose, photos: dict[str, bytes]) -> None:
    picture = decode(photos["outfit"])
    height, width = picture.shape[:2]
    boxes = {box.label: box for box in garment_boxes(pose.predict(picture)[0], width, height)}
    assert set(boxes) == {"top", "bottom", "foot"}
    assert boxes["top"].y_min < boxes["bottom"].y_min < boxes["foot"].y_min
    for box in boxes.values():
        assert box.source == "pose"
        assert 0 <= box.x_min < box.x_max <= width
        assert 0 <= box.y_min < box.y_max <= height


def test_a_garment_outside_the_picture_gets_no_box(pose: MediaPipePose, photos: dict[str, bytes]) -> None:
    picture = decode(photos["half"])
    height, width = picture.shape[:2]
    labels = [box.label for box in garment_boxes(pose.predict(picture)[0], width, height)]
    assert "top" in labels
    assert "foot" not in labels


def test_keypoints_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(1, 33, 4\), but got shape \(1, 3, 4\)"):
        People(np.zeros((1, 3, 4)), BLAZEPOSE)


def test_whoever_restores_the_signals_handlers_does_not_end_the_process(pose: MediaPipePose) -> None:
    """MediaPipe's library leaves a profiling timer running, whose signal ends a process that does not ignore it."""
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        if handler is not None and number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, handler)
    signal.raise_signal(signal.SIGPROF)
    assert signal.getsignal(signal.SIGPROF) == signal.SIG_IGN
