from pathlib import Path

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fullshot.train.embedder.plots import plot
from fullshot.train.embedder.watching import Watching, nearest_grid
from fullshot.train.journal import FOLDER


def shown(count: int = 12) -> "tuple[np.ndarray, list[np.ndarray], list[str]]":
    """Vectors in pairs, the pictures of each pair of one colour, and labels of which every second pair's differ."""
    pair = np.arange(count) // 2
    vectors = np.stack([pair * 10.0, np.arange(count) % 2], axis=1).astype(np.float32)
    pictures = [np.full((30, 20, 3), (int(number) * 40 % 256, 10, 10), np.uint8) for number in pair]
    labels = [f"type {number if number % 2 else number * 100 + row}" for row, number in enumerate(pair)]
    return vectors, pictures, labels


def test_tensorboard_has_figures_neighbours_and_the_projector_of_the_last_epoch(tmp_path: Path) -> None:
    watching = Watching(tmp_path)
    vectors, pictures, labels = shown()
    for epoch in (1, 2):
        watching.scalars({"epoch": epoch, "loss": 1 / epoch, "recall@5": None})
        watching(epoch, vectors * epoch, pictures, labels)
    events = EventAccumulator(str(tmp_path / FOLDER))
    events.Reload()
    assert [round(event.value, 3) for event in events.Scalars("loss")] == [1.0, 0.5]
    assert events.Tags()["scalars"] == ["loss"]
    assert [event.step for event in events.Images("nearest")] == [1, 2]
    (folder,) = (tmp_path / FOLDER).glob("[0-9]*/embeddings")
    assert "00002" in (tmp_path / FOLDER / "projector_config.pbtxt").read_text()
    assert folder.parent.name == "00002"
    read = np.loadtxt(folder / "tensors.tsv")
    np.testing.assert_allclose(read, vectors * 2)
    assert (folder / "metadata.tsv").read_text().splitlines() == labels
    with Image.open(folder / "sprite.png") as sprite:
        assert sprite.width >= 4 * 48


def test_neighbours_are_framed_by_whether_their_label_is_the_querys() -> None:
    vectors, pictures, labels = shown()
    grid = nearest_grid(vectors, pictures, labels)
    side = 88
    assert grid.shape == (8 * side, 6 * side, 3)
    frames = grid[1::side, 1::side].tolist()
    assert all(frame[0] == [120, 120, 120] for frame in frames)
    queries = np.unique(np.linspace(0, 11, 8).astype(int))
    for query, frame in zip(queries, frames, strict=True):
        is_right = (query // 2) % 2 == 1  # the other of its pair is the nearest
        assert frame[1] == ([0, 158, 115] if is_right else [213, 94, 0])
        assert frame[5] == [213, 94, 0]
    # A picture keeps its proportions: beside it is white.
    assert grid[side // 2, 6].tolist() == [255, 255, 255]
    assert grid[side // 2, side // 2].tolist() == pictures[0][0, 0].tolist()


def test_one_picture_has_no_neighbours_and_nothing_is_shown(tmp_path: Path) -> None:
    vectors, pictures, labels = shown(2)
    Watching(tmp_path)(1, vectors[:1], pictures[:1], labels[:1])
    assert not (tmp_path / FOLDER).exists()


def test_triplets_have_a_plot_of_their_own(tmp_path: Path) -> None:
    rows = [{"epoch": epoch, "loss": 1.0, "recall@1": None, "recall@5": 0.5} for epoch in (1, 2)]
    plot(rows, tmp_path / "without.png")
    plot([{**row, "triplets": 7} for row in rows], tmp_path / "with.png")
    with Image.open(tmp_path / "without.png") as without, Image.open(tmp_path / "with.png") as more:
        assert more.width > without.width
