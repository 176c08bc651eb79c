"""An annotator's way in real Chromium: log in, see the boxes that are there, correct one, submit; then pull."""

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from fullshot.annotate.label_studio.client import Client
from fullshot.annotate.label_studio.pull import pull
from fullshot.annotate.label_studio.push import push
from fullshot.annotate.label_studio.server import Server
from fullshot.core.settings import load
from fullshot.core.workspace import Workspace
from fullshot.crawler import provide_chromium

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots are kept: pytest keeps the folders of its last three runs."""
    return tmp_path_factory.mktemp("screenshots")


def test_an_annotator_s_way(studio: Server, client: Client, served_workspace: Workspace, artifacts: Path) -> None:
    settings = load(annotate={"project": "in a browser"})
    project = push(served_workspace, settings, client)["project"]
    task = next(client.tasks(project))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(provide_chromium()), args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(f"{studio.url}/user/login/")
        page.fill("input[name=email]", studio.credentials.user)
        page.fill("input[name=password]", studio.credentials.password)
        page.click("button[type=submit]")
        page.wait_for_url(lambda url: "/login" not in url)
        page.goto(f"{studio.url}/projects/{project}/data?task={task['id']}")
        page.get_by_text("bottom", exact=True).first.wait_for(timeout=60_000)
        # What was drawn before is listed, as one region.
        page.locator(".lsf-outliner-item__title").first.wait_for(timeout=60_000)
        page.screenshot(path=artifacts / "task.png")
        assert (artifacts / "task.png").stat().st_size > 10_000
        with page.expect_response(
            lambda answer: "/annotations" in answer.url and answer.request.method == "POST", timeout=60_000
        ) as saved:
            page.get_by_role("button", name="Submit").click()
        assert saved.value.status == 201
        browser.close()
    stats = pull(served_workspace, settings, client)
    assert (stats["annotated"], stats["boxes"]) == (1, 1)
    begun = served_workspace.read("annotations").iloc[0]
    assert (begun["model"], begun["added"], begun["deleted"]) == ("shop", 0, 0)
    boxes = served_workspace.read("boxes")
    mine = boxes[boxes["image_id"] == task["data"]["image_id"]].set_index("source")
    corners = ["x_min", "y_min", "x_max", "y_max"]
    assert list(mine.loc["human", corners].astype(float)) == pytest.approx(
        list(mine.loc["shop", corners].astype(float)), abs=0.5
    )
