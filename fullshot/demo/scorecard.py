"""What the demo reached, against the shop's own truth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from fullshot.core.image_store import image_id
from fullshot.core.workspace import Workspace
from fullshot.demo.shop.studio import Studio

EXPECTED = {"full_shots": 0.98, "detector": 0.90, "recommend": 0.80}
"""The least accuracy of full shots, mAP@0.5, and instance recall@5: how often the very product worn is among the five."""

GARMENTS = ("top", "bottom", "foot")


@dataclass(frozen=True)
class Line:
    """One figure: what it is, what came out, what is expected, and whether that is good enough."""

    name: str
    value: str
    expected: str
    good: bool
    number: float


@dataclass
class ScoreCard:
    """The lines, how long each stage took (seconds), the largest process (bytes), and where the answer's picture is.

    ``boxes`` says how many of the boxes that were looked up came from the detector (``model``) and from the pose.
    """

    lines: list[Line] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    peak_memory: int = 0
    boxes: dict[str, int] = field(default_factory=dict)
    workspace: Path = Path()
    photo: Path = Path()
    recommendation: Path = Path()
    report: Path = Path()

    @property
    def good(self) -> bool:
        """Whether every figure is as expected."""
        return all(line.good for line in self.lines)

    def share(self, name: str, value: float, least: float) -> None:
        """Add a figure that is a share."""
        self.lines.append(Line(name, f"{value:.1%}", f"at least {least:.0%}", value >= least, value))

    def count(self, name: str, found: int, total: int, repeated: int) -> None:
        """Add a count of what was found, out of how many, and how many of them twice."""
        good = found == total and not repeated
        twice = f", {repeated} twice" if repeated else ""
        self.lines.append(Line(name, f"{found} of {total}{twice}", "all, none twice", good, found))

    def as_json(self) -> dict[str, Any]:
        """The card as one JSON object."""
        return {
            "good": self.good,
            "figures": {line.name: line.number for line in self.lines},
            "seconds": {name: round(value, 1) for name, value in self.seconds.items()},
            "seconds_in_all": round(sum(self.seconds.values()), 1),
            "peak_memory_bytes": self.peak_memory,
            "recommendation": str(self.recommendation),
            "report": str(self.report),
        }

    def print(self) -> None:
        """The card, and the commands to go on with."""
        console = Console()
        table = Table(
            title="Score card, on products and outfit images that nothing was trained on", title_justify="left"
        )
        for column in ("figure", "reached", "expected", ""):
            table.add_column(column, no_wrap=True)
        for line in self.lines:
            table.add_row(line.name, line.value, line.expected, "[green]good" if line.good else "[red]below")
        console.print(table)
        drawn = ", ".join(f"{count} by the {source}" for source, count in self.boxes.items())
        console.print(f"boxes that were looked up: {drawn}")
        times = ", ".join(f"{name} {value:.0f} s" for name, value in self.seconds.items())
        console.print(
            f"{sum(self.seconds.values()):.0f} s in all ({times}); largest process {self.peak_memory / 2**20:.0f} MiB"
        )
        console.print(f"\nThe answer to a photo, as a picture: [bold]{self.recommendation}[/bold]")
        console.print(f"What the data set holds, as a page: [bold]{self.report}[/bold]\n\nGo on with")
        for command in (
            f"fullshot demo {self.workspace} --serve    (opens the shop again: the links answer)",
            f"fullshot recommend {self.workspace} {self.photo}",
            f"fullshot trace {self.workspace} {self.photo.stem[:12]}",
            f"fullshot evaluate recommend {self.workspace}",
            "fullshot crawl WS --shop myntra URL…    (a shop of your choice; see the README first)",
        ):
            console.print(f"  {command}", highlight=False, soft_wrap=True)


def add_truth(card: ScoreCard, studio: Studio, pictures: Path, workspace: Workspace) -> None:
    """Compare the tables with the shop: products, pictures, and full shots told from item shots."""
    products = workspace.read("products")["product_id"].tolist()
    wanted = {f"myntra:{product.product_id}" for product in studio.products}
    card.count("products found", len(wanted & set(products)), len(wanted), len(products) - len(set(products)))

    full_shot = {image_id((pictures / picture.name).read_bytes()): picture.full_shot for picture in studio.pictures}
    images = workspace.read("images")
    twice = int(
        images.duplicated(["image_id", "product_id"]).sum() + images.drop_duplicates("url").duplicated("image_id").sum()
    )
    card.count("pictures found", len(set(full_shot) & set(images["image_id"])), len(full_shot), twice)

    # A picture that is left to a person to decide on counts as a mistake.
    decided = workspace.read("curated").dropna(subset="full_shot")
    verdicts: dict[str, bool] = dict(zip(decided["image_id"], decided["full_shot"].astype(bool), strict=True))
    right = sum(verdicts.get(identity) == truth for identity, truth in full_shot.items())
    card.share("full shots told from item shots", right / len(full_shot), EXPECTED["full_shots"])


def add_evaluations(card: ScoreCard, detector: Mapping[str, Any], recommend: Mapping[str, Any]) -> None:
    """Add what ``evaluate detector`` and ``evaluate recommend`` printed for the test split."""
    precision = [detector["classes"][wear]["map50"] for wear in GARMENTS if wear in detector["classes"]]
    card.share("detector, mAP@0.5 of top, bottom, foot", sum(precision) / len(precision), EXPECTED["detector"])
    card.boxes = dict(recommend["boxes"])
    for wear in GARMENTS:
        if wear in recommend["wears"]:
            recall = recommend["wears"][wear]["instance_recall@5"]
            card.share(f"instance recall@5, {wear}", recall, EXPECTED["recommend"])
