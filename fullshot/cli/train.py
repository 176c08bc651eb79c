"""``fullshot train`` and ``fullshot evaluate``: fit the detector and the embedder, and score them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from fullshot.cli.console import command, print_stats
from fullshot.cli.options import JsonFlag, WorkspaceArgument

train_app = typer.Typer(help="Train the detector or the embedder.", no_args_is_help=True)
export_app = typer.Typer(help="Write a trained model as files for other runtimes.", no_args_is_help=True)
evaluate_app = typer.Typer(help="Score what was trained on products it never saw.", no_args_is_help=True)


class Split(StrEnum):
    """Which products to score on."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


class SplitOrAll(StrEnum):
    """Which pictures to score a detector on."""

    ALL = "all"
    TRAIN = "train"
    VAL = "val"
    TEST = "test"


class Format(StrEnum):
    """What a detector is exported to."""

    ONNX = "onnx"
    OPENVINO = "openvino"
    ALL = "all"


RunOption = Annotated[str | None, typer.Option("--run", help="a training run; the latest if not given")]
ResumeOption = Annotated[str | None, typer.Option("--resume", metavar="RUN", help="go on with this run")]
DeviceOption = Annotated[str | None, typer.Option(help="cpu, cuda, mps, …; the best there is if not given")]
EpochsOption = Annotated[int | None, typer.Option(help="passes over the training pictures")]
SplitOption = Annotated[Split, typer.Option(help="which products to score on")]


@train_app.command("detector")
@command
def train_detector(
    workspace: WorkspaceArgument,
    family: Annotated[str | None, typer.Option(help="fcos, retinanet, faster-rcnn, ssdlite, yolo, …")] = None,
    model: Annotated[str | None, typer.Option(help="a model file or name of yolo's, or a backbone of timm")] = None,
    weights: Annotated[str | None, typer.Option(help="to begin with: a file, starter, imagenet, or none")] = None,
    epochs: EpochsOption = None,
    image_size: Annotated[int | None, typer.Option(help="longer side in pixels")] = None,
    labels: Annotated[str | None, typer.Option(help="what it tells apart, such as 'top bottom long'; all four")] = None,
    batch: Annotated[int | None, typer.Option(help="pictures a step")] = None,
    sampling: Annotated[str | None, typer.Option(help="balanced: rare labels come more often")] = None,
    self_training: Annotated[
        bool | None,
        typer.Option("--self-training/--no-self-training", help="learn from sure boxes on unlabelled full shots, too"),
    ] = None,
    teacher: Annotated[
        str | None, typer.Option(metavar="RUN", help="that finds those boxes; the detector in use if not given")
    ] = None,
    seed: Annotated[int | None, typer.Option()] = None,
    device: DeviceOption = None,
    resume: ResumeOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Train the garment detector on the workspace's boxes."""
    from fullshot.core.workspace import Workspace
    from fullshot.train import detector, is_follower, named_run

    if is_follower():
        detector.follow()
        return
    given = {
        "family": family,
        "model": model,
        "weights": weights,
        "epochs": epochs,
        "image_size": image_size,
        "labels": labels,
        "batch": batch,
        "sampling": sampling,
        "self_training": True if self_training is None and teacher is not None else self_training,
        "teacher": teacher,
        "seed": seed,
        "device": device,
    }
    place = Workspace(workspace)
    settings = place.settings(detector=given)
    place.must_have("images", "boxes", "curated")
    detector.DETECTORS.check(settings.detector.family)
    if resume is not None:
        named_run(place, "detector", resume)
    print_stats(detector.fit(place, settings, resume=resume, epochs=epochs if resume else None), as_json)


@train_app.command("embedder")
@command
def train_embedder(
    workspace: WorkspaceArgument,
    backbone: Annotated[
        str | None, typer.Option(help="small, a network of timm, hf-hub:ORG/NAME, open_clip:ARCH, or of a package")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="to begin with: a file, starter, imagenet, none")] = None,
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
    from fullshot.core.errors import UserError
    from fullshot.core.workspace import Workspace
    from fullshot.train import embedder, named_run, processes

    if processes() > 1:
        raise UserError("an embedder is trained by one process: run it without torchrun")
    given = {
        "backbone": backbone,
        "weights": weights,
        "epochs": epochs,
        "dimension": dimension,
        "margin": margin,
        "alpha": alpha,
        "seed": seed,
        "device": device,
    }
    place = Workspace(workspace)
    settings = place.settings(embedder=given)
    place.must_have("products", "images", "dataset2", "labels", "curated")
    embedder.check_name(settings.embedder.backbone)
    embedder.check_weights(settings.embedder.weights)
    if resume is not None:
        named_run(place, "embedder", resume)
    print_stats(embedder.fit(place, settings, resume=resume), as_json)


def _named(weights: str | None, run: str | None, compare: list[str] | None, more: list[str] | None) -> list[str]:
    """The names that are to be compared; none where one thing alone is to be scored.

    Raises:
        UserError: more than one of the flags is given, or names without ``--compare``.
    """
    from fullshot.core.errors import UserError

    if more and not compare:
        raise UserError(f"expected one workspace, got {more[0]!r} as well: weights to compare stand after --compare")
    given = [flag for flag, value in (("--weights", weights), ("--run", run), ("--compare", compare)) if value]
    if len(given) > 1:
        raise UserError(f"expected one of --weights, --run and --compare, got {' and '.join(given)}")
    return [*(compare or []), *(more or [])]


@evaluate_app.command("detector")
@command
def evaluate_detector(
    workspace: WorkspaceArgument,
    more: Annotated[list[str] | None, typer.Argument(metavar="WEIGHTS…", help="further weights to compare")] = None,
    split: Annotated[SplitOrAll, typer.Option(help="which pictures to score on; all: each split by itself")] = (
        SplitOrAll.TEST
    ),
    weights: Annotated[
        str | None, typer.Option(help="a run, its folder, a file, or starter; the latest run if not given")
    ] = None,
    run: RunOption = None,
    compare: Annotated[
        list[str] | None, typer.Option("--compare", metavar="WEIGHTS WEIGHTS…", help="show these side by side")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Score the detector: mAP@0.5 a garment, and a page of what it finds, misses and doubts."""
    from fullshot.core.workspace import Workspace
    from fullshot.train import detector, latest_run

    place = Workspace(workspace)
    settings = place.settings()
    place.must_be_there()
    names = _named(weights, run, compare, more)
    if run is not None or not (weights or names):
        weights = latest_run(place, "detector", run).name
    for name in names or [str(weights)]:
        detector.find_source(name, place)
    place.must_have("images", "boxes", "curated")
    from fullshot.annotate import address

    how = {"split": str(split), "label_studio": address(place, settings.annotate)}
    if names:
        print_stats(detector.compare(place, settings, names, **how), as_json)
    else:
        print_stats(detector.evaluate(place, settings, weights, **how), as_json)


@evaluate_app.command("embedder")
@command
def evaluate_embedder(
    workspace: WorkspaceArgument,
    more: Annotated[list[str] | None, typer.Argument(metavar="WEIGHTS…", help="further weights to compare")] = None,
    split: SplitOption = Split.TEST,
    weights: Annotated[
        str | None,
        typer.Option(
            help="a run, its folder, a file, starter, imagenet, hf-hub:…, random, hsv or hog; else the one in use"
        ),
    ] = None,
    run: RunOption = None,
    compare: Annotated[
        list[str] | None, typer.Option("--compare", metavar="WEIGHTS WEIGHTS…", help="show these side by side")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Score the embedder: how many of the nearest products are right, and a page of what it finds and confuses."""
    from fullshot.core.workspace import Workspace
    from fullshot.train import embedder, latest_run

    place = Workspace(workspace)
    settings = place.settings()
    place.must_be_there()
    names = _named(weights, run, compare, more)
    if run is not None:
        weights = latest_run(place, "embedder", run).name
    if not (weights or names):
        weights = embedder.embedder_in_use(place, settings).name
    for name in names or [str(weights)]:
        embedder.find_contender(name, place, settings)
    place.must_have("products", "images", "curated")
    if names:
        print_stats(embedder.compare(place, settings, names, split=str(split)), as_json)
    else:
        print_stats(embedder.evaluate(place, settings, weights, split=str(split)), as_json)


@evaluate_app.command("recommend")
@command
def evaluate_recommend(
    workspace: WorkspaceArgument, split: SplitOption = Split.TEST, as_json: JsonFlag = False
) -> None:
    """Score the whole way: instance recall@5, how often the very product worn is among the five."""
    from fullshot import index
    from fullshot.core.workspace import Workspace

    place = Workspace(workspace)
    settings = place.settings()
    place.must_have("products", "images", "curated")
    index.must_be_answerable(place, settings)
    print_stats(index.evaluate_recommend(place, settings, split=str(split)), as_json)


@export_app.command("detector")
@command
def export_detector(
    workspace: Annotated[Path | None, typer.Argument(metavar="[WS]", help="measured on its pictures")] = None,
    weights: Annotated[
        str | None, typer.Option(help="a run, its folder, a file, or starter; what the workspace uses if not given")
    ] = None,
    format: Annotated[Format, typer.Option(help="all: those whose library is there")] = Format.ALL,
    int8: Annotated[bool, typer.Option("--int8", help="also in numbers of 8 bits, where that holds")] = False,
    output: Annotated[Path | None, typer.Option(metavar="FOLDER", help="the run's own if not given")] = None,
    photos: Annotated[
        list[Path] | None, typer.Option(metavar="PHOTO|FOLDER", help="measured on these, in place of a workspace's")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write the detector as ONNX and OpenVINO files, and measure each."""
    from fullshot.core import settings as all_settings
    from fullshot.core.errors import UserError
    from fullshot.core.workspace import Workspace
    from fullshot.train import detector

    place = None if workspace is None else Workspace(workspace)
    if place is not None:
        place.must_be_there()
    settings = all_settings.load() if place is None else place.settings()
    if weights is None and place is not None:
        weights = detector.in_use(place, settings).name
    if weights is None or (place is None and not (photos and output)):
        raise UserError("expected a workspace, or --weights, --photos to measure on, and --output")
    detector.find_source(weights, place)
    if place is not None and not photos:
        place.must_have("images", "boxes", "curated")
    how: dict[str, Any] = {"format": str(format), "int8": int8, "output": output, "photos": photos or ()}
    print_stats(detector.export(place, settings, weights=weights, **how), as_json)
