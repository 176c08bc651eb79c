"""What fills the synthetic shop's pages and pictures up to the length of real ones."""

import io
import json
import random
from typing import Any

import numpy as np
from PIL import Image

SIZES = ("XS", "S", "M", "L", "XL", "XXL")
_STEPS = 9
"""A picture's length is found by so many bisections of the strength of its noise."""
_WORDS = tuple(
    "cotton regular fit solid woven collar sleeve button placket hem pocket machine wash washed casual day soft".split()  # noqa: SIM905
)


def _sentence(dice: random.Random) -> str:
    return " ".join(dice.choices(_WORDS, k=dice.randint(4, 12))).capitalize()


def details(seed: str, length: int) -> str:
    """The part of a product's data that fills it up to a length: members of a JSON object, without its braces."""
    dice = random.Random(seed)
    sizes = []
    for label in SIZES:
        sku = dice.randrange(10**8)
        seller = {"sellerPartnerId": 4028, "mrp": 499, "discountedPrice": 299, "availableCount": dice.randrange(900)}
        measure = {"type": "Body Measurement", "name": "Chest", "value": str(dice.randrange(30, 50)), "unit": "Inches"}
        sizes.append(
            {
                "skuId": sku,
                "action": f"/product/{sku}/related/{label}?co=1",
                "label": label,
                "available": True,
                "sizeType": None,
                "measurements": [measure],
                "sizeSellerData": [seller],
            }
        )
    ratings = {"averageRating": round(dice.uniform(3, 5), 4), "totalCount": dice.randrange(40_000)}
    attributes: list[dict[str, Any]] = []
    reviews: list[dict[str, Any]] = []
    left = length - len(json.dumps(sizes)) - 2000
    while left > 0:
        entry = {
            "id": dice.randrange(99),
            "attributeCode": f"LABEL{dice.randrange(9)}",
            "attributeName": _sentence(dice),
        }
        attributes.append({"metaInfo": "H_ROS_MBU", "systemAttributeValueEntry": {**entry, "valueCode": None}})
        reviews.append(
            {
                "reviewId": f"{dice.getrandbits(96):024x}",
                "review": ". ".join(_sentence(dice) for _ in range(dice.randint(1, 4))),
                "userRating": dice.randint(1, 5),
                "userName": _sentence(dice)[:12],
                "upvotes": dice.randrange(99),
                "images": [],
                "styleAttribute": [{"name": "Size bought", "value": dice.choice(SIZES)}],
                "updatedAt": str(1_700_000_000_000 + dice.randrange(10**9)),
            }
        )
        left -= len(json.dumps(attributes[-1])) + len(json.dumps(reviews[-1])) + 4
    details = {
        "sizes": sizes,
        "ratings": {**ratings, "reviewInfo": {"reviewsCount": str(len(reviews)), "topReviews": reviews}},
        "systemAttributes": attributes,
        "articleAttributes": {word.title(): _sentence(dice) for word in _WORDS[:12]},
        "productDetails": [{"type": None, "title": "Details", "description": f"<li>{_sentence(dice)}</li>"}],
    }
    return json.dumps(details)[1:-1]


def mark_up(seed: int, length: int) -> str:
    """Scripts, styles and elements of a given length."""
    dice = random.Random(seed)
    parts: list[str] = []
    left = length - len("<!---->")
    while left > 0:
        one, other, number = dice.choice(_WORDS), dice.choice(_WORDS), dice.randrange(10**6)
        call = f"e.{one}=e.{one}||[];for(var n in t)e.{one}.push(t[n]||{number})"
        link = f"<a href='/{other}?f={one}:{number}'>{_sentence(dice)}</a>"
        part = dice.choice(
            (
                f'<script>!function(e,t){{{call}}}(window,{{"{other}":1}});</script>',
                f'<link rel="preload" as="script" href="https://static.invalid/web/assets/js/{one}.{number:x}.js">\n',
                f"<style>.{one}-{other}{{margin:0 {number % 40}px;color:#{number:06x};display:inline-block}}</style>",
                f'<div class="{one}-{other}">{link}<span>{number}</span></div>',
            )
        )
        parts.append(part)
        left -= len(part)
    return "".join(parts)


def jpeg(size: tuple[int, int], length: int, seed: int) -> bytes:
    """A JPEG of about a given length: a gradient under as much noise as it takes."""
    width, height = size
    dice = np.random.default_rng(seed)
    slope = np.linspace(60, 190, width)[None, :, None] + np.linspace(-40, 40, height)[:, None, None]
    noise = dice.standard_normal((height, width, 3))
    low, high = 0.0, 120.0
    best = b""
    for _ in range(_STEPS):
        strength = (low + high) / 2
        file = io.BytesIO()
        pixels = np.clip(slope + strength * noise, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(file, "JPEG", quality=85)
        best = file.getvalue()
        low, high = (strength, high) if len(best) < length else (low, strength)
    return best
