import numpy as np
import pytest
from PIL import Image, ImageDraw

from fullshot.core.boxes import Picture
from fullshot.train.embedder.baselines import BASELINES


def striped(colour: str, *, across: bool) -> Picture:
    picture = Image.new("RGB", (64, 64), "white")
    draw = ImageDraw.Draw(picture)
    for start in range(0, 64, 16):
        draw.rectangle((0, start, 64, start + 7) if across else (start, 0, start + 7, 64), fill=colour)
    return np.asarray(picture)


RED, TURNED, GREEN = striped("red", across=True), striped("red", across=False), striped("green", across=True)


def nearer(name: str) -> float:
    """By how much a red pattern is nearer to the turned one than to the same in green."""
    first, turned, other = BASELINES.get(name)().embed([RED, TURNED, GREEN])
    return float(np.square(first - other).sum() - np.square(first - turned).sum())


def test_colours_and_shapes_say_what_they_are_for() -> None:
    assert nearer("hsv") > 0.5
    assert nearer("hog") < -1


@pytest.mark.parametrize("name", BASELINES.names())
def test_each_is_an_embedder(name: str) -> None:
    embedder = BASELINES.get(name)()
    wide = np.zeros((9, 300, 3), np.uint8)
    vectors = embedder.embed([RED, wide, GREEN])
    assert vectors.shape == (3, embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert np.array_equal(vectors[[2]], BASELINES.get(name)().embed([GREEN]))
    assert embedder.embed([]).shape == (0, embedder.dimension)
    assert len({BASELINES.get(other)().digest for other in BASELINES.names()}) == len(BASELINES.names())


def test_hog_votes_for_the_orientation_of_an_edge() -> None:
    (vector,) = BASELINES.get("hog")().embed([striped("black", across=True)])
    votes = vector.reshape(-1, 9).sum(axis=0)
    # Edges that run across have their gradient downwards, at 90 degrees: the fifth of nine orientations.
    assert votes.argmax() == 4
    assert votes[4] > 0.9 * votes.sum()
