"""A small data set in DeepFashion's files, drawn: one box a picture, as its category and attribute benchmark has it."""

import random
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from fullshot.annotate.formats import labels
from fullshot.core import taxonomy

Corners = tuple[int, int, int, int]

# A folder's name, the category of its pictures, and what is worn there.
KINDS = (
    ("Sheer_Pleated-Front_Blouse", "Blouse", "top"),
    ("Classic_Skinny_Jeans", "Jeans", "bottom"),
    ("Ribbed_Maxi_Dress", "Dress", "long"),
)

_COLOURS = {"top": (190, 40, 40), "bottom": (40, 40, 190), "long": (30, 150, 60)}
_SHAPES = {"top": (80, 70), "bottom": (54, 110), "long": (70, 150)}


def write(folder: Path, **splits: int) -> Path:
    """Write the data set.

    Args:
        folder: its own; made.
        **splits: how many pictures of each kind a split has.

    Returns:
        The folder.
    """
    dice = random.Random(14)
    boxes, categories, partition = [], [], []
    numbers = {one.name: one.id for one in labels.load("deepfashion", taxonomy.built_in()).categories}
    number = 0
    for split, count in splits.items():
        for kind, category, label in KINDS * count:
            number += 1
            name = f"img/{kind}/img_{number:08d}.jpg"
            corners = _draw(folder / "Img" / name, label, dice)
            boxes.append((name, " ".join(f"{pixel:03d}" for pixel in corners)))
            categories.append((name, str(numbers[category])))
            partition.append((name, split))
    every = labels.load("deepfashion", taxonomy.built_in()).categories
    types = [(one.name, str(one.type)) for one in every]
    _write(folder / "Anno" / "list_bbox.txt", ("image_name", "x_1  y_1  x_2  y_2"), boxes)
    _write(folder / "Anno" / "list_category_cloth.txt", ("category_name", "category_type"), types)
    _write(folder / "Anno" / "list_category_img.txt", ("image_name", "category_label"), categories)
    _write(folder / "Eval" / "list_eval_partition.txt", ("image_name", "evaluation_status"), partition)
    return folder


def _write(path: Path, header: tuple[str, str], rows: Sequence[tuple[str, str]]) -> None:
    """A count, a header, and columns that spaces fill: as the files are published."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{name:<70} {rest}" for name, rest in rows]
    path.write_text("\n".join([str(len(rows)), "  ".join(header), *lines]) + "\n")


def _draw(path: Path, label: str, dice: random.Random) -> Corners:
    """A garment before a wall that no other picture shows; returns its corners."""
    width, height = 200, 300
    # A few large spots: copies are told by what a picture shows when it is a few pixels wide.
    wall = Image.new("RGB", (5, 7))
    wall.putdata([tuple(dice.randint(120, 250) for _ in range(3)) for _ in range(35)])
    picture = wall.resize((width, height), Image.Resampling.BICUBIC)
    across, down = (round(side * dice.uniform(0.8, 1.2)) for side in _SHAPES[label])
    left, top = dice.randint(5, width - across - 5), dice.randint(5, height - down - 5)
    corners = (left, top, left + across, top + down)
    pen = ImageDraw.Draw(picture)
    colour = tuple(min(255, part + dice.randint(0, 40)) for part in _COLOURS[label])
    pen.rectangle(corners, fill=colour)
    pen.line((left, top + down // 3, left + across, top + down // 3), fill=(250, 250, 250), width=3)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=95)
    return corners
