"""MLflow, where the settings name a server: a run's settings, its figures by epoch, and what it measured in the end."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fullshot.core.errors import UserError
from fullshot.core.files import read_json, write_text
from fullshot.core.progress import say

FILE = "mlflow.json"
"""In the folder of a run: the server that is told of it, and the number that it has there."""

EXPERIMENT = "fullshot"

_SETTING = "detector.mlflow"

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # A server that is gone is noticed within seconds; by default it is asked again for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
"""Unless the environment says otherwise."""


@contextlib.contextmanager
def told(address: str, folder: Path, parameters: Mapping[str, object]) -> Iterator[None]:
    """Tell a server of a run while it trains; one that was stopped and goes on keeps its number there.

    Args:
        address: of the server, as MLflow takes it; empty: nobody is told.
        folder: of the run.
        parameters: what it is made with.

    Raises:
        UserError: MLflow is not installed, or there is no such server.
    """
    if not address:
        (folder / FILE).unlink(missing_ok=True)
        yield
        return
    try:
        client = _client(address)
        known = read_json(folder / FILE)
        if known.get("address") == address:
            number = str(known["number"])
            client.update_run(number, status="RUNNING")
        else:
            number = _begun(client, folder.name, parameters)
            write_text(folder / FILE, json.dumps({"address": address, "number": number}) + "\n")
    except UserError:
        raise
    except Exception as error:  # MLflow raises what its stores and their libraries do
        raise UserError(f"setting {_SETTING}: {address!r} takes no runs: {_words(error)}") from None
    try:
        yield
    except BaseException as error:
        status = "FAILED" if isinstance(error, Exception) else "KILLED"
        _try(folder, lambda client, number: client.set_terminated(number, status))
        raise


def log(folder: Path, row: Mapping[str, float]) -> None:
    """Tell the figures of an epoch, where somebody is told of the run; a training does not end because nobody listens.

    Args:
        folder: of the run.
        row: its ``epoch``, and figures by name.
    """
    epoch = int(row["epoch"])

    def send(client: Any, number: str) -> None:
        from mlflow.entities import Metric

        metrics = [Metric(name, float(value), 0, epoch) for name, value in row.items() if name != "epoch"]
        client.log_batch(number, metrics=metrics)

    _try(folder, send)


def finish(folder: Path) -> None:
    """Hand over what a run measured in the end, where somebody is told of it: ``metrics.json`` and ``run.json``.

    Args:
        folder: of the run; it is finished.
    """

    def send(client: Any, number: str) -> None:
        for name in ("metrics.json", "run.json"):
            client.log_artifact(number, str(folder / name))
        client.set_terminated(number, "FINISHED")

    _try(folder, send)


def _begun(client: Any, name: str, parameters: Mapping[str, object]) -> str:
    """A new run of the server's; returns its number."""
    from mlflow.entities import Param

    experiment = client.get_experiment_by_name(EXPERIMENT)
    number = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT)
    run = str(client.create_run(number, run_name=name).info.run_id)
    client.log_batch(run, params=[Param(key, str(value)) for key, value in parameters.items()])
    return run


def _try(folder: Path, send: Any) -> None:
    known = read_json(folder / FILE)
    if not known:
        return
    try:
        send(_client(str(known["address"])), str(known["number"]))
    except Exception as error:  # see above
        say(f"fullshot: MLflow was not told of this run: {_words(error)}")


def _client(address: str) -> Any:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow.tracking import MlflowClient
    except ModuleNotFoundError:
        raise UserError(f"setting {_SETTING} needs the package mlflow-skinny: pip install 'fullshot[mlflow]'") from None
    return MlflowClient(tracking_uri=address)


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
