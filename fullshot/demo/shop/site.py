"""What a person sees of the built-in shop: its pages' HTML."""

import html
import json
from collections.abc import Iterable
from typing import Any

from fullshot.demo.shop.records import Product

_STYLE = """
*{box-sizing:border-box}body{margin:0;font:15px/1.45 system-ui,"DejaVu Sans",sans-serif;color:#282c3f;background:#fff}
header{display:flex;gap:28px;align-items:center;padding:14px 32px;border-bottom:1px solid #eaeaec;position:sticky;top:0;background:#fff}
header b{font-size:20px;letter-spacing:.04em;color:#c2185b}header a{color:inherit;text-decoration:none;font-weight:600;font-size:13px;
text-transform:uppercase}main{max-width:1240px;margin:0 auto;padding:20px 32px 60px}h1{font-size:20px}small{color:#767b8b;font-weight:400}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:26px 20px}.card{color:inherit;text-decoration:none}
.card img,.album img{width:100%;aspect-ratio:3/4;object-fit:cover;background:#f5f5f6;display:block}.card b{display:block;margin-top:8px}
.card span{display:block;color:#535766;font-size:13px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
s{color:#767b8b;font-size:12px}.off{color:#a84300;font-size:12px}.out{color:#b00020;font-weight:600}
.pdp{display:grid;grid-template-columns:3fr 2fr;gap:36px}.album{display:grid;grid-template-columns:1fr 1fr;gap:10px;align-content:start}
.size{display:inline-block;border:1px solid #bfc0c6;border-radius:24px;padding:8px 15px;margin:0 8px 8px 0}.size.none{color:#bbb;text-decoration:line-through}
nav{margin:34px 0;display:flex;justify-content:center;gap:20px}nav a{color:#c2185b}.buy{background:#c2185b;color:#fff;border:0;padding:14px 40px;border-radius:4px;font-weight:600}
@media(max-width:720px){.pdp{grid-template-columns:1fr}}
"""

_MENU = (
    ("Men top", "/men-topwear"),
    ("Men bottom", "/men-bottomwear"),
    ("Men shoes", "/men-footwear"),
    ("Women top", "/women-topwear"),
    ("Women bottom", "/women-bottomwear"),
    ("Women shoes", "/women-footwear"),
    ("Dresses", "/women-dresses"),
)


def page(title: str, data: dict[str, Any], body: str) -> str:
    """A whole page; ``data`` becomes ``window.__myx``, as Myntra's pages have it, unless it is empty."""
    menu = "".join(f'<a href="{link}">{html.escape(name)}</a>' for name, link in _MENU)
    # A closing tag inside the data would end the script.
    text = json.dumps(data).replace("</", "<\\/")
    script = (
        f'<script>window.__myx_deviceType__ = "desktop"</script><script>window.__myx = {text}</script>' if data else ""
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,"><style>{_STYLE}</style>'
        f"{script}</head><body><header><b>STUDIO SEVEN</b>{menu}</header><main>{body}</main></body></html>"
    )


def tile(link: str, picture: str, title: str) -> str:
    """A picture with a title below it, as a link."""
    return f'<a class="card" href="{html.escape(link)}"><img src="{html.escape(picture)}" alt="" loading="lazy"><b>{html.escape(title)}</b></a>'


def card(link: str, picture: str, product: Product) -> str:
    """A product on a listing."""
    return (
        f'<a class="card" href="{html.escape(link)}"><img src="{html.escape(picture)}" alt="{html.escape(product.name)}" loading="lazy">'
        f"<b>{html.escape(product.brand)}</b><span>{html.escape(product.name)}</span>{_price(product)}</a>"
    )


def _price(product: Product) -> str:
    if product.sold_out:
        return '<span class="out">Sold out</span>'
    if product.price == product.mrp:
        return f"<div><b>Rs. {product.price}</b></div>"
    off = round(100 * (product.mrp - product.price) / product.mrp)
    return f'<div>Rs. {product.price} <s>Rs. {product.mrp}</s> <span class="off" style="display:inline">({off}% off)</span></div>'


def turn(slug: str, number: int, more: bool) -> str:
    """Links to the page before and the page after."""
    before = f'<a href="/{slug}?p={number - 1}" rel="prev">← Previous</a>' if number > 1 else ""
    after = f'<a href="/{slug}?p={number + 1}" rel="next">Next →</a>' if more else ""
    return f"<nav>{before}<span>Page {number}</span>{after}</nav>"


def product(item: Product, pictures: Iterable[str]) -> str:
    """A product's page, inside."""
    album = "".join(f'<img src="{html.escape(url)}" alt="{html.escape(item.name)}" loading="lazy">' for url in pictures)
    sizes = "".join(
        f'<span class="size{"" if available else " none"}">{html.escape(label)}</span>'
        for label, available in item.sizes
    )
    return (
        f'<div class="pdp"><div class="album">{album}</div><div><h1>{html.escape(item.brand)}</h1><p>{html.escape(item.name)}</p>'
        f"<p>★ {item.rating} <small>({item.rating_count} ratings)</small></p>{_price(item)}<p><small>{html.escape(item.colour)} · "
        f"{html.escape(item.pattern)}</small></p><p>{sizes}</p><button class='buy'>Add to bag</button></div></div>"
    )


def sitemap(urls: Iterable[str]) -> str:
    """The listings, for crawlers."""
    entries = "".join(f"<url><loc>{html.escape(url)}</loc></url>" for url in urls)
    return f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'
