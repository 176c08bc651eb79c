"""The whole way: killed again and again it ends in the same tables, and in full it reaches its score card."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pandas as pd
import pytest

from fullshot.core.errors import StageFailed, UserError
from fullshot.core.workspace import Workspace
from fullshot.demo import run_demo
from fullshot.demo.shop import server, studio

SMALL = {
    "FULLSHOT_CURATE_VALIDATION_SHARE": "0.4",
    "FULLSHOT_DETECTOR_EPOCHS": "3",
    "FULLSHOT_DETECTOR_IMAGE_SIZE": "96",
    "FULLSHOT_EMBEDDER_EPOCHS": "3",
}
TABLES = ("products", "images", "boxes", "curated", "dataset1", "dataset2", "labels", "men_top", "women_foot")


def start(root: Path, *flags: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "fullshot", "demo", str(root), "--collections", "4", "--json", *flags]
    return subprocess.Popen(command, env={**os.environ, **SMALL}, stdout=subprocess.PIPE, text=True)


def finish(root: Path) -> dict[str, object]:
    with start(root) as process:
        output, _ = process.communicate()
    assert process.returncode == 0
    card: dict[str, object] = json.loads(output)
    return card


def stop_when(root: Path, reached: Callable[[], bool], how: signal.Signals) -> None:
    """Start the demo and stop it as soon as it has reached a point."""
    with start(root) as process:
        while not reached():
            assert process.poll() is None, "the demo ended before it was stopped"
        process.send_signal(how)
        process.communicate()
    assert process.returncode != 0


def tables(root: Path) -> dict[str, pd.DataFrame]:
    """The tables without the times in them."""
    return {name: Workspace(root).read(name).filter(regex="^(?!.*_(at|seen)$)") for name in TABLES}


def test_a_shop_of_another_size_leaves_everything_as_it_is(tmp_path: Path) -> None:
    root, record = tmp_path / "demo", tmp_path / "demo-shop" / "shop.json"
    with pytest.raises(UserError, match="between 1 and 38, but got 50"):
        run_demo(root, collections=50)
    assert not list(tmp_path.iterdir())
    record.parent.mkdir()
    record.write_text("{}")
    with pytest.raises(UserError, match="between 1 and 38, but got 50"):
        run_demo(root, collections=50, fresh=True)
    assert record.is_file()


def test_a_command_is_not_taken_from_the_folder_that_the_user_works_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fullshot.py").write_text("raise SystemExit(9)")
    (tmp_path / "typer.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    # The flag ends the command as soon as it has begun: by its own code for a wrong call.
    with pytest.raises(StageFailed, match="`fullshot crawl` ended with code 2"):
        run_demo(tmp_path / "demo", collections=1, flags={"crawl": ["--no-such-flag"]})


def test_the_port_of_the_links_is_held_while_the_shop_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports: list[int] = []

    def draw(*_: object, **__: object) -> NoReturn:
        ports.append(json.loads((tmp_path / f"{len(ports)}-shop" / "shop.json").read_text())["port"])
        with pytest.raises(UserError, match=f"port {ports[-1]} of 127.0.0.1"):
            server.listen(ports[-1])
        if len(ports) == 1:
            run_demo(tmp_path / "1", collections=1)
        raise KeyboardInterrupt

    monkeypatch.setattr(studio, "draw_all", draw)
    with pytest.raises(KeyboardInterrupt):
        run_demo(tmp_path / "0", collections=1)
    assert len(set(ports)) == 2


@pytest.mark.slow
def test_a_demo_stopped_anywhere_goes_on_and_ends_in_the_same_tables(tmp_path: Path) -> None:
    root = tmp_path / "stopped"
    shop = tmp_path / "stopped-shop" / "pictures"
    # One after another: each is reached by the run that goes on from the stop before it.
    points: list[tuple[Callable[[], bool], signal.Signals]] = [
        (lambda: len(list(shop.glob("*.jpg"))) > 20, signal.SIGKILL),
        (lambda: (root / "crawl.db").is_file(), signal.SIGKILL),
        (lambda: any((root / "features").rglob("*.parquet")), signal.SIGINT),
        (lambda: any((root / "models" / "detector").glob("*/*.ckpt")), signal.SIGKILL),
        (lambda: any((root / "models" / "embedder").glob("*/*.ckpt")), signal.SIGKILL),
        (lambda: (root / "catalog" / "index.json").is_file(), signal.SIGKILL),
    ]
    for reached, how in points:
        stop_when(root, reached, how)
    card = finish(root)
    port = json.loads((tmp_path / "stopped-shop" / "shop.json").read_text())["port"]
    whole = tmp_path / "whole"
    with start(whole, "--port", str(port)) as process:
        output, _ = process.communicate()
    other = json.loads(output)
    for name, table in tables(whole).items():
        pd.testing.assert_frame_equal(tables(root)[name], table)
    for figure in ("products found", "pictures found", "full shots told from item shots"):
        assert card["figures"][figure] == other["figures"][figure]  # type: ignore[index]
    assert len(list((root / "models" / "detector").glob("*/metrics.json"))) == 1


@pytest.mark.slow
def test_the_demo_reaches_its_score_card(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fullshot", "demo", str(tmp_path / "demo"), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    card = json.loads(done.stdout)
    assert card["good"], card
    assert card["peak_memory_bytes"] <= 4 * 2**30
    assert Path(card["recommendation"]).is_file()
