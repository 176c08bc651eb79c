"""``fullshot gc`` over the features that stages keep: what is in use is each stage's own to say."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from PIL import Image
from typer.testing import CliRunner

from fullshot.annotate.queue import descriptor, predictions
from fullshot.cli import app
from fullshot.core import image_store, tables
from fullshot.core.blobs import LocalBlobs
from fullshot.core.errors import UserError
from fullshot.core.features import FeatureStore, Job, geometry_rows
from fullshot.core.features.jobs import Made
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.curation import open_pose_estimator
from fullshot.curation.features.versions import version_name, version_of
from fullshot.curation.report import thumbnails
from fullshot.train import resuming, runs
from fullshot.train.embedder import Preparation, crop_store
from fullshot.train.embedder.in_use import WEIGHTS

SCHEMA = pyarrow.schema([("number", pyarrow.int32())])


def number(jobs: Sequence[Job]) -> list[Made]:
    return [{"number": 1} for _ in jobs]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Two pictures of a product."""
    place = Workspace(tmp_path / "ws")
    rows = []
    for red in (1, 2):
        file = tmp_path / "one.png"
        Image.fromarray(np.full((8, 8, 3), red, np.uint8)).save(file)
        there = image_store.put(LocalBlobs(place.root), file.read_bytes())
        size = {"width": there.width, "height": there.height, "bytes": there.bytes}
        rows.append({"image_id": there.image_id, "path": there.path, "product_id": "s:1", **size})
    place.write("images", tables.frame("images", rows))
    return place


@pytest.fixture
def kept(workspace: Workspace) -> Callable[[str, str], Path]:
    """Keeps two rows of a kind and version; returns their folder."""
    images = workspace.read("images")
    keys = pyarrow.Table.from_pandas(images[["image_id", "path"]], preserve_index=False)

    def keep(kind: str, version: str) -> Path:
        store = FeatureStore(workspace.root, kind, version, SCHEMA, "x")
        assert store.fill(keys, number).made == 2
        return store.folder

    return keep


def gc(workspace: Workspace, *flags: str) -> dict[str, object]:
    done = CliRunner().invoke(app, ["gc", str(workspace.root), "--json", *flags])
    assert done.exit_code == 0, done.output
    told: dict[str, object] = json.loads(done.stdout)
    assert ("nothing was removed" in done.stderr) == bool(told["waste"] and not flags)
    return told


def trained(workspace: Workspace, kind: str, weights: bytes, settings: Settings) -> str:
    """A finished run; returns the digest of its weights."""
    run = runs.start(workspace, kind, "1", settings)
    (run.folder / WEIGHTS).write_bytes(weights)
    digest = image_store.image_id(weights)
    runs.finish(run, {"weights": digest if kind == "embedder" else digest[:16]})
    return digest


def test_each_stage_says_what_it_needs(workspace: Workspace, kept: Callable[[str, str], Path]) -> None:
    settings = workspace.settings()
    embedder = trained(workspace, "embedder", b"embedder", settings)
    detector = trained(workspace, "detector", b"detector", settings)
    in_use = [
        kept("pictures", version_name(version_of(open_pose_estimator(settings)))),
        kept("thumbnails", thumbnails.VERSION),
        kept("predictions", f"{detector[:16]}-640-1"),
        kept("embeddings", embedder[:16]),
        kept("crops", crop_store(workspace.root, Preparation(settings.embedder.image_size)).folder.name),
        kept("plugins", "1"),  # of another package
    ]
    geometry_rows(workspace.root, workspace.read("images")["path"])
    assert gc(workspace)["waste"] == []
    old = [
        kept("pictures", "0123456789ab"),
        kept("thumbnails", "0"),
        kept("predictions", "0123456789abcdef-640-1"),
        kept("predictions", descriptor.VERSION),
        kept("embeddings", "0123456789abcdef"),
        kept("crops", "0-17"),
        kept("geometry", "0"),
    ]
    told = gc(workspace)
    assert told["rows"] == 14
    assert told["removed"] is False
    assert all(folder.is_dir() for folder in old)
    assert gc(workspace, "--yes")["rows"] == 14
    assert not any(folder.exists() for folder in old)
    assert all(folder.is_dir() for folder in in_use)
    assert gc(workspace)["waste"] == []


def test_without_models_what_a_model_made_is_not_needed(workspace: Workspace, kept: Callable[[str, str], Path]) -> None:
    kept(predictions.KIND, descriptor.VERSION)
    gone = kept(predictions.KIND, "0123456789abcdef-640-1"), kept("embeddings", "0123456789abcdef")
    assert gc(workspace, "--yes")["rows"] == 4
    assert not any(folder.exists() for folder in gone)


def test_what_a_detector_without_a_digest_predicts_stays(
    workspace: Workspace, kept: Callable[[str, str], Path]
) -> None:
    run = runs.start(workspace, "detector", "1", workspace.settings())
    runs.finish(run, {})  # as the first versions did
    kept(predictions.KIND, "0123456789abcdef-640-1")
    assert gc(workspace)["waste"] == []


def test_what_the_catalog_was_made_of_stays(workspace: Workspace, kept: Callable[[str, str], Path]) -> None:
    kept("embeddings", "0123456789abcdef")
    workspace.catalog.mkdir()
    (workspace.catalog / "index.json").write_text(json.dumps({"format": 2, "embedder": "0123456789abcdef" * 4}))
    assert gc(workspace)["waste"] == []


def test_what_a_run_needs_that_does_not_say_it_stays(workspace: Workspace, kept: Callable[[str, str], Path]) -> None:
    settings = workspace.settings()
    digest = trained(workspace, "embedder", b"embedder", settings)
    file = runs.latest_run(workspace, "embedder").file
    kept("embeddings", digest[:16])
    other = kept("embeddings", "0123456789abcdef")
    crops = kept("crops", crop_store(workspace.root, Preparation(17)).folder.name)
    record = json.loads(file.read_text())
    for settings_now in (None, {}, {"embedder": {"image_size": "large"}}):
        file.write_text(json.dumps({**record, "settings": settings_now}))
        done = CliRunner().invoke(app, ["gc", str(workspace.root), "--yes"])
        assert done.exit_code == 0
        assert f"fullshot gc: {file}: expected" in done.stderr
        assert "crops of all sizes are kept" in done.stderr
        assert crops.is_dir()
        assert not other.exists()
    kept("embeddings", "0123456789abcdef")
    file.write_text("{")
    done = CliRunner().invoke(app, ["gc", str(workspace.root), "--yes"])
    assert f"{file} cannot be read: all that embedders made is kept" in done.stderr
    assert crops.is_dir()
    assert other.is_dir()


def test_what_detectors_found_stays_where_a_run_cannot_be_read(
    workspace: Workspace, kept: Callable[[str, str], Path]
) -> None:
    trained(workspace, "detector", b"detector", workspace.settings())
    file = runs.latest_run(workspace, "detector").file
    made = kept("predictions", "0123456789abcdef-640-1"), kept("garments", "1-0123456789abcdef-x")
    file.write_text("{")
    done = CliRunner().invoke(app, ["gc", str(workspace.root), "--yes"])
    assert f"{file} cannot be read: all that detectors made is kept" in done.stderr
    assert all(folder.is_dir() for folder in made)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "expected the record of a run"),
        ('{"digest": "1"}', "expected the settings of the embedder"),
        ('{"digest": "1", "settings": {"embedder": {"epochs": "many"}}}', "setting embedder.epochs: "),
    ],
)
def test_a_run_whose_record_is_damaged_is_not_gone_on_with(workspace: Workspace, content: str, said: str) -> None:
    run = runs.start(workspace, "embedder", "1", workspace.settings())
    run.file.write_text(content)
    with pytest.raises(UserError, match=f"^{re.escape(str(run.file))}: {said}"):
        resuming.section_to_train(workspace, "embedder", run.name, workspace.settings().embedder)
