"""Seconds to judge stored poses again under a changed rule: a whole `fullshot curate` in which no picture is looked at.

The workspace is made for the purpose: as many rows as asked for, whose kept key points are a standing person's, shaken.
So it holds tables, Parquet shards, hashes and thumbnails of that many pictures, but the pictures are empty files: a run
that opened one would fail. "Read and judged" is what is asked of pictures alone, without tables, copies and splits.
"""

import hashlib
import sys
import time
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

from benchmarks import _common
from benchmarks._common import Row
from fullshot.core import tables
from fullshot.core.settings import load
from fullshot.core.workspace import Workspace
from fullshot.curation.duplicates.fingerprint import THUMBNAIL_BYTES
from fullshot.curation.features import extract as worker
from fullshot.curation.features import store, versions
from fullshot.curation.pose import open_pose_estimator
from fullshot.curation.pose.skeletons import BLAZEPOSE
from fullshot.curation.quality.checks import measure_names
from fullshot.curation.shots.rule import classify_shots

POSES = 100_000
MOST_SECONDS = 5.0
A_SHARD = 256

HEIGHTS = {
    "eye": 0.1,
    "nose": 0.12,
    "shoulder": 0.22,
    "hip": 0.48,
    "knee": 0.66,
    "ankle": 0.84,
    "heel": 0.87,
    "foot": 0.9,
}


def shaken(count: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Key points of people who stand more or less upright, shape (count, 33, 4)."""
    random = np.random.default_rng(0)
    heights = [next((y for word, y in HEIGHTS.items() if word in name), 0.3) for name in BLAZEPOSE.joints]
    standing = np.stack([np.full(33, 0.5), np.array(heights), np.full(33, 0.9), np.full(33, 0.9)], axis=1)
    return np.clip(standing + random.normal(0, 0.05, (count, 33, 4)), -0.5, 1.5).astype(np.float32)


def make(workspace: Workspace, keypoints: np.ndarray[Any, np.dtype[np.float32]]) -> None:
    """Write the tables and the shards of a workspace whose pictures were all looked at."""
    count = len(keypoints)
    random = np.random.default_rng(1)
    names = sorted(hashlib.sha256(str(number).encode()).hexdigest() for number in range(count))
    rows = {"image_id": names, "product_id": [f"own:{number // 3}" for number in range(count)]}
    size = {"width": 600, "height": 800, "bytes": 0}
    images = tables.frame("images", [{"image_id": "0" * 64, "product_id": "x", "path": "x", **size}])
    images = (
        images.loc[[0] * count].reset_index(drop=True).assign(**rows, path=[f"images/{name}.jpg" for name in names])
    )
    workspace.write("images", images)
    goods = sorted(set(rows["product_id"]))
    products = tables.frame("products", [{"product_id": name, "gender": "women", "wear": "top"} for name in goods])
    workspace.write("products", products)
    (workspace / "images").mkdir()
    for name in names:
        (workspace / f"images/{name}.jpg").touch()
    version = versions.version_of(open_pose_estimator(load()))
    values_of = {"sharpness": 0.7, "detail": 0.9, "watermark": 0.0, "collage": 0.0}
    measured = {name: np.full(count, values_of[name], np.float32) for name in measure_names()}
    thumbnails = random.integers(0, 256, (count, THUMBNAIL_BYTES), np.uint8)
    hashes = random.integers(0, 2**64, count, np.uint64)
    for start in range(0, count, A_SHARD):
        part = slice(start, start + A_SHARD)
        columns: dict[str, Any] = {
            "image_id": names[part],
            "width": np.full(len(names[part]), 600, np.int32),
            "height": np.full(len(names[part]), 800, np.int32),
            "keypoints": list(keypoints[part].reshape(-1, 33 * 4)),
            **{name: values[part] for name, values in measured.items()},
            "phash": hashes[part],
            "thumbnail": [row.tobytes() for row in thumbnails[part]],
        }
        path = versions.shards_folder(workspace.root, version) / f"{start:08}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        schema = pyarrow.schema([("image_id", pyarrow.string()), *worker.schema()])
        pyarrow.parquet.write_table(pyarrow.Table.from_pydict(columns, schema=schema), path)


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__)
    parser.add_argument("--poses", type=int, default=POSES, help=f"default: {POSES:,}")
    given = parser.parse_args(arguments)
    keypoints = shaken(given.poses)
    with _common.scratch(given.folder) as scratch:
        workspace = Workspace(scratch / "workspace")
        workspace.root.mkdir()
        make(workspace, keypoints)
        _common.say("the workspace is made")
        command = [sys.executable, "-P", "-m", "fullshot", "curate", str(workspace.root), "--json"]
        _common.must_succeed(_common.run(command, scratch), "fullshot curate")
        changed = _common.must_succeed(
            _common.run(command, scratch, FULLSHOT_CURATE_MIN_SPAN="0.6"), "fullshot curate, another rule"
        )
        estimator, limits = open_pose_estimator(load()), load(curate={"min_span": 0.55}).curate
        started = time.perf_counter()
        found = store.kept_features(workspace.root, store.keys_of(workspace.read("images")), estimator)
        classify_shots(found.people, found.owners, len(found.frame), limits)
        alone = time.perf_counter() - started
    figures = {"s, read and judged": alone, "s, the whole `fullshot curate`": changed.seconds}
    rows = [
        Row(figure, value, None, None, f"≤ {MOST_SECONDS:g}", value <= MOST_SECONDS)
        for figure, value in figures.items()
    ]
    _common.show(f"{given.poses:,} stored poses judged again", rows, as_json=given.as_json)


if __name__ == "__main__":
    main()
