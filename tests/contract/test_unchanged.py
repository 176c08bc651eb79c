"""A command that finds nothing to do says so, in one line, and leaves all as it is."""

from pathlib import Path

import pytest

from tests.contract.commands import Contract, Run, run
from tests.contract.studio import label_studio
from tests.contract.test_reads import copied

SECOND_RUNS = ("train detector", "train embedder", "index build", "report", "annotate queue")


def said(done: Run) -> list[str]:
    """The lines of a command that say that nothing has changed."""
    assert done.code == 0, done.words
    return [line for line in done.words.splitlines() if "nothing has changed" in line]


@pytest.mark.parametrize("command", SECOND_RUNS)
def test_a_second_run_says_that_nothing_has_changed(contract: Contract, command: str) -> None:
    contract[command]
    [line] = said(run(*command.split(), contract.workspace.root))
    assert line.startswith(f"{command}: nothing has changed since ")


def test_a_second_curation_says_so_until_somebody_says_something_else(contract: Contract, tmp_path: Path) -> None:
    workspace = copied(contract, tmp_path / "ws")
    run("curate", workspace.root)
    before = workspace.table("curated").read_bytes()
    assert said(run("curate", workspace.root)) == [
        "curate: nothing has changed since it ran last: the tables stay as they are"
    ]
    assert workspace.table("curated").read_bytes() == before
    (workspace / "verdicts.csv").write_text(f"image_id,keep\n{contract.shop.shots[0].image_id},false\n", "utf-8")
    assert said(run("curate", workspace.root)) == []
    (workspace.exports / "dataset1.csv").unlink()
    assert said(run("curate", workspace.root)) == []  # it was made again
    assert len(said(run("curate", workspace.root))) == 1


def test_boxes_that_are_there_already_are_said_to_be(contract: Contract, tmp_path: Path) -> None:
    contract["boxes export --format coco"]
    words = ("boxes", "import", copied(contract, tmp_path / "ws").root, contract.exported("boxes export --format coco"))
    for _ in range(2):  # also the first time: they came from this workspace
        assert said(run(*words)) == ["boxes import: nothing has changed: all of these boxes are there already"]


def test_a_push_and_a_pull_without_anything_new_say_so(contract: Contract, tmp_path: Path) -> None:
    workspace = copied(contract, tmp_path / "ws")
    with label_studio() as studio:
        remote = ("--url", studio.url, "--token", "t")
        assert said(run("annotate", "push", workspace.root, *remote)) == []
        for verb in ("push", "pull"):
            [line] = said(run("annotate", verb, workspace.root, *remote))
            assert line.startswith(f"annotate {verb}: ")
