"""What the cloud runs: valohai.yaml's steps, one after another as Valohai runs them, and what goes into the image."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from valohai_yaml import parse
from valohai_yaml.lint import lint_file
from valohai_yaml.objs import Step

from tests import deepfashion

ROOT = Path(__file__).parents[1]
FILE = ROOT / "valohai.yaml"
ORDER = ["prepare", "train", "resume", "evaluate"]
EPOCHS = 5
SMALL = {"epochs": EPOCHS, "image-size": 64, "batch": 4}


def steps() -> dict[str, Step]:
    with FILE.open() as file:
        return dict(parse(file).steps)


def test_valohais_own_validator_has_nothing_to_say() -> None:
    found = lint_file(str(FILE))
    assert list(found.messages) == []
    assert list(steps()) == ORDER


class Execution:
    """A run of a step in folders as Valohai's workers lay them out.

    Args:
        folder: of its own; holds ``inputs/<name>/``, ``outputs/`` and ``repository/``, where the commands begin.
        step: whose commands are run.
        values: of its parameters, where they are not the file's.
        inputs: what comes as each input: a file, or a folder that is kept with its path.
    """

    def __init__(self, folder: Path, step: Step, values: dict[str, Any], **inputs: Path) -> None:
        self.outputs = folder / "outputs"
        for name in ("inputs", "outputs", "repository"):
            (folder / name).mkdir(parents=True)
        assert set(inputs) == set(step.inputs)
        for name, path in inputs.items():
            keeps = step.inputs[name].keep_directories.value
            place = folder / "inputs" / name / ("data/0192-ab/outputs" if keeps == "full" else "")
            place.mkdir(parents=True)
            if path.is_dir():
                shutil.copytree(path, place / path.name)
            else:
                shutil.copy(path, place)
        places = {f"VH_{name.upper()}_DIR": str(folder / name) for name in ("inputs", "outputs", "repository")}
        search = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        script = "\n".join(["set -e", *step.build_command(values)])
        assert not re.search(r"\{[a-z]", script)  # each parameter has its value
        self.process = subprocess.Popen(
            ["sh", "-c", script],
            cwd=folder / "repository",
            env={**os.environ, **places, "PATH": search, "FULLSHOT_DETECTOR_DEVICE": "cpu"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that all of it can be killed at once
        )

    def done(self) -> str:
        """What it printed."""
        printed, said = self.process.communicate()
        assert self.process.returncode == 0, said
        return printed

    def kill_after(self, pattern: str) -> None:
        """Kill it, without a warning, when there is such a file among its outputs."""
        while not list(self.outputs.glob(pattern)):
            assert self.process.poll() is None, self.process.communicate()[1]
            time.sleep(0.01)
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


@pytest.mark.parametrize(
    ("family", "checkpoint"), [("ssdlite", "detector/*/last.ckpt"), ("yolo", "detector/*/checkpoint/state.json")]
)
def test_the_steps_lead_from_an_archive_to_figures_though_the_training_is_killed(
    tmp_path: Path, family: str, checkpoint: str
) -> None:
    published = deepfashion.write(tmp_path / "published", train=2, val=1, test=1)
    archive = Path(shutil.make_archive(str(tmp_path / "deepfashion"), "zip", published))
    of = steps()
    prepared = Execution(tmp_path / "prepare", of["prepare"], {}, dataset=archive)
    assert "splits                     train 6, val 3, test 3" in prepared.done()
    workspace = prepared.outputs / "workspace.tar"

    killed = Execution(tmp_path / "train", of["train"], SMALL | {"family": family}, workspace=workspace)
    killed.kill_after(checkpoint)
    assert not list(killed.outputs.glob("detector/*/metrics.json"))

    resumed = Execution(tmp_path / "resume", of["resume"], {}, workspace=workspace, run=killed.outputs / "detector")
    stats = json.loads(resumed.done())
    assert stats == json.loads((resumed.outputs / "training.json").read_text())
    assert 1 <= stats["resumed_at"] < EPOCHS
    assert (stats["epochs"], stats["boxes"]) == (EPOCHS, {"train": 6, "val": 3, "test": 3})
    assert [path.parent.name for path in resumed.outputs.glob("detector/*/metrics.json")] == [stats["run"]]

    values = {"split": "test"}
    measured = Execution(
        tmp_path / "evaluate", of["evaluate"], values, workspace=workspace, run=resumed.outputs / "detector"
    )
    figures = json.loads(measured.done())
    assert figures == json.loads((measured.outputs / "evaluation.json").read_text())
    assert (figures["run"], figures["split"]) == (stats["run"], "test")
    assert stats["run"] in (measured.outputs / "evaluation.html").read_text()
    assert stats["run"] in (measured.outputs / "model-card.md").read_text()
    assert set(figures["classes"]) == {"top", "bottom", "long"}


def test_a_step_that_fails_is_a_failed_execution(tmp_path: Path) -> None:
    (tmp_path / "no-archive.txt").write_text("no archive")
    failed = Execution(tmp_path / "prepare", steps()["prepare"], {}, dataset=tmp_path / "no-archive.txt")
    failed.process.communicate()
    assert failed.process.returncode != 0
    assert list(failed.outputs.iterdir()) == []


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's: a word and the rest of each, comments left out."""
    text = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", (ROOT / "Dockerfile").read_text()))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def test_the_image_is_for_a_cpu_by_default_and_does_not_run_as_root() -> None:
    found = instructions()
    assert ("ARG", "DEVICE=cpu") in found
    users = [rest for word, rest in found if word == "USER"]
    assert users
    assert users[-1] not in {"root", "0"}
    last_run = max(place for place, (word, _) in enumerate(found) if word == "RUN")
    assert [word for word, _ in found[last_run:]] == ["RUN", "USER", "WORKDIR", "CMD"]
    assert not any(word in {"ADD", "ENTRYPOINT"} for word, _ in found)


def test_docker_gets_what_the_image_is_made_of_and_nothing_else() -> None:
    copied = [name for word, rest in instructions() if word == "COPY" for name in rest.split()[:-1]]
    assert all((ROOT / name).exists() for name in copied)
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    assert sorted(line[1:] for line in lines if line.startswith("!")) == sorted(copied)
    stages = {path.name for path in (ROOT / "fullshot").iterdir() if path.is_symlink()}
    assert stages <= set(copied)  # the package's links lead to them


def test_the_lock_without_its_hashes_is_a_file_of_constraints(tmp_path: Path) -> None:
    (command,) = [
        rest for word, rest in instructions() if word == "RUN" and "constraints.txt" in rest and "sed" in rest
    ]
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    subprocess.run(["sh", "-c", command.split("&&")[0]], cwd=tmp_path, check=True)
    pins = [Requirement(line) for line in (tmp_path / "constraints.txt").read_text().splitlines()]
    assert {"torch", "torchvision", "timm"} <= {pin.name for pin in pins}
    assert all(len(pin.specifier) == 1 for pin in pins)


@pytest.mark.parametrize("name", ["valohai.yaml", "Dockerfile", ".dockerignore"])
def test_nothing_of_a_machine_stands_in_the_files(name: str) -> None:
    text = (ROOT / name).read_text()
    assert re.findall(r"https?://[^\s/\"]+", text) in ([], ["https://download.pytorch.org"])
    assert not re.search(r"localhost|127\.0\.0\.1", text)
    assert not [place for place in (ROOT, Path(sys.prefix)) if f"{place}/" in text]  # of whoever wrote it
