"""What a page says of itself in JSON-LD, microdata and OpenGraph, in one shape."""

import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from extruct.w3cmicrodata import MicrodataExtractor
from lxml.html import HtmlElement

from fullshot.crawler.pages._schema_json import read_block
from fullshot.crawler.pages._values import text

# With the parameters and the capitals that some shops write in the type, which extruct does not expect.
_JSON_LD = "//script[starts-with(translate(normalize-space(@type), 'ACDIJLNOPT', 'acdijlnopt'), 'application/ld+json')]"
_DEEPEST = 40
"""Items and properties inside each other; shops' pages have six or so. extruct's time grows with the depth's square and
more: 400 take it seconds, and a crawl waits."""
_MICRODATA = MicrodataExtractor(add_html_node=True)
# extruct looks in the head alone, where shops put them; but an element that has no place there, as a stray div, ends
# the head for lxml. Some shops write name= for property=.
_OPEN_GRAPH = "//meta[@content][starts-with(@property, 'og:') or starts-with(@property, 'product:') or \
starts-with(@name, 'og:') or starts-with(@name, 'product:')]"
_HOLDS_OTHERS = ("@graph", "mainentity")
_MOST_KINDS = 10
"""So many kinds of things are enough to tell what a page is about."""
_ELEMENT = "@element"
"""Under this key a microdata item keeps its element of the page."""


def word(name: str) -> str:
    """The bare name of a type, a property or a value: ``https://schema.org/InStock`` is ``InStock``."""
    for mark in "/#:":
        name = name.rstrip(mark).rpartition(mark)[2]
    return name.strip()


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class Thing:
    """Something that a page describes.

    Args:
        data: a JSON-LD object.
        known: the page's objects by their ``@id``, for those that only refer to one.

    Attributes:
        types: the names of its types, without an address in front.
        element: of microdata, the lxml element that holds it.
    """

    def __init__(self, data: dict[str, Any], known: Mapping[str, dict[str, Any]]) -> None:
        identity = data.get("@id")
        if isinstance(identity, str) and len(data) <= 2 and data.keys() <= {"@id", "@type"}:
            data = known.get(identity, data)
        self._known = known
        self.data = data
        self.types = [word(kind) for kind in map(text, _listed(data.get("@type"))) if kind]
        element = data.get(_ELEMENT)
        self.element = element if isinstance(element, HtmlElement) else None
        # In capitals, as AggregateRating and URL, they are written too.
        self._properties = {key if key[:1] == "@" else word(key).lower(): data[key] for key in reversed(data)}

    def is_a(self, kinds: Iterable[str]) -> bool:
        """Whether one of its types is one of these, which are in small letters."""
        return any(kind.lower() in kinds for kind in self.types)

    def values(self, *names: str) -> Iterator[Any]:
        """All values of these properties, whose names are in small letters."""
        for name in names:
            for value in _listed(self._properties.get(name)):
                if isinstance(value, dict) and "@value" in value:
                    value = value["@value"]
                elif isinstance(value, dict) and isinstance(value.get("@list"), list):
                    yield from value["@list"]
                    continue
                if value is not None:
                    yield value

    def things(self, *names: str) -> list["Thing"]:
        """The values of these properties that are things themselves."""
        return [Thing(value, self._known) for value in self.values(*names) if isinstance(value, dict)]

    def inner(self, data: dict[str, Any]) -> "Thing":
        """One of its values as a thing."""
        return Thing(data, self._known)

    def texts(self, *names: str) -> list[str]:
        """The words of these properties; of a thing, its name."""
        found = []
        for value in self.values(*names):
            if isinstance(value, dict):
                found += Thing(value, self._known)._plain("name")
            else:
                found.append(_words(value))
        return [one for one in found if one]

    def _plain(self, *names: str) -> list[str | None]:
        return [_words(value) for value in self.values(*names)]

    def text(self, *names: str) -> str | None:
        """The first of these properties that has words."""
        return next(iter(self.texts(*names)), None)

    def links(self, *names: str) -> list[str]:
        """The addresses in these properties as they are written; of a thing, its own."""
        found: list[Any] = []
        for value in self.values(*names):
            own = Thing(value, self._known).values("url", "contenturl", "@id") if isinstance(value, dict) else [value]
            found.append(next((link for link in own if isinstance(link, str)), None))
        return [one for link in found if link and (one := text(link.replace("&amp;", "&")))]

    def link(self, *names: str) -> str | None:
        """The first address in these properties."""
        return next(iter(self.links(*names)), None)


def _words(value: Any) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    # Many shops write &amp; in JSON too, where it is no entity; hardly any means these five letters.
    return text(html.unescape(value) if isinstance(value, str) and "&" in value else value)


@dataclass
class PageData:
    """What a page holds.

    Attributes:
        json_ld: its top-level things in JSON-LD, in the page's order.
        microdata: the same in microdata.
        open_graph: a property's name and its values.
        unreadable: why a block of JSON-LD could not be read.
    """

    json_ld: list[Thing] = field(default_factory=list)
    microdata: list[Thing] = field(default_factory=list)
    open_graph: dict[str, list[str]] = field(default_factory=dict)
    unreadable: str | None = None

    def graph(self, *names: str) -> str | None:
        """The first OpenGraph property of these that has words."""
        return next((value for name in names for value in self.open_graph.get(name, ())), None)

    def holds(self) -> list[str]:
        """What there is, in words, each once."""
        kinds = [kind for thing in (*self.json_ld, *self.microdata) for kind in thing.types or ["a thing of no type"]]
        return list(dict.fromkeys([*kinds, *(["OpenGraph"] if self.open_graph else [])]))[:_MOST_KINDS]


def page_data(tree: Any, base: str) -> PageData:
    """Read a page's lxml tree.

    Args:
        tree: its root.
        base: what relative addresses are relative to.
    """
    data = PageData()
    blocks: list[dict[str, Any]] = []
    for script in tree.xpath(_JSON_LD):
        script.set("type", "application/ld+json")
        try:
            blocks += read_block(script)
        except ValueError as error:
            data.unreadable = str(error)
    data.json_ld = _top_level(blocks)
    data.microdata = _top_level(_microdata(tree, base))
    for meta in tree.xpath(_OPEN_GRAPH):
        if content := text(meta.get("content")):
            data.open_graph.setdefault((meta.get("property") or meta.get("name")).strip().lower(), []).append(content)
    return data


def _microdata(tree: Any, base: str) -> list[dict[str, Any]]:
    """The page's microdata; nothing where extruct fails over a link that is no address: the other data is as good."""
    depths: dict[Any, int] = {}
    for element in tree.xpath("//*[@itemscope or @itemprop]"):
        depths[element] = 1 + next((depths[outer] for outer in element.iterancestors() if outer in depths), 0)
        if depths[element] > _DEEPEST:
            return []
    done: dict[int, dict[str, Any]] = {}
    try:
        return [_as_json_ld(item, done) for item in _MICRODATA.extract_items(tree, base)]
    except (ValueError, RecursionError):
        return []


def _as_json_ld(item: dict[str, Any], done: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """A microdata item as extruct gives it, written as JSON-LD.

    Args:
        item: it.
        done: the items written so far: one that is two properties' value is one object.
    """
    if id(item) in done:
        return done[id(item)]
    data = done[id(item)] = {"@type": item.get("type"), _ELEMENT: item.get("htmlNode")}
    if "id" in item:
        data["@id"] = item["id"]
    if isinstance(item.get("value"), str):
        data["name"] = item["value"]
    for name, values in item.get("properties", {}).items():
        data[name] = [_as_json_ld(one, done) if isinstance(one, dict) else one for one in _listed(values)]
    return data


def _top_level(blocks: list[dict[str, Any]]) -> list[Thing]:
    """The things that a page describes, and those that ``@graph`` and ``mainEntity`` lead to."""
    known = _by_id(blocks)
    found: list[Thing] = []
    waiting: list[Any] = blocks[::-1]
    seen: set[int] = set()
    while waiting:
        data = waiting.pop()
        thing = Thing(data, known)
        if id(thing.data) in seen:
            continue
        seen.add(id(thing.data))
        if thing.types or "@graph" not in data:
            found.append(thing)
        inside = [value for value in thing.values(*_HOLDS_OTHERS) if isinstance(value, dict)]
        waiting += reversed(inside)
    return found


def _by_id(blocks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    known: dict[str, dict[str, Any]] = {}
    waiting: list[Any] = list(blocks)
    seen: set[int] = set()
    while waiting:
        data = waiting.pop()
        if isinstance(data, list):
            waiting += data
        elif isinstance(data, dict) and id(data) not in seen:
            seen.add(id(data))
            identity = data.get("@id")
            # Of several that describe one thing the fullest is meant; one with nothing else only refers to it.
            if isinstance(identity, str) and len(data) > max(1, len(known.get(identity, ()))):
                known[identity] = data
            waiting += data.values()
    return known
