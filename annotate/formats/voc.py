"""Pascal VOC: an XML a picture, with the first and the last pixel of each box, counted from 1.

A box ``(x_min, y_min, x_max, y_max)`` between the pixels is written as ``x_min + 1, y_min + 1, x_max, y_max``. Whole
numbers, as of VOC itself, stay whole; others get decimals, which readers that want whole numbers refuse. Read and
written here and not by supervision, which has the same idea of a pixel but writes whole ones only.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar
from xml.etree import ElementTree as ET

from fullshot.annotate.formats.annotated import UNSPLIT, Annotated, in_order, number, plain, short
from fullshot.annotate.formats.labels import Category
from fullshot.core.boxes import Corners
from fullshot.core.errors import UserError

_DIGITS = 4
_ROUNDING = 1e-4
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


class _NoDoctype(ET.TreeBuilder):
    """Entities, which could grow without bound or name other files, are declared in a DOCTYPE; VOC has none."""

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        raise UserError(f"expected no DOCTYPE, got {short(name)}")


class VocFormat:
    """Pascal VOC."""

    beside: ClassVar = ("", "JPEGImages", "../JPEGImages", "images", "../images")
    one_box: ClassVar = False
    whole_pixels: ClassVar = False

    def load(self, path: Path) -> list[Annotated]:
        """Read an XML file, or those of a folder or of its ``Annotations/``.

        Raises:
            UserError: a file is not XML or a part is not what VOC says; names the file and the part.
        """
        if not path.is_dir():
            return [_load(path)]
        found = sorted(path.glob("Annotations/*.xml")) or sorted(path.glob("*.xml"))
        if not found:
            raise UserError(f"expected Annotations/*.xml or *.xml in {path}")
        return [_load(file) for file in found]

    def save(self, folder: Path, splits: Mapping[str, Iterable[Annotated]], categories: Sequence[Category]) -> None:
        """Write ``Annotations/`` and ``ImageSets/Main/``.

        Args:
            folder: the data set's.
            splits: a split's pictures, of known size and named ``JPEGImages/…``.
            categories: not written; VOC has no list of them.
        """
        (folder / "Annotations").mkdir(parents=True)
        (folder / "ImageSets" / "Main").mkdir(parents=True)
        for split, pictures in splits.items():
            for picture in pictures:
                name = PurePosixPath(picture.file_name)
                (folder / "Annotations" / f"{name.stem}.xml").write_bytes(_xml(picture, name.name))
            if split != UNSPLIT:
                stems = "".join(f"{PurePosixPath(picture.file_name).stem}\n" for picture in pictures)
                (folder / "ImageSets" / "Main" / f"{split}.txt").write_text(stems, encoding="utf-8")

    def picture(self, split: str, image_id: str, number: int) -> str:
        """Where a picture lies in the data set's folder; without suffix."""
        return f"JPEGImages/{image_id}"


def _load(path: Path) -> Annotated:
    try:
        root = ET.fromstring(path.read_bytes(), ET.XMLParser(target=_NoDoctype()))  # noqa: S314
    except (ET.ParseError, ValueError, LookupError) as error:  # LookupError: an encoding that nobody knows
        raise UserError(f"{path}: not a VOC file, which is XML: {error}") from None
    if root.tag != "annotation":
        raise UserError(f"{path}: expected <annotation>, got <{root.tag}>")
    boxes = tuple(_box(part, f"{path}: object {position}") for position, part in enumerate(root.findall("object"), 1))
    # Without suffix where the file does not name its picture.
    name = (root.findtext("filename") or "").strip() or path.stem
    width, height = (_side(root.findtext(f"size/{side}"), f"{path}: size: {side}") for side in ("width", "height"))
    return Annotated(name, width, height, boxes) if width and height else Annotated(name, None, None, boxes)


def _side(text: str | None, where: str) -> int | None:
    """A side in pixels; None where it is not said, or 0, as some tools write then."""
    value = number(text.strip(), where) if text and text.strip() else 0.0
    if value < 0 or value != int(value):
        raise UserError(f"{where}: expected a whole number of pixels, got {value:g}")
    return int(value) or None


def _box(part: "ET.Element[str]", where: str) -> tuple[str, Corners]:
    name = (part.findtext("name") or "").strip()
    if not name:
        raise UserError(f"{where}: expected a <name>")
    box = part.find("bndbox")
    if box is None:
        turned = ", got a turned one (<robndbox>)" if part.find("robndbox") is not None else ""
        raise UserError(f"{where}: expected a box (<bndbox>){turned}")
    values = []
    for corner in _CORNERS:
        text = box.findtext(corner)
        if text is None:
            raise UserError(f"{where}: expected <{corner}> in <bndbox>")
        values.append(number(text.strip(), f"{where}: {corner}"))
    x_first, y_first, x_last, y_last = values
    x_min, y_min = x_first - 1, y_first - 1
    # A box thinner than a pixel is written with an end before its beginning, by less than one, but for rounding.
    if x_last < x_min - _ROUNDING or y_last < y_min - _ROUNDING:
        told = ", ".join(f"{value:g}" for value in values)
        raise UserError(f"{where}: expected xmin ≤ xmax and ymin ≤ ymax, got {told}")
    return name, in_order((x_min, y_min, max(x_min, x_last), max(y_min, y_last)), where)


def _xml(picture: Annotated, name: str) -> bytes:
    root = ET.Element("annotation")
    _put(root, "folder", "JPEGImages")
    _put(root, "filename", name)
    size = ET.SubElement(root, "size")
    for side, pixels in (("width", picture.width), ("height", picture.height), ("depth", 3)):
        _put(size, side, str(pixels))
    _put(root, "segmented", "0")
    for label, (x_min, y_min, x_max, y_max) in picture.boxes:
        part = ET.SubElement(root, "object")
        _put(part, "name", label)
        for flag, value in (("pose", "Unspecified"), ("truncated", "0"), ("difficult", "0")):
            _put(part, flag, value)
        box = ET.SubElement(part, "bndbox")
        for corner, pixel in zip(_CORNERS, (x_min + 1, y_min + 1, x_max, y_max), strict=True):
            _put(box, corner, plain(pixel, _DIGITS))
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8"))


def _put(parent: "ET.Element[str]", tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text
