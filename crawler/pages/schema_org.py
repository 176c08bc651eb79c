"""Any shop that publishes schema.org data (JSON-LD, microdata) or OpenGraph in its pages."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote, urldefrag, urlsplit

import lxml.etree
from parsel import Selector
from url_matcher import Patterns
from w3lib.url import canonicalize_url
from web_poet.exceptions import UseFallback

from fullshot.crawler.items import Found, ListingFound, NothingFound, PictureLink, ProductFound
from fullshot.crawler.pages._schema_product import ProductFacts, crumbs, group, opengraph_facts, product_facts, row
from fullshot.crawler.pages._schema_sitemap import sitemap
from fullshot.crawler.pages._schema_things import PageData, Thing, page_data
from fullshot.crawler.pages._values import amount, text, web_address, whole
from fullshot.crawler.pages.base import ShopPage

PRODUCTS = {"product", "productgroup", "productmodel", "individualproduct", "someproducts"}
"""Types of what a shop sells, in small letters."""
_LISTS = {"itemlist", "offercatalog"}
_PAGES = {"thing", "webpage", "itempage", "listitem"}
"""Types that a listing's entry may have when it only says where the product is."""
_GRAPH_PRODUCTS = {"product", "product.item", "og:product"}
_HASH_DIGITS = 16
"""64 bits: among a million addresses the odds that two share one are 1 to 10⁷."""
_NEXT = "//*[self::link or self::a][contains(concat(' ', normalize-space(@rel), ' '), ' next ')]/@href"


class SchemaOrgPage(ShopPage):
    """A page with schema.org data; JSON-LD is believed before microdata, and microdata before OpenGraph."""

    patterns = Patterns([""])
    parser = "schema_org@1"
    data_script = """
        const kinds = /"(https?:\\/\\/schema\\.org\\/)?(Product|ProductGroup|ItemList)"/;
        const blocks = document.querySelectorAll('script[type^="application/ld+json"]');
        if ([...blocks].some((block) => kinds.test(block.textContent))) return true;
        return !!document.querySelector(
            '[itemtype*="schema.org/Product"], meta[property="og:type"][content^="product"]');
    """

    def find(self) -> Found:
        """See :class:`ShopPage`. A sitemap is a listing of whatever it names."""
        found = sitemap(str(self.response.url), self.response.body)
        if found is not None:
            return found
        products = self._main_products()
        if products or self._graph_is_product():
            return self._product(products)
        listing = self._listing()
        if listing is not None:
            return listing
        if self._page.unreadable:
            raise UseFallback(f"JSON-LD in the page cannot be read: {self._page.unreadable}")
        holds = self._page.holds()
        if not holds:
            raise UseFallback("no schema.org data and no OpenGraph in the page")
        return NothingFound(f"not a product page: it holds {', '.join(holds)}")

    @cached_property
    def _tree(self) -> Any:
        try:
            return Selector(text=self.response.text, type="html").root
        except (ValueError, LookupError, lxml.etree.LxmlError):
            # The page names an encoding that it cannot be in.
            return Selector(text=self.response.body.decode("utf-8", "replace"), type="html").root

    @cached_property
    def _base(self) -> str:
        link = next(iter(self._tree.xpath("//base/@href")), "")
        return web_address(str(self.response.url), text(link) or "") or str(self.response.url)

    @cached_property
    def _page(self) -> PageData:
        return page_data(self._tree, self._base)

    def _absolute(self, link: str | None) -> str | None:
        """A link's whole address, without a fragment; None where it is not one of the web."""
        address = web_address(self._base, link) if link else None
        return urldefrag(address).url if address else None

    @cached_property
    def _addresses(self) -> list[str]:
        """The page's own addresses: where it was found, and what it says itself."""
        links = [*self._tree.xpath("//link[@rel='canonical']/@href"), self._page.graph("og:url")]
        found = [address for link in links if (address := self._absolute(text(link)))]
        return [str(self.response.url), *(address for address in found if self._is_ours(address))]

    def _is_ours(self, address: str) -> bool:
        """Whether an address may be this page's: of its host, and not the shop's front page, unless this is that."""
        here, there = urlsplit(str(self.response.url)), urlsplit(address)
        if not there.path.strip("/") and here.path.strip("/"):
            return False
        return _host(here.hostname) == _host(there.hostname)

    def _is_own(self, link: str) -> bool:
        address = self._absolute(link)
        return address is not None and any(_same_page(address, own) for own in self._addresses)

    def _graph_is_product(self) -> bool:
        """Whether OpenGraph says so, and the page's other data does not rather say that it is a listing."""
        priced = opengraph_facts(self._page).price is not None
        kind = self._page.graph("og:type")
        if kind is None or kind.lower() not in _GRAPH_PRODUCTS:
            return priced and kind != "product.group"
        return priced or len(self._entries) < 2

    def _main_products(self) -> list[Thing]:
        """What the page says of the product that it is about, the most trusted first; nothing on other pages."""
        found: list[Thing] = []
        for source in (self._page.json_ld, self._page.microdata):
            products = _of(source, PRODUCTS)
            own = [thing for thing in products if any(self._is_own(link) for link in _links(thing))]
            nowhere = [thing for thing in products if not _links(thing)]
            # Cards of a listing often have no address but that of a link round them.
            cards = source is self._page.microdata and len(nowhere) > 1 and not self._graph_is_product()
            if main := next(iter(own or ([] if cards else nowhere)), None):
                found += [main, *(thing for thing in own + nowhere if thing is not main and _alike(thing, main))]
        if found:
            return found
        # Data that knows the page by another address than the page itself.
        elsewhere = _of([*self._page.json_ld, *self._page.microdata], PRODUCTS) if len(self._entries) < 2 else []
        return [thing for thing in elsewhere if thing is elsewhere[0] or _alike(thing, elsewhere[0])]

    @cached_property
    def _entries(self) -> dict[str, ProductFacts | None]:
        """The addresses of the products that the page lists, and what it says of them."""
        found: dict[str, ProductFacts | None] = {}
        for source in (self._page.json_ld, self._page.microdata):
            for thing in source:
                pairs: list[tuple[str | None, Thing | None]] = []
                if thing.is_a(_LISTS):
                    pairs = [pair for value in thing.values("itemlistelement") if (pair := _entry(value, thing))]
                elif thing.is_a(PRODUCTS):
                    pairs = [(self._link_of_card(thing), thing)]
                for link, product in pairs:
                    address = self._absolute(link)
                    if address and address not in self._addresses:
                        facts = product_facts(product, []) if product else None
                        before = found.get(address)
                        found[address] = before.completed_by(facts) if before and facts else before or facts
        return found

    def _link_of_card(self, product: Thing) -> str | None:
        """Where a product in a listing leads: its own address, or its element's first link to the same shop."""
        if (link := next(iter(_links(product)), None)) or product.element is None:
            return link
        for href in product.element.xpath(".//a/@href"):
            address = self._absolute(text(href))
            if address and self._is_ours(address) and not self._is_own(address):
                return address
        return None

    def _listing(self) -> Found | None:
        lists = _of([*self._page.json_ld, *self._page.microdata], _LISTS)
        entries = self._entries
        if not entries and all(any(one.values("itemlistelement")) for one in lists):
            return None
        totals = [whole(amount(value)) or 0 for one in lists for value in one.values("numberofitems")]
        further = (self._absolute(text(href)) for href in self._tree.xpath(_NEXT))
        return ListingFound(
            urls=list(entries),
            next=next((address for address in further if address and address != str(self.response.url)), None),
            total=max([len(entries), *totals]),
            listed={url: row(facts, [], self.options.taxonomy) for url, facts in entries.items() if facts},
        )

    def _product(self, things: list[Thing]) -> Found:
        facts, links = ProductFacts(), []
        for thing in things:
            variants, others = self._variants(thing)
            if others:
                facts = facts.completed_by(product_facts(variants[0], variants[1:]))
                variants = []
            facts = facts.completed_by(product_facts(thing, variants))
            links += self._other_colours(facts, others)
        facts = facts.completed_by(opengraph_facts(self._page))
        url = self._own_address(things, facts)
        trails = _of([*self._page.json_ld, *self._page.microdata], {"breadcrumblist"})
        known = row(facts, crumbs(trails, self._is_own, facts.name), self.options.taxonomy)
        product = {
            "product_id": f"{_host(urlsplit(url).hostname)}:{facts.identity or _hash(url)}",
            "url": url,
            **known,
            "currency": facts.currency,
            "style": self._style(things),
            "parser": self.parser,
        }
        pictures = dict.fromkeys(address for link in facts.images if (address := web_address(self._base, link)))
        images = [PictureLink(address, position, "") for position, address in enumerate(pictures, start=1)]
        return ProductFound(product, images, links=list(dict.fromkeys(links)))

    def _style(self, things: list[Thing]) -> str | None:
        """What all colours of the product have in common; None where the page does not say."""
        shop = _host(urlsplit(str(self.response.url)).hostname)
        number, links = group(things)
        if number:
            return f"{shop}:{number}"
        # "_:b0" and "#group" name something within this page alone, and may name another thing on the next one.
        found = (self._absolute(link) for link in links if not link.startswith(("_:", "#")))
        return next((f"{shop}:{_hash(address)}" for address in found if address and self._is_ours(address)), None)

    def _own_address(self, things: list[Thing], facts: ProductFacts) -> str:
        links = [*(thing.link("url") for thing in things), *self._addresses[1:], *facts.links]
        found = (self._absolute(link) for link in links)
        return next((one for one in found if one and self._is_ours(one)), str(self.response.url))

    def _variants(self, product: Thing) -> tuple[list[Thing], list[Thing]]:
        """A group's variants that this page shows, and those with a page of their own; if it has none, all and none."""
        variants = product.things("hasvariant")
        own: list[Thing] = []
        others: list[Thing] = []
        for variant in variants:
            address = self._absolute(variant.link("url"))
            if address:
                here = any(_same_path(address, one) for one in self._addresses)
                (own if here else others).append(variant)
        return (own, others) if own and others else (variants, [])

    def _other_colours(self, facts: ProductFacts, others: list[Thing]) -> list[str]:
        """One address for each further colour."""
        if not self.options.colours:
            return []
        found: dict[str, str] = {}
        for variant in others:
            address = self._absolute(variant.link("url"))
            colour = variant.text("color")
            if address and (colour is None or colour != facts.colour):
                found.setdefault(colour or address, address)
        return list(found.values())


def _of(things: Iterable[Thing], kinds: set[str]) -> list[Thing]:
    return [thing for thing in things if thing.is_a(kinds)]


def _host(name: str | None) -> str:
    return (name or "").removeprefix("www.")


def _same_path(one: str, other: str) -> bool:
    first, second = urlsplit(one), urlsplit(other)
    paths = [unquote(parts.path).rstrip("/") for parts in (first, second)]
    return _host(first.hostname) == _host(second.hostname) and paths[0] == paths[1]


def _same_page(one: str, page: str) -> bool:
    """Whether an address leads to this page, which may have further parameters in its own, such as a campaign's."""
    parameters = [set(parse_qsl(urlsplit(address).query)) for address in (one, page)]
    return _same_path(one, page) and parameters[0] <= parameters[1]


def _links(product: Thing) -> list[str]:
    """The addresses that a product says are its own."""
    offers = product.things("offers")
    found = product.links("url") or [link for offer in offers for link in offer.links("url")]
    return found or product.links("mainentityofpage")


def _alike(one: Thing, other: Thing) -> bool:
    """Whether two things are about one product, as a theme's and a review plug-in's are."""
    names = ("name", "sku", "@id")
    return any({*one.texts(name)} & {*other.texts(name)} for name in names)


def _entry(value: Any, listing: Thing) -> tuple[str | None, Thing | None] | None:
    """The link and the product of a list's element; None where it lists something else."""
    if not isinstance(value, dict):
        return (text(value), None)
    element = listing.inner(value)
    item = next(iter(element.things("item", "itemoffered")), element)
    if item.types and not item.is_a(PRODUCTS | _PAGES):
        return None
    return (item.link("url", "@id") or element.link("url", "item"), item)


def _hash(url: str) -> str:
    with suppress(ValueError):
        url = canonicalize_url(url)
    return hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()[:_HASH_DIGITS]
