"""Which run is in use, what is told of runs, and what people do with them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from fullshot.cli import app
from fullshot.core import image_store
from fullshot.core.settings import load
from fullshot.core.workspace import Workspace
from fullshot.train import latest_run, runs, validation

WEIGHTS = "weights.pt"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    place = Workspace(tmp_path / "ws")
    place.root.mkdir()
    return place


def lay(
    workspace: Workspace,
    value: float | None = None,
    *,
    kind: str = "detector",
    rows: str = "rows",
    figure: str = "mAP@0.5",
    finished: bool = True,
    metrics: dict[str, Any] | None = None,
    **section: Any,
) -> runs.Run:
    """A run whose weights are its name."""
    run = runs.start(workspace, kind, "digest", load(None, **{kind: section}), family="fcos")
    if not finished:
        return run
    weights = run.name.encode()
    (run.folder / WEIGHTS).write_bytes(weights)
    measured = validation.entry(figure, value, rows)
    runs.finish(run, {"weights": image_store.image_id(weights), "epochs": 16, **measured, **(metrics or {})})
    return run


def in_use(workspace: Workspace, kind: str = "detector") -> str:
    return latest_run(workspace, kind).name


def call(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["runs", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


def listed(workspace: Workspace, *words: str) -> list[dict[str, Any]]:
    code, stdout, _ = call(workspace.root, *words, "--json")
    assert code == 0
    rows: list[dict[str, Any]] = json.loads(stdout)["runs"]
    return rows


# Which one is in use


@pytest.mark.parametrize(
    ("old", "new", "takes_over"),
    [
        (0.8, 0.9, True),
        (0.8, 0.8, True),
        (0.8, 0.795, True),  # within the tolerance
        (0.8, 0.794, False),
        (0.8, 0.0, False),
        (0.0, 0.0, True),
    ],
)
def test_a_worse_run_does_not_take_the_place_of_the_one_in_use(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], old: float, new: float, takes_over: bool
) -> None:
    first = lay(workspace, old)
    assert capsys.readouterr().err == ""  # with nothing before it, nothing is to be said
    second = lay(workspace, new)
    (line,) = capsys.readouterr().err.splitlines()
    assert f"mAP@0.5 {old:.4f}" in line
    assert f"mAP@0.5 {new:.4f}" in line
    assert in_use(workspace) == (second if takes_over else first).name
    order = f"fullshot runs {workspace.root} detector --use {second.name}"
    assert (order in line) == (not takes_over)
    if not takes_over:  # and the order does what the line says
        assert call(*order.split()[2:])[0] == 0
        assert in_use(workspace) == second.name


@pytest.mark.parametrize(
    ("different", "why"),
    [
        ({"rows": "others"}, "different rows"),
        ({"figure": "recall@5"}, "judged by recall@5"),
        ({"value": None}, "nothing was there to validate it on"),
    ],
)
def test_what_does_not_compare_takes_over_and_that_is_said(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], different: dict[str, Any], why: str
) -> None:
    first = lay(workspace, 0.9)
    second = lay(workspace, **{"value": 0.1, **different})
    (line,) = capsys.readouterr().err.splitlines()
    assert f"does not compare with run {first.name}" in line
    assert why in line
    assert in_use(workspace) == second.name


def test_a_run_of_a_version_that_named_no_rows_does_not_compare(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    lay(workspace, metrics={"val": {"measured_on": "val", "map50": 0.99}})
    second = lay(workspace, 0.1)
    assert "does not say on which rows" in capsys.readouterr().err
    assert in_use(workspace) == second.name


def test_kinds_have_nothing_to_do_with_each_other(workspace: Workspace) -> None:
    lay(workspace, 0.9)
    embedder = lay(workspace, 0.1, kind="embedder")
    assert in_use(workspace, "embedder") == embedder.name


@pytest.mark.parametrize("lost", ["weights", "folder"])
def test_a_worse_run_is_better_than_one_that_is_gone(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], lost: str
) -> None:
    first = lay(workspace, 0.9)
    if lost == "weights":
        (first.folder / WEIGHTS).unlink()
    else:
        shutil.rmtree(first.folder)
    capsys.readouterr()
    second = lay(workspace, 0.1)
    assert in_use(workspace) == second.name
    assert ("gone or damaged" in capsys.readouterr().err) == (lost == "weights")


def test_a_kill_before_the_choice_leaves_the_one_in_use(workspace: Workspace) -> None:
    first = lay(workspace, 0.9)
    second = lay(workspace, finished=False)
    metrics = {"weights": "", **validation.entry("mAP@0.5", 0.1, "rows")}
    (second.folder / "metrics.json").write_text(json.dumps(metrics))  # and there it was killed
    assert in_use(workspace) == first.name
    assert "stays in use" in runs.settle(second)  # as the same training says when it is asked for again
    assert in_use(workspace) == first.name


def test_validation_rows_are_told_apart_whatever_their_order() -> None:
    rows = pd.DataFrame({"image_id": ["a", "b"], "x_min": [1.0, None]})
    digest = validation.digest_of_rows(boxes=rows)
    assert digest == validation.digest_of_rows(boxes=rows[::-1])
    others = [
        rows.assign(x_min=[1.0, 2.0]),
        rows.assign(image_id=["a", "c"]),
        rows.iloc[:1],
        rows.rename(columns={"x_min": "y_min"}),
        pd.concat([rows, rows.iloc[:1]]),
    ]
    assert len({digest, *(validation.digest_of_rows(boxes=other) for other in others)}) == 6
    assert validation.digest_of_rows(a=rows) != validation.digest_of_rows(b=rows)


# What is told of them


def test_runs_are_listed_with_what_tells_them_apart(workspace: Workspace) -> None:
    counts = {"pictures": {"train": 12}, "boxes": {"train": 40}, "seconds": 61.5}
    first = lay(workspace, 0.8, epochs=8, image_size=320, metrics=counts)
    second = lay(workspace, 0.7, epochs=16, image_size=320)
    stopped = lay(workspace, epochs=24, image_size=320, finished=False)
    learnt_from = {"products": 5, "item_shots": 9, "worn_garments": 3}
    embedder = lay(workspace, 1.0, kind="embedder", figure="recall@5", epochs=4, metrics=learnt_from)
    rows = {row["run"] + row["kind"]: row for row in listed(workspace)}
    assert set(rows) == {run.name + run.kind for run in (first, second, stopped, embedder)}
    row = rows[first.name + "detector"]
    assert (row["state"], row["epochs"]) == ("in use", 16)
    assert row["made_with"] == {"epochs": 8}  # the size is the same in all of them
    assert row["validation"] == {"figure": "mAP@0.5", "value": 0.8, "split": "val"}
    assert row["learnt_from"] == {"pictures": 12, "boxes": 40}
    assert row["seconds"] == 61.5
    assert row["bytes"] == sum(path.stat().st_size for path in first.folder.iterdir())
    assert rows[second.name + "detector"]["state"] == "finished"
    row = rows[stopped.name + "detector"]
    assert (row["state"], row["epochs"], row["epochs_asked"]) == ("unfinished", 0, 24)
    row = rows[embedder.name + "embedder"]
    assert row["made_with"] == {"backbone": "small", "epochs": 4}  # a single one says what it is
    assert row["learnt_from"] == learnt_from
    assert [row["run"] for row in listed(workspace, "detector")] == [stopped.name, second.name, first.name]
    _, table, _ = call(workspace.root)
    for words in ("in use", "finished", "unfinished: epoch 0 of 24", "mAP@0.5 0.8000", "12 pictures, 40 boxes"):
        assert words in table


def test_a_run_of_before_shows_what_it_measured(workspace: Workspace) -> None:
    lay(workspace, metrics={"val": {"measured_on": "train", "map50": 0.75}})
    (row,) = listed(workspace)
    assert row["validation"] == {"figure": "mAP@0.5", "value": 0.75, "split": "train"}


def test_what_is_damaged_is_said_and_the_others_are_listed(workspace: Workspace) -> None:
    good, torn, odd = lay(workspace, 0.5), lay(workspace, 0.6), lay(workspace, finished=False)
    torn.file.write_text("{")
    (odd.folder / "last.ckpt").write_bytes(b"none")
    code, stdout, stderr = call(workspace.root)
    assert code == 0
    assert str(torn.file) in stderr
    assert good.name in stdout
    assert "epoch ? of" in stdout


def test_without_runs_there_is_nothing_to_list(workspace: Workspace) -> None:
    assert listed(workspace) == []
    code, stdout, stderr = call(workspace.root)
    assert (code, stdout) == (0, "")
    assert "fullshot train detector" in stderr


# What people do with them


def test_a_run_is_put_in_use_by_its_name(workspace: Workspace) -> None:
    first, second = lay(workspace, 0.8), lay(workspace, 0.9)
    code, stdout, _ = call(workspace.root, "--use", first.name, "--json")
    assert code == 0
    assert json.loads(stdout) == {"run": first.name, "kind": "detector", "in_use_before": second.name}
    assert in_use(workspace) == first.name
    assert "nothing has changed" in call(workspace.root, "--use", first.name)[2]


def test_a_run_that_is_not_in_use_is_deleted(workspace: Workspace) -> None:
    first, second = lay(workspace, 0.8), lay(workspace, 0.9)
    (first.folder / "big").write_bytes(bytes(2_500_000))
    code, stdout, _ = call(workspace.root, "--delete", first.name, "--json")
    assert code == 0
    assert json.loads(stdout) == {"run": first.name, "kind": "detector", "freed_megabytes": 2.5}
    assert not first.folder.exists()
    assert [row["run"] for row in listed(workspace)] == [second.name]
    assert {path.name for path in (workspace / "models").iterdir()} == {"detector"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--use", "nothing"], "no run 'nothing'"),
        (["--delete", "nothing"], "no run 'nothing'"),
        (["--use", "../detector"], "no run '../detector'"),
        (["embedder", "--use", "{good}"], "of the embedder"),
        (["--use", "{stopped}"], "is not finished"),
        (["--use", "{lost}"], "gone or damaged"),
        (["--delete", "{good}"], "is in use"),
        (["--delete", "{good}", "--use", "{good}"], "one of --use and --delete"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(workspace: Workspace, words: list[str], said: str) -> None:
    lost, good, stopped = lay(workspace, 0.1), lay(workspace, 0.9), lay(workspace, finished=False)
    (lost.folder / WEIGHTS).unlink()
    names = {"good": good.name, "stopped": stopped.name, "lost": lost.name}
    code, stdout, stderr = call(workspace.root, *(word.format(**names) for word in words))
    assert code != 0
    assert stdout == ""
    (line,) = stderr.splitlines()
    assert said in line
    assert in_use(workspace) == good.name
    assert len(listed(workspace)) == 3


def test_one_name_of_two_kinds_needs_the_kind(workspace: Workspace) -> None:
    first, _ = lay(workspace, 0.8), lay(workspace, 0.9)
    both = workspace.models("embedder") / first.name
    shutil.copytree(first.folder, both)
    code, _, stderr = call(workspace.root, "--delete", first.name)
    assert code == 2
    assert "name the kind" in stderr
    assert call(workspace.root, "detector", "--delete", first.name)[0] == 0
    assert both.is_dir()


def test_a_run_that_another_goes_on_from_is_not_deleted(workspace: Workspace) -> None:
    first, _ = lay(workspace, 0.8), lay(workspace, 0.9)
    following = runs.start(workspace, "detector", "digest", load(), continues=first.name)
    code, _, stderr = call(workspace.root, "--delete", first.name)
    assert code == 2
    assert following.name in stderr
    assert first.folder.is_dir()


def test_a_workspace_that_is_at_work_is_left_alone(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = lay(workspace, 0.8), lay(workspace, 0.9)
    monkeypatch.setattr("fullshot.core.workspace.LOCK_WAIT", 0.05)
    with workspace.locked():
        code, _, stderr = call(workspace.root, "--delete", first.name)
    assert code == 2
    assert "another fullshot is at work" in stderr
    assert first.folder.is_dir()
