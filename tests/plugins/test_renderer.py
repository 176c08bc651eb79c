"""A renderer of another package draws a crawl's pages."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fullshot.core.workspace import Workspace
from tests.crawler.conftest import PRODUCTS, FaultyShop, shop

__all__ = ["shop"]

PLAIN_RENDERER = '''
import asyncio
import urllib.request

from fullshot.crawler.rendering import RenderedPage


class PlainRenderer:
    """Draws nothing: the page as the server writes it."""

    def __init__(self, crawler):
        pass

    async def render(self, to_render):
        with await asyncio.to_thread(urllib.request.urlopen, to_render.url) as answer:
            return RenderedPage(answer.url, answer.status, answer.read().decode())

    async def close(self):
        pass
'''


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a process that finds a package with the renderer ``plain``, and one that does not load."""
    folder = tmp_path / "installed" / "plain_renderer-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder.parent / "plain_renderer.py").write_text(PLAIN_RENDERER)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: plain-renderer\nVersion: 1.0\n")
    entries = "[fullshot.renderers]\nplain = plain_renderer:PlainRenderer\nbroken = no_such_module:Renderer\n"
    (folder / "entry_points.txt").write_text(entries)
    path = os.pathsep.join([str(folder.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path}


def crawl(
    root: Path, shop: FaultyShop, environment: dict[str, str], renderer: str
) -> "subprocess.CompletedProcess[str]":
    words = ["crawl", str(root), "--shop", "myntra", "--delay", "0", "--no-autothrottle", "--json"]
    command = [sys.executable, "-m", "fullshot", *words, "--renderer", renderer, shop.listing]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_it_is_chosen_by_its_name(tmp_path: Path, shop: FaultyShop, environment: dict[str, str]) -> None:
    done = crawl(tmp_path / "ws", shop, environment, "plain")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["products"] == PRODUCTS
    (row,) = Workspace(tmp_path / "ws").read("ledger").to_dict("records")
    assert row["renderer"] == "plain"


def test_one_that_does_not_load_or_is_not_there_is_a_mistake_in_one_line(
    tmp_path: Path, shop: FaultyShop, environment: dict[str, str]
) -> None:
    messages = {
        "broken": "the renderer 'broken' of plain-renderer 1.0 does not load (no_such_module:Renderer)",
        "lynx": "expected the renderer to be one of auto, http, playwright, selenium, broken, plain, got 'lynx'",
    }
    for name, message in messages.items():
        done = crawl(tmp_path / "ws", shop, environment, name)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert message in done.stderr
    assert not (tmp_path / "ws").exists()
