"""Thresholds chosen from labelled pictures."""

from pathlib import Path

import pytest

from fullshot.core.settings import load
from fullshot.curation.shots.thresholds import GRID, choose_thresholds, gather


@pytest.fixture
def labelled(tmp_path: Path, photos: dict[str, bytes]) -> tuple[Path, Path]:
    """A folder of full shots, one of which is broken, and a folder of other pictures."""
    full, others = tmp_path / "full", tmp_path / "others"
    for folder, names in ((full, ("outfit", "person")), (others, ("half", "zidane", "front", "item0"))):
        folder.mkdir()
        for name in names:
            (folder / f"{name}.jpg").write_bytes(photos[name])
    (full / "broken.jpg").write_bytes(b"no picture")
    return full, others


def test_broken_pictures_are_named_and_left_out(labelled: tuple[Path, Path], capfd: pytest.CaptureFixture[str]) -> None:
    groups = gather(labelled[0], [labelled[1]], None, None)
    assert groups["full"].names == ["outfit.jpg", "person.jpg"]
    assert groups["full"].full.all()
    assert len(groups["others"].names) == 4
    err = capfd.readouterr().err
    assert f"full shots: 1 picture that cannot be read is left out: {labelled[0] / 'broken.jpg'}" in err
    # Both pictures of each group stand whole on one side of what is chosen on.
    halves = [groups["others"].half(number) for number in (0, 1)]
    assert sorted(halves[0].names + halves[1].names) == groups["others"].names


def test_what_is_chosen_tells_the_pictures_apart_and_lies_in_its_range(labelled: tuple[Path, Path]) -> None:
    groups = list(gather(labelled[0], [labelled[1]], None, None).values())
    spoilt = load(curate={"ankle_visibility": 1.0, "min_span": 0.9}).curate
    assert not groups[0].full_by_rule(spoilt).any()
    chosen = choose_thresholds(groups, spoilt, 0.985)
    for group in groups:
        assert (group.full_by_rule(chosen) == group.full).all()
    for name, (low, high) in GRID.items():
        assert low <= getattr(chosen, name) <= high
