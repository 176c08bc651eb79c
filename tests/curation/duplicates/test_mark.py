"""Near duplicates are looked for again where anything changed that they are told by."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest

from fullshot.core.features import FeatureStore, Job
from fullshot.core.settings import CurateSettings
from fullshot.curation.duplicates import mark
from fullshot.curation.duplicates.fingerprint import THUMBNAIL_BYTES
from fullshot.curation.duplicates.search import find_pairs
from fullshot.curation.features.store import ImageFeatures
from fullshot.curation.pose.skeletons import BLAZEPOSE

KEYS = pyarrow.table({"image_id": ["a" * 64, "b" * 64], "path": ["a.jpg", "b.jpg"]})
SCHEMA = pyarrow.schema([("phash", pyarrow.uint64()), ("thumbnail", pyarrow.binary(THUMBNAIL_BYTES))])


def features(root: Path, version: str = "1") -> ImageFeatures:
    """Features of two pictures of one hash: the thumbnail of each is made from the first byte of its file."""

    def made(jobs: Sequence[Job]) -> list[dict[str, Any]]:
        thumbnails = [
            np.random.default_rng((root / job.path).read_bytes()[0]).integers(0, 255, THUMBNAIL_BYTES, np.uint8)
            for job in jobs
        ]
        return [{"phash": 7, "thumbnail": thumbnail.tobytes()} for thumbnail in thumbnails]

    rows = FeatureStore(root, "pictures", version, SCHEMA, "curate").fill(KEYS, made)
    names = KEYS["image_id"]
    found = ImageFeatures(rows, names, names, BLAZEPOSE, [], rows.made)
    found.__dict__["frame"] = pyarrow.Table.to_pandas(rows.read(["phash"]))  # without what the pairs do not need
    return found


def test_pairs_are_looked_for_again_where_a_file_was_changed(tmp_path: Path) -> None:
    limits = CurateSettings()
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"1")
    assert mark.find_clusters(tmp_path, features(tmp_path), limits).tolist() == [0, 0]
    (tmp_path / "b.jpg").write_bytes(b"2 of another size")
    assert mark.find_clusters(tmp_path, features(tmp_path), limits).tolist() == [0, 1]


@pytest.mark.parametrize("version", ["MEASURES_VERSION", "_VERSION"])
def test_pairs_of_another_version_are_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    looked: list[int] = []

    def counted(*arguments: Any) -> Any:
        looked.append(1)
        return find_pairs(*arguments)

    monkeypatch.setattr(mark, "find_pairs", counted)
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"1")
    for expected in (1, 1):
        mark.find_clusters(tmp_path, features(tmp_path), CurateSettings())
        assert len(looked) == expected
    monkeypatch.setattr(mark, version, "other")
    mark.find_clusters(tmp_path, features(tmp_path), CurateSettings())
    assert len(looked) == 2
