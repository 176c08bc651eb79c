"""What the stages keep of pictures is not taken for waste while they need it."""

from fullshot import index
from fullshot.core.features import collect_garbage
from fullshot.core.settings import Settings, load
from fullshot.core.workspace import Workspace
from fullshot.index import build_catalog, evaluate_recommend
from fullshot.train import embedder


def waste(workspace: Workspace, settings: Settings) -> dict[str, list[str]]:
    in_use = [embedder.features_in_use(workspace, settings), index.features_in_use(workspace)]
    found = collect_garbage(workspace, in_use, remove=False)["waste"]
    return {
        kind: [one["version"] for one in found if one["kind"] == kind]
        for kind in sorted({one["kind"] for one in found})
    }


def versions(workspace: Workspace, kind: str) -> list[str]:
    return sorted(path.name for path in (workspace / "features" / kind).iterdir())


def test_what_an_evaluation_was_made_of_is_needed(built: Workspace, settings: Settings) -> None:
    evaluate_recommend(built, settings, split="train")
    assert len(versions(built, "garments")) == 1
    assert versions(built, "crops") == ["1-32"]
    assert waste(built, settings) == {}


def test_the_crops_of_a_backbone_s_own_size_are_needed(built: Workspace) -> None:
    own_size = load(embedder={"epochs": 1, "dimension": 16, "device": "cpu"})
    embedder.fit(built, own_size)
    assert versions(built, "crops") == ["1-32", "1-64"]
    before = versions(built, "embeddings")
    assert waste(built, own_size) == {}  # the catalog is of the embedder before
    build_catalog(built, own_size)
    assert waste(built, own_size) == {"embeddings": before}


def test_what_a_detector_found_that_is_not_in_use_is_waste(built: Workspace, settings: Settings) -> None:
    evaluate_recommend(built, settings, split="train")
    (version,) = versions(built, "garments")
    folder = built / "features" / "garments"
    (folder / version).rename(folder / "1-0123456789abcdef-ab")
    assert waste(built, settings) == {"garments": ["1-0123456789abcdef-ab"]}
