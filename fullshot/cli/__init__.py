"""The commands. Each parses its flags, calls one function of its stage, and prints its stats.

A stage is imported only when its command runs: ``fullshot --help`` loads neither torch nor Scrapy nor OpenCV.
"""

import os
from typing import Annotated

import typer

from fullshot import __version__
from fullshot.cli import annotate, boxes, crawler, curation, demo, detect, doctor, embed, gc, index, runs, train
from fullshot.core.process import END_WITH_PARENT, collect_seldom, end_with_stdin, ending_at_once

__all__ = ["app", "main"]

app = typer.Typer(
    name="fullshot",
    help="From a fashion shop's pages to a garment detector, an embedder and a look-alike search.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"fullshot {__version__}")
        raise typer.Exit


@app.callback()
def _fullshot(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="print it")] = False,
) -> None:
    pass


# In the order of `fullshot --help`, which lists the groups after the commands that stand alone.
app.command()(demo.demo)
app.command(cls=crawler.CrawlCommand)(crawler.crawl)
app.command(cls=crawler.PagesCommand)(crawler.parse)
app.command()(curation.add)
app.command()(curation.curate)
app.command()(curation.report)
app.command()(detect.detect)
app.command()(embed.embed)
app.command()(index.recommend)
app.command()(index.trace)
app.command()(runs.runs)
app.command()(gc.gc)
app.command(cls=doctor.DoctorCommand)(doctor.doctor)
app.add_typer(annotate.app, name="annotate")
app.add_typer(boxes.app, name="boxes")
app.add_typer(train.train_app, name="train")
app.add_typer(train.evaluate_app, name="evaluate")
app.add_typer(train.export_app, name="export")
app.add_typer(index.app, name="index")


def main() -> None:
    """The command ``fullshot``."""
    collect_seldom()
    if END_WITH_PARENT in os.environ:
        end_with_stdin()
    with ending_at_once():
        app()
