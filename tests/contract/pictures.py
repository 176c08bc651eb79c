"""The pictures of the contract: one product for each kind of picture, drawn, stored, curated, and then spoilt.

Every kind has a full shot in the split ``train`` and one in ``test``, and most have an item shot in ``train``; each
belongs to a product that is called as the kind is.
"""

import hashlib
import io
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from fullshot.core import image_store, tables
from fullshot.core.annotations import WITHDRAWN
from fullshot.core.workspace import Workspace
from fullshot.demo.shop.records import Box, Product
from fullshot.demo.shop.records import Picture as Drawn
from fullshot.demo.shop.studio import draw, open_studio

KINDS = {
    "ordinary": "as most are",
    "half": "of a person, cut off at the hips; the shop has boxes on it",
    "duplicate": "a smaller copy of an ordinary picture of the same product",
    "rejected": "a person wrote keep=false into verdicts.csv",
    "turned": "stored on its side; its EXIF asks to turn it",
    "corrupt": "cut off on the disk, after it was curated",
    "withdrawn": "a person drew its boxes, and took them back",
    "delisted": "its product went from the shop: gone_at is set, in_stock is false",
}

FULL, ITEM = "full shot", "item shot"
WEARS = ("top", "bottom", "foot")
SEED, COLLECTIONS = 7, 16
WHEN = "2025-01-02T03:04:05Z"

Corners = tuple[int, int, int, int]
_CORNERS = ("x_min", "y_min", "x_max", "y_max")
_ORIENTATION, _ON_ITS_SIDE = 0x0112, 6


@dataclass(frozen=True)
class Garment:
    """A box of the shop's: the product worn, its wear, and corners in whole pixels of the picture as it is stored."""

    product: str
    wear: str
    corners: Corners


@dataclass(frozen=True)
class Shot:
    """A picture of the workspace.

    Attributes:
        kind: one of :data:`KINDS`.
        role: full shot or item shot; a half shot has the role of the full shot that it is not.
        split: its product's.
        product: whose page shows it.
        content: its bytes, as they are stored.
        garments: what is worn on it.
    """

    kind: str
    role: str
    split: str
    product: str
    content: bytes
    garments: tuple[Garment, ...] = ()

    @property
    def image_id(self) -> str:
        return image_store.image_id(self.content)

    @property
    def path(self) -> str:
        kind = Image.open(io.BytesIO(self.content)).format
        return f"images/{self.image_id[:2]}/{self.image_id}{'.png' if kind == 'PNG' else '.jpg'}"


@dataclass(frozen=True)
class Shop:
    """All pictures, and the upright twins of those that are turned, by the image_id of the latter."""

    shots: tuple[Shot, ...]
    twins: dict[str, Shot]

    def of(self, kind: str, *roles: str, splits: Iterable[str] = tables.SPLITS) -> list[Shot]:
        """The pictures of a kind."""
        return [shot for shot in self.shots if shot.kind == kind and shot.role in roles and shot.split in splits]


def drawn_shop() -> Shop:
    """Draw the pictures of the contract."""
    artist = _Artist()
    shots: list[Shot] = []
    twins: dict[str, Shot] = {}
    for split in ("train", "test"):
        for kind in KINDS:
            if kind == "duplicate":
                continue
            full = artist.outfit(kind, split)
            # The gallery of those that are measured needs no more than what is sought.
            has_item = kind != "withdrawn" if split == "train" else kind in ("ordinary", "half", "turned", "delisted")
            pair = [full, artist.item(kind, split)] if has_item else [full]
            if kind == "half":
                # Of a product that is shown whole, and alone, by another picture.
                pair = [_cut(full), replace(pair[1], kind="ordinary")] if has_item else [_cut(full)]
            elif kind == "turned":
                for number, upright in enumerate(pair):
                    turned, twin = _turned(upright, "ff" + "fe"[number])
                    pair[number] = turned
                    twins[turned.image_id] = twin
            shots += pair
            if kind == "ordinary":
                shots += [_copied(shot) for shot in pair]
        shots += [artist.item(wear, split) for wear in WEARS[1:]]
    shots += [artist.outfit("ordinary", "val"), artist.item("ordinary", "val")]
    return Shop(tuple(shots), twins)


class _Artist:
    """Draws products by name: the first time that one is asked for, it is given a design of its own."""

    def __init__(self) -> None:
        self._studio = open_studio(seed=SEED, collections=COLLECTIONS)
        # Of the collections, the last: a ghost mannequin in the first one's hood is a person to the pose model.
        men = [product for product in reversed(self._studio.products) if product.gender == "Men"]
        self._designs = {wear: iter([each for each in men if each.wear == wear]) for wear in WEARS}
        self._products: dict[tuple[str, str], Product] = {}

    def _product(self, name: str, split: str) -> Product:
        wear = name if name in WEARS else "top"
        if (name, split) not in self._products:
            self._products[name, split] = next(self._designs[wear])
        return self._products[name, split]

    def outfit(self, name: str, split: str) -> Shot:
        """A person from head to feet, in the product of this name and what goes with it."""
        names = (name, *WEARS[1:])
        outfit = tuple(self._product(each, split).product_id for each in names)
        content, boxes = draw(self._studio, Drawn(f"{name} {split}", "outfit", outfit, True, outfit))
        worn = {box.wear: box for box in boxes}
        garments = [
            Garment(product_id(each, split), wear, _whole(worn[wear])) for each, wear in zip(names, WEARS, strict=True)
        ]
        return Shot(name, FULL, split, product_id(name, split), content, tuple(garments))

    def item(self, name: str, split: str) -> Shot:
        """A product alone on plain ground."""
        number = (self._product(name, split).product_id,)
        content, _ = draw(self._studio, Drawn(f"{name} {split} by itself", "front", number, False, number))
        return Shot(name if name in KINDS else "ordinary", ITEM, split, product_id(name, split), content)


def _whole(box: Box) -> Corners:
    return int(box.x_min), int(box.y_min), int(box.x_max), int(box.y_max)


def _halved(corners: Corners) -> Corners:
    x_min, y_min, x_max, y_max = corners
    return x_min // 2, y_min // 2, x_max // 2, y_max // 2


def product_id(name: str, split: str) -> str:
    """The id of a product."""
    return f"contract:{split}-{name}"


def _encoded(picture: Image.Image, kind: str, **how: Any) -> bytes:
    memory = io.BytesIO()
    picture.save(memory, kind, **how)
    return memory.getvalue()


def _cut(shot: Shot) -> Shot:
    """The upper half, with what is to be seen of the top."""
    picture = Image.open(io.BytesIO(shot.content))
    height = picture.height // 2
    top = shot.garments[0]
    x_min, y_min, x_max, y_max = top.corners
    garments = (replace(top, corners=(x_min, y_min, x_max, min(y_max, height))),)
    return replace(
        shot,
        content=_encoded(picture.crop((0, 0, picture.width, height)), "PNG"),
        garments=garments,
    )


def _copied(shot: Shot) -> Shot:
    """Half as large: of two copies the larger one stands for both."""
    picture = Image.open(io.BytesIO(shot.content))
    small = picture.resize((picture.width // 2, picture.height // 2))
    garments = [replace(garment, corners=_halved(garment.corners)) for garment in shot.garments]
    return replace(shot, kind="duplicate", content=_encoded(small, "JPEG", quality=90), garments=tuple(garments))


def _turned(shot: Shot, start: str) -> tuple[Shot, Shot]:
    """A picture stored on its side, and its twin that is stored upright; a viewer shows the same pixels of both.

    Training goes through pictures in the order of their names. So that two trainings compare, the names of both begin
    with ``start``.
    """
    upright = Image.open(io.BytesIO(shot.content)).convert("RGB")
    exif = Image.Exif()
    exif[_ORIENTATION] = _ON_ITS_SIDE
    on_its_side = _encoded(upright.transpose(Image.Transpose.ROTATE_90), "PNG", exif=exif)
    garments = [replace(garment, corners=_on_their_side(garment.corners, upright.width)) for garment in shot.garments]
    turned = replace(shot, content=_named(on_its_side, start), garments=tuple(garments))
    return turned, replace(shot, content=_named(_encoded(upright, "PNG"), start))


def _on_their_side(corners: Corners, width: int) -> Corners:
    """Corners after the picture, so wide, was turned counter-clockwise."""
    x_min, y_min, x_max, y_max = corners
    return y_min, width - x_max, y_max, width - x_min


def _named(content: bytes, start: str) -> bytes:
    """The same picture with a few bytes behind its end, which no reader of PNG minds, so that its name begins so."""
    begun = hashlib.sha256(content)
    for number in range(1_000_000):
        state, more = begun.copy(), str(number).encode()
        state.update(more)
        if state.hexdigest().startswith(start):
            return content + more
    raise AssertionError(start)


def stored(shop: Shop, root: Path) -> Workspace:
    """A workspace as a crawl leaves it, with what people said of it, and the splits of an earlier curation."""
    workspace = Workspace(root)
    names = dict.fromkeys((garment.product, garment.wear) for shot in shop.shots for garment in shot.garments)
    workspace.write("products", tables.frame("products", [_listed(*name) for name in names]))
    images = []
    for position, shot in enumerate(shop.shots):
        there = image_store.put(workspace.blobs, shot.content)
        assert (there.image_id, there.path) == (shot.image_id, shot.path)
        images.append({"product_id": shot.product, "position": position, **_facts(there)})
    workspace.write("images", tables.frame("images", images))
    splits = [{"image_id": shot.image_id, "split": shot.split} for shot in shop.shots]
    workspace.write("splits", tables.frame("splits", splits))
    rejected = [{"image_id": shot.image_id, "keep": False} for shot in shop.of("rejected", FULL, ITEM)]
    workspace.write("verdicts", tables.frame("verdicts", rejected))
    return workspace


def _facts(there: image_store.Stored) -> dict[str, Any]:
    size = {"width": there.width, "height": there.height, "bytes": there.bytes}
    url = f"https://shop.example/{there.image_id}"
    return {"image_id": there.image_id, "path": there.path, "url": url, "fetched_at": WHEN, **size}


def _listed(name: str, wear: str) -> dict[str, Any]:
    is_gone = name.endswith("-delisted")
    return {
        "product_id": name,
        "url": f"https://shop.example/{name}",
        "name": name.partition(":")[2].capitalize(),
        "gender": "men",
        "wear": wear,
        "product_type": {"top": "Shirts", "bottom": "Jeans", "foot": "Casual Shoes"}[wear],
        "in_stock": not is_gone,
        "gone_at": WHEN if is_gone else None,
        "fetched_at": WHEN,
        "parser": "contract@1",
    }


def drawn_on(shop: Shop, workspace: Workspace) -> None:
    """Write the boxes of the shop, and those that a person drew and took back."""
    boxes, annotations = [], []
    for shot in shop.shots:
        by_a_person = shot.kind == "withdrawn"
        source = {"source": "human", "annotator": "ada", "revision": 1} if by_a_person else {"source": "shop"}
        boxes += list(_boxes(shot, **source))
        if by_a_person:
            state = {"image_id": shot.image_id, "annotator": "ada", "annotation": 1, "project": "1"}
            annotations += [
                {**state, "revision": 1, "verdict": "boxes", "boxes": len(shot.garments)},
                {**state, "revision": 2, "verdict": "skipped", "boxes": 0, "comment": WITHDRAWN},
            ]
    workspace.write("boxes", tables.frame("boxes", boxes))
    workspace.write("annotations", tables.frame("annotations", annotations))


def _boxes(shot: Shot, **source: Any) -> Iterator[dict[str, Any]]:
    for garment in shot.garments:
        corners = dict(zip(_CORNERS, garment.corners, strict=True))
        yield {
            "image_id": shot.image_id,
            "label": garment.wear,
            **corners,
            "product_id": garment.product,
            **source,
        }


def spoil(shop: Shop, workspace: Workspace) -> None:
    """Cut the corrupt pictures off, as a full disk does."""
    for shot in shop.of("corrupt", FULL, ITEM):
        (workspace / shot.path).write_bytes(shot.content[: len(shot.content) // 2])


def with_twins(shop: Shop, workspace: Workspace, root: Path) -> Workspace:
    """A copy of a workspace in which each turned picture is stored upright; a viewer sees no difference."""
    shutil.copytree(workspace.root, root)
    copy = Workspace(root)
    images, boxes = copy.read("images"), copy.read("boxes")
    new_names: dict[str, str] = {}
    for identity, twin in shop.twins.items():
        there = image_store.put(copy.blobs, twin.content)
        new_names |= {identity: there.image_id, next(s.path for s in shop.shots if s.image_id == identity): there.path}
        facts = _facts(there)
        images.loc[images["image_id"] == identity, list(facts)] = list(facts.values())
        boxes = pd.concat([boxes[boxes["image_id"] != identity], tables.frame("boxes", _boxes(twin, source="shop"))])
    copy.write("images", images)
    copy.write("boxes", boxes)
    for name, column in (("curated", "image_id"), ("splits", "image_id"), ("dataset2", "image_path")):
        rows = copy.read(name)
        copy.write(name, rows.assign(**{column: rows[column].replace(new_names)}))
    return copy
