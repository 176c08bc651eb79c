"""An evaluation by its verb, of detectors whose answers are known: each figure here can be counted by hand."""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape
from typer.testing import CliRunner

from fullshot.cli import app
from fullshot.core.errors import UserError
from fullshot.core.workspace import Workspace
from fullshot.train import detector
from fullshot.train.detector import find_source
from fullshot.train.exported import content_of
from fullshot.train.runtimes import openvino
from fullshot.train.weights import STARTER_FILE, about_starter
from tests.browser import Opened
from tests.train.detector.evaluation.conftest import ALL_FOUND, FOUND, PICTURES, name_of

Train = Callable[..., str]

HALF = round(51 / 101, 4)
"""Average precision where every box up to a recall of a half is right, and no box reaches more."""


def evaluate(workspace: Workspace, *more: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["evaluate", "detector", str(workspace.root), *more, "--json"])
    assert done.exit_code == 0, done.output
    stats: dict[str, Any] = json.loads(done.stdout)
    return stats


def refused(workspace: Workspace, *more: str) -> str:
    done = CliRunner().invoke(app, ["evaluate", "detector", str(workspace.root), *more])
    assert done.exit_code == 2, done.output
    return done.stderr


def details(workspace: Workspace, run: str, split: str = "test") -> dict[str, Any]:
    file = workspace.models("detector") / run / f"evaluation-{split}.json"
    kept: dict[str, Any] = json.loads(file.read_text())["details"]
    return kept


def test_the_figures_of_all_pictures(workspace: Workspace, train: Train) -> None:
    run = train(FOUND)
    stats = evaluate(workspace)
    assert (stats["run"], stats["split"], stats["pictures"], stats["boxes"]) == (run, "test", 4, 4)
    # Tops: 0.9 is right, 0.3 is wrong; bottoms: 0.8 is wrong, 0.6 is right. Two of each are expected.
    assert stats["classes"]["top"]["map50"] == HALF
    assert stats["classes"]["bottom"]["map50"] == pytest.approx(HALF / 2, abs=1e-4)
    assert stats["map50"] == pytest.approx(HALF * 3 / 4, abs=1e-4)
    # Of 0.9, 0.8, 0.6 and 0.3 the first and third are right: F1 is 2/5, 2/6, 4/7, 4/8.
    assert stats["best_score"] == 0.6
    assert (stats["pictures_with_errors"], stats["doubted_boxes"]) == (2, 2)


def test_the_figures_by_size_are_cocos(workspace: Workspace, train: Train) -> None:
    train(FOUND)
    sizes = evaluate(workspace)["by_size"]
    assert {name: (row["boxes"], row["map50"]) for name, row in sizes.items()} == {
        "small": (1, 1.0),  # the wrong bottom before it is a large box
        "medium": (2, 0.5),
        "large": (1, 0.0),
    }


def test_the_figures_by_what_pictures_share(workspace: Workspace, train: Train) -> None:
    train(FOUND)
    stats = evaluate(workspace)
    full = {"pictures": 2, "boxes": 2, "map50": HALF, "map50_95": HALF, "missed": 1, "wrong": 1}
    half = {**full, "wrong": 0}
    assert stats["by_shot"] == {"full": full, "half": half}
    only = {"pictures": 1, "boxes": 1, "map50": 1.0, "map50_95": 1.0, "missed": 0, "wrong": 0}
    assert stats["by_product_type"] == {"Shirts": full, "Jeans": half, "Shorts": only}
    # A picture that two shops show counts for both; in shop s, a wrong bottom comes before the right one.
    both = round((51 / 101 + 1 / 2) / 2, 4)
    counts = {"pictures": 3, "boxes": 3, "map50": both, "map50_95": both, "missed": 1, "wrong": 1}
    assert stats["by_shop"] == {"s": counts, "t": half}
    assert stats["columns_not_there"] == ["occlusion", "layering"]
    assert not {"by_occlusion", "by_layering"} & set(stats)


def test_a_column_of_ones_own_tells_pictures_apart(workspace: Workspace, train: Train) -> None:
    curated = workspace.read("curated")
    curated["occlusion"] = ["heavy" if shot == "half" else None for shot in curated["shot"]]
    workspace.write("curated", curated)
    train(FOUND)
    stats = evaluate(workspace)
    assert {name: row["missed"] for name, row in stats["by_occlusion"].items()} == {"heavy": 1, "unknown": 1}
    assert stats["columns_not_there"] == ["layering"]


def test_scores_are_compared_with_the_shares_of_right_boxes(workspace: Workspace, train: Train) -> None:
    run = train(FOUND)
    assert evaluate(workspace)["calibration_error"] == pytest.approx((0.1 + 0.8 + 0.4 + 0.3) / 4)
    bins = details(workspace, run)["calibration"]["bins"]
    assert [(row["from"], row["boxes"], row["score"], row["precision"]) for row in bins] == [
        (0.3, 1, 0.3, 0.0),
        (0.6, 1, 0.6, 1.0),
        (0.8, 1, 0.8, 0.0),
        (0.9, 1, 0.9, 1.0),
    ]


def test_boxes_are_counted_by_what_they_are_and_are_found_as(workspace: Workspace, train: Train) -> None:
    run = train(FOUND)
    evaluate(workspace)
    kept = details(workspace, run)
    assert kept["labels"] == ["top", "bottom", "foot", "long"]
    nothing = [0] * 5  # the top with a score of 0.3 does not count
    assert kept["confusion"] == [[1, 1, 0, 0, 0], [0, 1, 0, 0, 1], nothing, nothing, nothing]


def test_the_worst_pictures_come_first_with_their_boxes(workspace: Workspace, train: Train) -> None:
    run = train(FOUND)
    evaluate(workspace)
    first, second = details(workspace, run)["worst"]["pictures"]
    assert [name_of(workspace, row["image_id"]) for row in (first, second)] == ["b", "d"]
    assert (first["missed"], first["wrong"], second["missed"], second["wrong"]) == (1, 1, 1, 0)
    large = [80.0, 80.0, 180.0, 180.0]
    assert first["expected"] == [{"label": "top", "corners": large, "right": False, "score": None}]
    assert first["found"] == [{"label": "bottom", "corners": large, "right": False, "score": 0.8}]
    assert second["found"] == []


def test_a_box_is_doubted_where_something_else_is_found_more_than_where_nothing_is(
    workspace: Workspace, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FULLSHOT_ANNOTATE_URL", "http://studio.example/")
    run = train(FOUND)
    page = Path(evaluate(workspace)["page"])
    first, second = details(workspace, run)["doubted"]["boxes"]
    assert name_of(workspace, first["image_id"]) == "b"
    assert (first["label"], first["found_as"], first["found_with"], first["doubt"]) == ("top", "bottom", 0.8, 0.9)
    assert first["task"] == "/projects/7/data?task=31"
    assert 'href="http://studio.example/projects/7/data?task=31"' in page.read_text()
    assert name_of(workspace, second["image_id"]) == "d"
    assert (second["label"], second["found_as"], second["doubt"], second["task"]) == ("bottom", None, 0.5, None)
    assert second["path"] == f"images/{second['image_id'][:2]}/{second['image_id']}.png"


def test_the_workspaces_own_label_studio_is_linked_where_it_ever_ran(workspace: Workspace, train: Train) -> None:
    train(FOUND)
    (workspace / "label-studio").mkdir()
    page = Path(evaluate(workspace)["page"])
    assert 'href="http://127.0.0.1:8080/projects/7/data?task=31"' in page.read_text()


def test_where_label_studio_has_moved_the_page_links_there_and_nothing_is_measured_again(
    workspace: Workspace, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(FOUND)
    page = Path(evaluate(workspace)["page"])
    assert "data?task=31" not in page.read_text()  # no server is known
    for address in ("http://one.example", "http://two.example/?a=1&b="):
        monkeypatch.setenv("FULLSHOT_ANNOTATE_URL", address)
        done = CliRunner().invoke(app, ["evaluate", "detector", str(workspace.root), "--json"])
        assert "nothing has changed since this was measured" in done.stderr
        assert f'href="{escape(address)}/projects/7/data?task=31"' in page.read_text()
        written = page.stat().st_mtime_ns
        evaluate(workspace)
        assert page.stat().st_mtime_ns == written


def test_a_detector_that_finds_all_has_nothing_to_be_shown(workspace: Workspace, train: Train, opened: Any) -> None:
    run = train(ALL_FOUND)
    stats = evaluate(workspace)
    assert (stats["map50"], stats["pictures_with_errors"], stats["doubted_boxes"]) == (1.0, 0, 0)
    assert details(workspace, run)["worst"] == {"count": 0, "pictures": []}
    page = opened(Path(stats["page"]))
    assert page.page.locator("svg.shown").count() == 0
    assert page.errors == []


def test_a_detector_that_finds_nothing_is_measured(workspace: Workspace, train: Train) -> None:
    run = train({name: [] for name in PICTURES})
    stats = evaluate(workspace)
    assert (stats["map50"], stats["doubted_boxes"], stats["calibration_error"]) == (0.0, 4, None)
    assert stats["by_size"]["small"]["map50"] == 0.0
    assert [row[-1] for row in details(workspace, run)["confusion"]] == [2, 2, 0, 0, 0]


def test_all_splits_have_figures_of_their_own_and_one_page(workspace: Workspace, train: Train) -> None:
    train(FOUND)
    stats = evaluate(workspace, "--split", "all")
    assert {split: row["map50"] for split, row in stats["splits"].items()} == {
        "train": 1.0,
        "test": pytest.approx(HALF * 3 / 4, abs=1e-4),
    }
    assert stats["splits_without_boxes"] == ["val"]
    assert "no picture of the split val" in refused(workspace, "--split", "val")


def test_what_was_measured_is_shown_again_and_the_page_made_again_where_it_is_gone(
    workspace: Workspace, train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    train(FOUND)
    first = evaluate(workspace, "--split", "all")
    page = Path(first["page"])
    text = page.read_text()
    page.unlink()
    done = CliRunner().invoke(app, ["evaluate", "detector", str(workspace.root), "--split", "all", "--json"])
    assert json.loads(done.stdout) == first
    assert done.stderr.count("evaluate detector: nothing has changed since this was measured") == 3
    assert page.read_text() == text


def test_a_page_shows_every_split_that_was_measured_the_test_first(
    workspace: Workspace, train: Train, opened: Any
) -> None:
    train(FOUND)
    evaluate(workspace, "--split", "train")
    page: Opened = opened(Path(evaluate(workspace)["page"]))
    assert list(page.table("All labels, by split")) == ["Split", "test", "train"]
    assert page.errors == []


def test_the_page_asks_for_nothing_and_shows_what_is_expected_and_found(
    workspace: Workspace, train: Train, opened: Any
) -> None:
    train(FOUND)
    stats = evaluate(workspace)
    page: Opened = opened(Path(stats["page"]))
    assert [url for url in page.requests if not url.startswith("data:")] == [Path(stats["page"]).as_uri()]
    assert page.errors == []
    assert page.page.locator("img").evaluate_all("all => all.every(one => one.naturalWidth > 0)")
    worst = page.page.locator("#test-worst svg.shown")
    assert worst.count() == 2
    assert worst.first.locator("rect.expected.missed").count() == worst.first.locator("rect.found.wrong").count() == 1
    drawn, around = worst.first.locator("rect.missed").bounding_box(), worst.first.bounding_box()
    assert drawn is not None
    assert around is not None
    # The box is half of a picture that is drawn as large as there is room.
    assert drawn["height"] == pytest.approx(min(around["width"], around["height"]) / 2, abs=6)
    doubts = page.page.locator("#test-doubted figcaption").all_inner_texts()
    assert doubts[0].startswith("top, found as bottom 0.80")
    assert doubts[1].startswith("bottom, not found")
    assert page.table("Kind of shot")["half"] == ["0.505", "0.505", "2", "2", "1", "0"]
    assert "occlusion, layering" in page.page.locator("#test-groups").inner_text()


def test_words_of_a_shop_are_no_mark_up(workspace: Workspace, train: Train, opened: Any) -> None:
    products = workspace.read("products")
    hostile = "<script>alert('x')</script>"
    products["product_type"] = hostile
    workspace.write("products", products)
    train(FOUND)
    page: Opened = opened(Path(evaluate(workspace)["page"]))
    assert hostile in page.table("Product type")
    assert page.errors == []


def test_the_model_card_says_what_it_was_made_of(workspace: Workspace, train: Train) -> None:
    run = train(FOUND)
    page = Path(evaluate(workspace)["page"])
    text = (page.parent / "model-card.md").read_text()
    assert f"# Garment detector {run}" in text
    assert "| test | 4 | 4 | bottom 2, top 2 |" in text
    assert "| train | 2 | 2 | bottom 1, top 1 |" in text
    assert "Leak check: no product" in text
    for table, digest in workspace.digests(["boxes", "images", "curated"]).items():
        assert f"`{table}` `{digest}`" in text
    assert "- detector: not known" in text  # of a family that is not of the house
    assert "s 3, t 4" in text


def test_leaks_between_splits_are_told(workspace: Workspace, train: Train, opened: Any) -> None:
    train(FOUND)
    images = workspace.read("images")
    trained_on = next(i for i in images["image_id"] if name_of(workspace, i) == "e")
    images.loc[images["image_id"] == trained_on, "product_id"] = "s:1"
    workspace.write("images", images)
    page: Opened = opened(Path(evaluate(workspace)["page"]))
    assert "leaks between splits: 1, such as product s:1" in page.page.locator("#summary .warning").inner_text()


def test_runs_are_shown_side_by_side(workspace: Workspace, train: Train, opened: Any) -> None:
    runs = [train(FOUND), train(ALL_FOUND)]
    assert runs[0] != runs[1]
    stats = evaluate(workspace, "--compare", *runs)
    assert [row["run"] for row in stats["runs"]] == runs
    assert [row["map50"] for row in stats["runs"]] == [pytest.approx(HALF * 3 / 4, abs=1e-4), 1.0]
    assert [row["map50_large"] for row in stats["runs"]] == [0.0, 1.0]
    assert [row["map50_top"] for row in stats["runs"]] == [HALF, 1.0]
    page: Opened = opened(Path(stats["page"]))
    assert page.table("Split test")["mAP@0.5"] == ["0.379", "1.000"]
    assert page.page.locator("tr:has-text('mAP@0.5, large') .best").all_inner_texts() == ["1.000"]
    linked = page.page.locator("thead a").first.get_attribute("href")
    assert (Path(stats["page"]).parent / str(linked)).is_file()
    assert page.errors == []


def test_a_run_is_measured_on_the_labels_that_it_tells_apart(workspace: Workspace, train: Train, opened: Any) -> None:
    runs = [train(FOUND), train(FOUND, "top")]
    stats = evaluate(workspace, "--compare", *runs)
    assert [(row["pictures"], row["boxes"]) for row in stats["runs"]] == [(4, 4), (2, 2)]
    assert [row["map50_top"] for row in stats["runs"]] == [HALF, HALF]
    assert [row.get("map50_bottom") is None for row in stats["runs"]] == [False, True]
    page: Opened = opened(Path(stats["page"]))
    assert "do not tell the same labels apart" in page.page.locator(".warning").inner_text()
    assert page.table("Split test")["mAP@0.5, bottom"][1] == "–"


def test_what_cannot_be_compared_is_said_in_a_line(workspace: Workspace, train: Train) -> None:
    run = train(FOUND)
    assert "expected two runs or more to compare" in refused(workspace, "--compare", run)
    assert "no run 'other' of the detector" in refused(workspace, "--compare", run, "other")
    assert "expected one workspace" in refused(workspace, run)
    assert "got --run and --compare" in refused(workspace, "--run", run, "--compare", run)
    assert "got --weights and --run" in refused(workspace, "--run", run, "--weights", "starter")
    assert "weights 'none.onnx': expected starter, a file" in refused(workspace, "--weights", "none.onnx")


def test_weights_that_no_run_here_has_are_measured_and_compared(
    workspace: Workspace, train: Train, opened: Any, tmp_path: Path
) -> None:
    run = train(FOUND)
    starter = evaluate(workspace, "--weights", "starter")
    folder = workspace.models("detector") / "evaluations"
    assert (starter["run"], starter["pictures"], starter["boxes"]) == ("starter", 4, 4)
    assert Path(starter["page"]).parent.parent == folder
    card = Path(starter["page"]).with_name("model-card.md").read_text()
    assert "# Garment detector starter" in card
    assert f"Family fcos, model {about_starter()['backbone']}" in card
    assert "not trained in this workspace" in card
    elsewhere = tmp_path / "elsewhere" / run
    shutil.copytree(workspace.models("detector") / run, elsewhere)
    file = tmp_path / "mine.safetensors"
    shutil.copy(STARTER_FILE, file)
    stats = evaluate(workspace, "--compare", run, "starter", str(file))
    assert [row["run"] for row in stats["runs"]] == [run, "starter", str(file)]
    assert [row["map50"] for row in stats["runs"]] == [pytest.approx(HALF * 3 / 4, abs=1e-4), *[starter["map50"]] * 2]
    page: Opened = opened(Path(stats["page"]))
    for place in range(3):
        linked = page.page.locator("thead a").nth(place).get_attribute("href")
        assert (Path(stats["page"]).parent / str(linked)).is_file()
    warned = page.page.locator("#summary .warning").all_inner_texts()
    assert [words.split(" was not trained in this workspace")[0] for words in warned] == ["starter", str(file)]
    assert page.errors == []
    # The same run, named by the folder that it was copied to.
    assert evaluate(workspace, "--weights", str(elsewhere))["map50"] == stats["runs"][0]["map50"]
    assert sorted(each.name.rpartition("-")[0] for each in folder.iterdir()) == sorted(["mine", run, "starter"])


def test_a_file_is_called_by_the_path_that_it_is_asked_for_by_today(workspace: Workspace, tmp_path: Path) -> None:
    file, link = tmp_path / "mine.safetensors", tmp_path / "there"
    shutil.copy(STARTER_FILE, file)
    link.symlink_to(tmp_path)
    first = evaluate(workspace, "--weights", str(file))
    again = link / file.name  # the same file, whose figures are kept
    stats = evaluate(workspace, "--compare", "starter", str(again))
    assert [row["run"] for row in stats["runs"]] == ["starter", str(again)]
    assert f"# Garment detector {again}" in Path(first["page"]).with_name("model-card.md").read_text()
    assert evaluate(workspace, "--weights", str(again)) == {**first, "run": str(again)}


def test_detectors_of_one_name_are_told_apart(workspace: Workspace, train: Train, opened: Any, tmp_path: Path) -> None:
    run = train(FOUND)
    other = tmp_path / "other" / run
    shutil.copytree(workspace.models("detector") / run, other)
    answers = json.dumps(ALL_FOUND)
    (other / "answers.json").write_text(answers)
    weights = hashlib.sha256(answers.encode()).hexdigest()[:16]
    (other / "metrics.json").write_text(json.dumps({"weights": weights}))
    stats = evaluate(workspace, "--compare", run, str(other))
    assert [row["run"] for row in stats["runs"]] == [run, str(other)]
    assert [row["map50"] for row in stats["runs"]] == [pytest.approx(HALF * 3 / 4, abs=1e-4), 1.0]
    page: Opened = opened(Path(stats["page"]))
    links = page.page.locator("thead a")
    assert links.nth(0).get_attribute("href") != links.nth(1).get_attribute("href")


def test_a_run_of_another_workspace_may_have_learnt_from_these_pictures(
    workspace: Workspace, train: Train, opened: Any, tmp_path: Path
) -> None:
    run = train(FOUND)
    warning = "not trained in this workspace, so that it may have learnt from these pictures"
    own = Path(evaluate(workspace)["page"])
    assert warning not in own.with_name("model-card.md").read_text()
    assert "may have learnt" not in own.read_text()
    elsewhere = tmp_path / "elsewhere" / run
    shutil.copytree(workspace.models("detector") / run, elsewhere)
    page = Path(evaluate(workspace, "--weights", str(elsewhere))["page"])
    text = page.with_name("model-card.md").read_text()
    assert warning in text
    assert "trained at 20" in text  # its own record says when
    assert "not in this workspace: it may have learnt" in opened(page).page.locator("#card").inner_text()


@pytest.mark.parametrize("written", ["figures", "figures and card"])
def test_a_page_that_a_kill_left_behind_its_figures_is_written_again(
    workspace: Workspace, train: Train, written: str
) -> None:
    run = train(FOUND)
    page = Path(evaluate(workspace, "--split", "test")["page"])
    left = page.read_text()
    boxes = workspace.read("boxes")
    workspace.write("boxes", boxes[boxes["label"] == "top"])
    card = page.with_name("model-card.md")
    card_left = card.read_text()
    evaluate(workspace, "--split", "test")
    whole, card_whole = page.read_text(), card.read_text()
    assert whole != left
    # As a kill leaves them.
    page.write_text(left)
    if written == "figures":
        card.write_text(card_left)
    evaluate(workspace, "--split", "test")
    assert page.read_text() == whole
    assert card.read_text() == card_whole
    assert run in whole


def test_a_run_is_measured_again_in_another_precision(
    workspace: Workspace, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(FOUND)
    evaluate(workspace)

    def is_kept(processor_has: bool) -> bool:
        monkeypatch.setattr(openvino, "has_bfloat16", lambda: processor_has)
        done = CliRunner().invoke(app, ["evaluate", "detector", str(workspace.root), "--json"])
        assert done.exit_code == 0, done.output
        return "nothing has changed" in done.stderr

    monkeypatch.setenv("FULLSHOT_DETECTOR_PRECISION", "bfloat16")
    assert is_kept(processor_has=False)  # it is float32 all the same
    assert not is_kept(processor_has=True)


def test_a_training_is_measured_in_float32_whatever_its_detector_is_used_in(
    workspace: Workspace, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FULLSHOT_DETECTOR_PRECISION", "bfloat16")
    run = train(FOUND)
    record = json.loads((workspace.models("detector") / run / "run.json").read_text())
    assert record["settings"]["detector"]["precision"] == "float32"


def test_what_cannot_run_a_detector_is_said_before_it_is_trained(
    workspace: Workspace, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setenv("FULLSHOT_DETECTOR_RUNTIME", "openvino")
    with pytest.raises(UserError, match=r"setting detector\.runtime: openvino is not installed"):
        train(FOUND)
    monkeypatch.setenv("FULLSHOT_DETECTOR_RUNTIME", "torch")
    monkeypatch.setenv("FULLSHOT_DETECTOR_PRECISION", "bfloat16")
    with pytest.raises(UserError, match=r"setting detector\.precision: torch does not compute in bfloat16"):
        train(FOUND)
    assert not list(workspace.models("detector").glob("*/run.json"))


def test_a_run_that_began_elsewhere_goes_on_with_what_is_here(
    workspace: Workspace, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train(FOUND)
    folder = workspace.models("detector") / run
    (folder / "metrics.json").unlink()
    record = json.loads((folder / "run.json").read_text())
    record["settings"]["detector"]["runtime"] = "openvino"
    (folder / "run.json").write_text(json.dumps(record))
    monkeypatch.setitem(sys.modules, "openvino", None)
    settings = workspace.settings(detector={"device": "cpu"})
    assert detector.fit(workspace, settings, resume=run)["run"] == run


def test_a_run_whose_record_is_damaged_is_said_in_a_line(workspace: Workspace, train: Train) -> None:
    folder = workspace.models("detector") / train(FOUND)
    record = json.loads((folder / "run.json").read_text())
    damaged: list[dict[str, Any]] = [{}, {"detector": {}}]
    for settings in damaged:
        (folder / "run.json").write_text(json.dumps({**record, "settings": settings}))
        assert "the file was damaged or edited" in refused(workspace, "--weights", str(folder))


def test_the_card_of_an_export_knows_its_size_and_its_licence(workspace: Workspace, tmp_path: Path) -> None:
    source = find_source("starter")
    file = tmp_path / "mine.xml"
    openvino.save(content_of(source.export, source.digest[:16], "openvino"), file)
    page = Path(evaluate(workspace, "--weights", str(file))["page"])
    card = page.with_name("model-card.md").read_text()
    assert f"Family {about_starter()['architecture']}, model exported, of the weights" in card
    assert "- detector: torchvision: BSD-3-Clause" in card
    size = (file.stat().st_size + file.with_suffix(".bin").stat().st_size) / 1e6
    assert f"`mine.xml`, {size:.2f} MB" in card
    # Other labels make it another detector, though its numbers are the same.
    before = find_source(str(file)).digest
    text = file.read_text()
    file.write_text(text.replace("&quot;top&quot;", "&quot;coat&quot;"))
    assert file.read_text() != text
    assert find_source(str(file)).digest != before
