"""What MLflow is told of a training: its settings, its figures by epoch, and what it measured in the end."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fullshot.core.errors import UserError
from fullshot.core.settings import load
from fullshot.core.workspace import Workspace
from fullshot.train import detector, tracking


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Files in the place of a server: MLflow's own, whose client is the same for both."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return (tmp_path / "mlruns").as_uri()


def runs_of(store: str) -> list[Any]:
    client = tracking._client(store)
    experiment = client.get_experiment_by_name(tracking.EXPERIMENT)
    return list(client.search_runs([experiment.experiment_id]))


def test_a_training_is_told_of_epoch_by_epoch(store: str, make_workspace: Callable[..., Workspace]) -> None:
    workspace = make_workspace(train=4, val=2)
    flags = {"family": "yolo", "epochs": 2, "image_size": 64, "batch": 4, "device": "cpu", "plots": False}
    settings = load(detector={**flags, "mlflow": store})
    stats = detector.fit(workspace, settings)
    (run,) = runs_of(store)
    assert (run.info.run_name, run.info.status) == (stats["run"], "FINISHED")
    assert run.data.params["epochs"] == "2"
    assert run.data.params["model.name"] == "garment-nano"
    client = tracking._client(store)
    assert [metric.step for metric in client.get_metric_history(run.info.run_id, "map50")] == [1, 2]
    assert {"map50_95", "box_loss", "val/box_loss"} <= set(run.data.metrics)
    assert {file.path for file in client.list_artifacts(run.info.run_id)} == {"metrics.json", "run.json"}
    # Who is told changes nothing of what comes out.
    assert not detector.fit(workspace, load(detector=flags))["trained"]


def stopped(store: str, folder: Path) -> None:
    with tracking.told(store, folder, {"epochs": 2}):
        tracking.log(folder, {"epoch": 1, "map50": 0.25})
        raise KeyboardInterrupt


def test_a_run_that_was_stopped_goes_on_under_its_number(store: str, tmp_path: Path) -> None:
    folder = tmp_path / "20261127T120000Z"
    folder.mkdir()
    with pytest.raises(KeyboardInterrupt):
        stopped(store, folder)
    (run,) = runs_of(store)
    assert run.info.status == "KILLED"
    with tracking.told(store, folder, {"epochs": 2}):
        tracking.log(folder, {"epoch": 2, "map50": 0.5})
    for name in ("metrics.json", "run.json"):
        (folder / name).write_text("{}")
    tracking.finish(folder)
    (run,) = runs_of(store)
    assert (run.info.status, run.data.metrics["map50"]) == ("FINISHED", 0.5)


def test_a_server_that_goes_away_ends_no_training(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tracking.told(store, tmp_path, {}):
        number = (tmp_path / tracking.FILE).read_text()
        (tmp_path / tracking.FILE).write_text(number.replace(store, "http://127.0.0.1:9"))
        tracking.log(tmp_path, {"epoch": 1, "map50": 0.25})
    assert "MLflow was not told of this run: " in capsys.readouterr().err


def test_nobody_is_told_unless_the_settings_say_so(tmp_path: Path) -> None:
    with tracking.told("", tmp_path, {}):
        tracking.log(tmp_path, {"epoch": 1, "map50": 0.25})
    tracking.finish(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "gopher://nowhere"])
def test_a_server_that_is_none_is_said_in_one_line(address: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"setting detector\.mlflow: '{address}' takes no runs: ") as caught:
        tracking.told(address, tmp_path, {}).__enter__()
    assert "\n" not in str(caught.value)


def test_where_mlflow_is_not_installed_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    with pytest.raises(UserError, match=r"needs the package mlflow-skinny: pip install 'fullshot\[mlflow\]'"):
        tracking.told("http://127.0.0.1:9", tmp_path, {}).__enter__()
