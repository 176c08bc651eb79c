"""The verbs. Each parses its flags, calls one function of its stage, and prints its stats.

A stage is imported only when its verb runs: ``fullshot --help`` loads neither torch nor Scrapy nor OpenCV.
"""

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fullshot import __version__
from fullshot.console import print_stats, print_whole, verb
from fullshot.errors import StageFailed, UserError
from fullshot.process import END_WITH_PARENT, end_with_stdin

app = typer.Typer(
    name="fullshot",
    help="From a fashion shop's pages to a garment detector, an embedder and a look-alike search.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
boxes_app = typer.Typer(help="Bring boxes in.", no_args_is_help=True)
train_app = typer.Typer(help="Train the detector or the embedder.", no_args_is_help=True)
evaluate_app = typer.Typer(help="Score what was trained on products it never saw.", no_args_is_help=True)
index_app = typer.Typer(help="The searchable catalog.", no_args_is_help=True)
for _name, _group in (("boxes", boxes_app), ("train", train_app), ("evaluate", evaluate_app), ("index", index_app)):
    app.add_typer(_group, name=_name)

STAGES_WITH_CHECKS = ("crawler.doctor", "curation.doctor")


class Split(StrEnum):
    """Which products to score on."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


def _version(wanted: bool) -> None:
    if wanted:
        print(f"fullshot {__version__}")
        raise typer.Exit


@app.callback()
def _fullshot(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="print it")] = False,
) -> None:
    pass


WorkspaceArgument = Annotated[Path, typer.Argument(metavar="WS", help="the workspace: one folder, one data set")]
JsonFlag = Annotated[bool, typer.Option("--json", help="print the stats as one JSON object")]
RunOption = Annotated[str | None, typer.Option("--run", help="a training run; the latest if not given")]
ResumeOption = Annotated[str | None, typer.Option("--resume", metavar="RUN", help="go on with this run")]
DeviceOption = Annotated[str | None, typer.Option(help="cpu, cuda, mps, …; the best there is if not given")]
EpochsOption = Annotated[int | None, typer.Option(help="passes over the training pictures")]
SplitOption = Annotated[Split, typer.Option(help="which products to score on")]


@app.command()
@verb
def demo(
    workspace: Annotated[Path, typer.Argument(metavar="[WS]", help="where to put it")] = Path("datasets/demo"),
    fresh: Annotated[bool, typer.Option("--fresh", help="throw away what an earlier demo left there")] = False,
    seed: Annotated[int, typer.Option(help="another seed, another shop")] = 7,
    collections: Annotated[
        int,
        typer.Option(
            help="size of the shop: six or seven products each", min=3, max=38, envvar="FULLSHOT_DEMO_COLLECTIONS"
        ),
    ] = 38,
    port: Annotated[int, typer.Option(help="port of the shop on this machine; 0: 8765, or a free one")] = 0,
    serve: Annotated[bool, typer.Option("--serve", help="only open the shop again, until Ctrl-C")] = False,
    as_json: JsonFlag = False,
) -> None:
    """The whole way, against the built-in shop: crawl, curate, train, index, recommend. Run again, it goes on."""
    from fullshot.demo.run import keep_open, run

    if serve:
        keep_open(workspace)
        return
    card = run(workspace, seed=seed, collections=collections, port=port, fresh=fresh)
    if as_json:
        print(json.dumps(card.as_json(), ensure_ascii=False))
    else:
        card.print()


@app.command()
@verb
def crawl(
    workspace: WorkspaceArgument,
    urls: Annotated[list[str], typer.Argument(metavar="URL…", help="listings and product pages to start from")],
    shop: Annotated[str, typer.Option(help="whose page object reads the pages")] = "myntra",
    delay: Annotated[float | None, typer.Option(help="seconds between two requests to one host")] = None,
    concurrency: Annotated[int | None, typer.Option(help="requests under way to one host at once")] = None,
    autothrottle: Annotated[bool | None, typer.Option(help="slow down when the host slows down")] = None,
    obey_robots: Annotated[bool | None, typer.Option(help="do as robots.txt says")] = None,
    max_products: Annotated[int | None, typer.Option(help="stop after so many; 0: all")] = None,
    user_agent: Annotated[str | None, typer.Option(help="product token of the User-Agent header")] = None,
    contact: Annotated[str | None, typer.Option(help="an address that the shop can reach you by")] = None,
    image_size: Annotated[int | None, typer.Option(help="height of pictures to ask for; 0: as kept")] = None,
    timeout: Annotated[float | None, typer.Option(help="seconds until a request is given up")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Crawl a shop into products, images and boxes; or go on with a crawl that stopped."""
    import crawler
    from fullshot.workspace import Workspace

    given = {
        "delay": delay,
        "concurrency": concurrency,
        "autothrottle": autothrottle,
        "obey_robots": obey_robots,
        "max_products": max_products,
        "user_agent": user_agent,
        "contact": contact,
        "image_size": image_size,
        "timeout": timeout,
    }
    place = Workspace(workspace)
    print_stats(crawler.crawl(place, place.settings(crawl=given), urls, shop), as_json)


@app.command()
@verb
def parse(
    url: Annotated[str, typer.Argument(metavar="URL", help="the page's address; links are resolved against it")],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="the saved page; standard input if not given")
    ] = None,
    shop: Annotated[str, typer.Option(help="whose page object reads the page")] = "myntra",
) -> None:
    """Print what a saved page yields, as JSON."""
    from crawler.pages import parse as parse_page
    from fullshot import taxonomy

    if file is not None and not file.is_file():
        raise UserError(f"expected a saved page, got no such file: {file}")
    body = file.read_bytes() if file else sys.stdin.buffer.read()
    found = parse_page(shop, url, body, taxonomy.built_in()).as_json()
    print(json.dumps(found, ensure_ascii=False, indent=1))
    if found["kind"] == "none":
        raise StageFailed(f"{file or url}: {found['reason']}")


@app.command()
@verb
def curate(
    workspace: WorkspaceArgument,
    processes: Annotated[int | None, typer.Option(help="worker processes; 0: one a core")] = None,
    pose_model: Annotated[str | None, typer.Option(help="a MediaPipe pose .task file")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Tell full shots from item shots, split by product, export the CSVs."""
    import curation
    from fullshot.workspace import Workspace

    place = Workspace(workspace)
    settings = place.settings(curate={"processes": processes, "pose_model": pose_model})
    print_stats(curation.curate(place, settings), as_json)


@boxes_app.command("import")
@verb
def boxes_import(
    workspace: WorkspaceArgument,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="the file with the boxes")],
    box_format: Annotated[str, typer.Option("--format", help="its format")] = "coco",
    images: Annotated[Path | None, typer.Option(help="folder of its pictures; beside the file if not given")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Bring boxes in; they are matched to the workspace's pictures by content."""
    from annotate.boxes import import_boxes
    from fullshot.workspace import Workspace

    place = Workspace(workspace)
    print_stats(import_boxes(place, place.settings(), path, box_format, images), as_json)


@train_app.command("detector")
@verb
def train_detector(
    workspace: WorkspaceArgument,
    model: Annotated[str | None, typer.Option(help="a model file (.yaml, .pt), or garment-nano")] = None,
    epochs: EpochsOption = None,
    image_size: Annotated[int | None, typer.Option(help="longer side in pixels")] = None,
    batch: Annotated[int | None, typer.Option(help="pictures a step")] = None,
    seed: Annotated[int | None, typer.Option()] = None,
    device: DeviceOption = None,
    resume: ResumeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Train the garment detector on the workspace's boxes."""
    from fullshot.workspace import Workspace
    from train import detector

    given = {
        "model": model,
        "epochs": epochs,
        "image_size": image_size,
        "batch": batch,
        "seed": seed,
        "device": device,
    }
    place = Workspace(workspace)
    print_stats(detector.fit(place, place.settings(detector=given), resume=resume), as_json)


@train_app.command("embedder")
@verb
def train_embedder(
    workspace: WorkspaceArgument,
    epochs: EpochsOption = None,
    dimension: Annotated[int | None, typer.Option(help="length of an embedding")] = None,
    margin: Annotated[float | None, typer.Option(help="margin of the triplet loss")] = None,
    alpha: Annotated[float | None, typer.Option(help="weight of the embedding loss")] = None,
    seed: Annotated[int | None, typer.Option()] = None,
    device: DeviceOption = None,
    resume: ResumeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Train the embedder: a Siamese network with weighted triplet loss."""
    from fullshot.workspace import Workspace
    from train import embedder

    given = {
        "epochs": epochs,
        "dimension": dimension,
        "margin": margin,
        "alpha": alpha,
        "seed": seed,
        "device": device,
    }
    place = Workspace(workspace)
    print_stats(embedder.fit(place, place.settings(embedder=given), resume=resume), as_json)


@evaluate_app.command("detector")
@verb
def evaluate_detector(
    workspace: WorkspaceArgument, split: SplitOption = Split.TEST, run: RunOption = None, as_json: JsonFlag = False
) -> None:
    """Score the detector: mAP@0.5 a garment."""
    from fullshot.workspace import Workspace
    from train import detector

    place = Workspace(workspace)
    print_stats(detector.evaluate(place, place.settings(), run=run, split=str(split)), as_json)


@evaluate_app.command("embedder")
@verb
def evaluate_embedder(
    workspace: WorkspaceArgument, split: SplitOption = Split.TEST, run: RunOption = None, as_json: JsonFlag = False
) -> None:
    """Score the embedder: recall@1 and recall@5 a garment."""
    from fullshot.workspace import Workspace
    from train import embedder

    place = Workspace(workspace)
    print_stats(embedder.evaluate(place, place.settings(), run=run, split=str(split)), as_json)


@evaluate_app.command("recommend")
@verb
def evaluate_recommend(
    workspace: WorkspaceArgument, split: SplitOption = Split.TEST, as_json: JsonFlag = False
) -> None:
    """Score the whole way: is the very product worn among the five?"""
    from fullshot.workspace import Workspace
    from index import evaluate

    place = Workspace(workspace)
    print_stats(evaluate.evaluate_recommend(place, place.settings(), split=str(split)), as_json)


@index_app.command("build")
@verb
def index_build(workspace: WorkspaceArgument, as_json: JsonFlag = False) -> None:
    """Embed the item shots of every product into the catalog."""
    from fullshot.workspace import Workspace
    from index import catalog

    place = Workspace(workspace)
    print_stats(catalog.build(place, place.settings()), as_json)


@app.command()
@verb
def recommend(
    workspace: WorkspaceArgument,
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="a photo of a dressed person")],
    output: Annotated[Path, typer.Option(help="where the picture of the answer goes")] = Path("recommendation.png"),
    neighbours: Annotated[int | None, typer.Option(help="look-alikes a garment")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Answer a photo with five look-alikes a garment, with links; also as a picture."""
    from fullshot.workspace import Workspace
    from index import recommend as recommender

    place = Workspace(workspace)
    answer = recommender.recommend(place, photo, place.settings(recommend={"neighbours": neighbours}), output)
    if as_json:
        print(json.dumps(answer.as_json(), ensure_ascii=False))
    else:
        print_whole(answer.table())
        print(f"picture: {output}")


@app.command()
@verb
def trace(
    workspace: WorkspaceArgument,
    image_id: Annotated[str, typer.Argument(metavar="IMAGE_ID", help="a picture, or the first digits of its id")],
    as_json: JsonFlag = False,
) -> None:
    """Where a picture, its boxes and its vector come from."""
    from fullshot.workspace import Workspace
    from index import trace as tracer

    print_stats(tracer.trace(Workspace(workspace), image_id), as_json)


@app.command()
@verb
def doctor(
    mend: Annotated[bool, typer.Option("--mend", help="bring about what is missing")] = False,
    as_json: JsonFlag = False,
) -> None:
    """What this machine has and lacks, and how to mend it."""
    from fullshot import checks, settings

    code = checks.run(STAGES_WITH_CHECKS, settings.load(), mend=mend, as_json=as_json)
    if code:
        raise typer.Exit(code)


def main() -> None:
    """The command ``fullshot``."""
    if END_WITH_PARENT in os.environ:
        end_with_stdin()
    app()
