"""What is counted and said of the data before a detector is trained, and which boxes count."""

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from pydantic import create_model

from fullshot.core import settings as settings_module
from fullshot.core.errors import UserError
from fullshot.core.settings import Settings
from fullshot.core.workspace import Workspace
from fullshot.train import detector, digests
from fullshot.train.detector import checks, families
from fullshot.train.detector.data import WANTED

MakeWorkspace = Callable[..., Workspace]


def small(**more: object) -> Settings:
    flags: dict[str, object] = {
        "family": "yolo",
        "epochs": 1,
        "image_size": 32,
        "batch": 4,
        "device": "cpu",
        "plots": False,
    }
    return settings_module.load(detector=flags | more)


def of_split(workspace: Workspace, split: str) -> list[str]:
    curated = workspace.read("curated")
    return [str(name) for name in curated.loc[curated["split"] == split, "image_id"]]


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What is said, but for how far the training is and what it begins with."""
    lines = capsys.readouterr().err.splitlines()
    return [line for line in lines if "epochs" not in line and " starts from " not in line]


def test_what_lacks_is_said_in_a_line_each(make_workspace: MakeWorkspace, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = make_workspace(train=5, val=2, test=2)
    boxes = workspace.read("boxes")
    bare = {*of_split(workspace, "train")[:2], of_split(workspace, "val")[0]}
    stray = boxes.iloc[:3].assign(image_id="0" * 64)
    workspace.write("boxes", pd.concat([boxes[~boxes["image_id"].isin(bare)], stray]))
    curated = workspace.read("curated")
    curated.loc[curated["image_id"].isin(sorted(bare)[:1]), "full_shot"] = False
    workspace.write("curated", curated)
    detector.fit(workspace, small())
    assert said(capsys) == [
        "train detector: 3 boxes on pictures that images.csv does not have are left out",
        "train detector: 3 pictures without a box are left out (train 2, val 1), 2 of them full shots",
        f"train detector: few boxes in the split train, of at least {checks.LEAST_BOXES} that a label wants: "
        "top 3, bottom 3, foot 0, long 0; detector.labels leaves labels out",
    ]


def test_nothing_is_said_where_nothing_lacks(
    make_workspace: MakeWorkspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "LEAST_BOXES", 2)
    workspace = make_workspace(train=2, val=1)
    detector.fit(workspace, small(labels="bottom, top"))
    assert said(capsys) == []


def test_a_label_that_the_test_alone_has_is_refused_before_any_training(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(train=3, test=2)
    boxes = workspace.read("boxes")
    boxes.loc[boxes["image_id"].isin(of_split(workspace, "test")) & (boxes["label"] == "bottom"), "label"] = "foot"
    workspace.write("boxes", boxes)
    with pytest.raises(UserError, match=r"no box of foot to learn from in .*test alone \(foot 2\);.*'top bottom long'"):
        detector.fit(workspace, small())
    assert not workspace.models("detector").exists()
    assert detector.fit(workspace, small(labels="top bottom"))["boxes"]["test"] == 2


def test_labels_say_which_boxes_count_and_a_run_is_measured_with_its_own(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(train=3, test=2)
    every = detector.fit(workspace, small())
    one = detector.fit(workspace, small(labels="bottom"))
    assert one["trained"]
    assert (every["boxes"]["train"], one["boxes"]["train"]) == (6, 3)
    assert detector.load(workspace, one["run"]).labels == ("bottom",)
    expected = {every["run"]: (4, {"top", "bottom"}), one["run"]: (2, {"bottom"})}
    for today in (small(), small(labels="top")):
        for run, (boxes, labels) in expected.items():
            stats = detector.evaluate(workspace, today, run)
            assert (stats["boxes"], set(stats["classes"])) == (boxes, labels)


def test_all_labels_by_name_are_what_a_run_without_them_was_trained_with(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace(train=2)
    run = detector.fit(workspace, small())["run"]
    again = detector.fit(workspace, small(labels="long foot bottom top", crops="auto"))
    assert (again["trained"], again["run"]) == (False, run)


def test_a_run_from_before_there_was_a_choice_is_known_and_measured_with_all_labels(
    make_workspace: MakeWorkspace,
) -> None:
    workspace = make_workspace(train=2, test=1)
    run = detector.fit(workspace, small())["run"]
    file = workspace.models("detector") / run / "run.json"
    record = json.loads(file.read_text())
    later = {"labels", "crops", "patience", "sampling"}
    counted = {"epochs", "image_size", "batch", "learning_rate", "seed"}  # all that did in version 0.1
    before = families.with_defaults(small().detector).model_dump(include=counted)
    fields: Any = {name: (Any, value) for name, value in before.items()}
    section = create_model("Before", **fields)()
    made_with = families.trainer_for(small().detector).inputs()
    assert record["inputs"] == digests.inputs_digest(workspace, tuple(WANTED), section, made_with)
    for name in later:
        del record["settings"]["detector"][name]
    file.write_text(json.dumps(record))
    assert not detector.fit(workspace, small())["trained"]
    assert detector.evaluate(workspace, small(labels="top"))["boxes"] == 2


@pytest.mark.parametrize("labels", ["", "top shoe", "Top"])
def test_a_label_that_is_no_garment_is_refused(labels: str) -> None:
    with pytest.raises(UserError, match=r"setting detector\.labels: .*expected some of top bottom foot long"):
        small(labels=labels)


@pytest.mark.parametrize(
    ("boxes", "crops", "in_crops"),
    [
        (1, "auto", True),
        (2, "auto", False),
        # One of two boxes is not what the labels leave over: whoever drew these drew all.
        (2, "always", True),
        (1, "never", False),
    ],
)
def test_pictures_with_one_box_are_learnt_from_in_crops(
    make_workspace: MakeWorkspace,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    boxes: int,
    crops: str,
    in_crops: bool,
) -> None:
    workspace = make_workspace(train=3)
    if boxes == 1:
        workspace.write("boxes", workspace.read("boxes").drop_duplicates("image_id"))
    got: list[Any] = []
    trainer = detector.DETECTORS.get("yolo")
    fit = trainer.fit

    def listening(self: Any, data: detector.DetectionData, *rest: Any) -> Any:
        got.append(data.in_crops)
        return fit(self, data, *rest)

    monkeypatch.setattr(trainer, "fit", listening)
    detector.fit(workspace, small(labels="top", crops=crops))
    assert got == [in_crops]
    assert any("learns from crops" in line for line in said(capsys)) == in_crops
