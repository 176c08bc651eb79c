"""Page objects, a module a shop. A new shop is a new module here, and its line in :data:`SHOPS`."""

from collections.abc import Callable
from typing import cast

import tldextract.tldextract
from web_poet import ApplyRule, HttpResponse, RulesRegistry
from web_poet.exceptions import UseFallback

from crawler.items import Found, NothingFound
from crawler.pages._base import PageOptions, ShopPage
from crawler.pages.myntra import MyntraPage
from crawler.pages.schema_org import SchemaOrgPage
from fullshot.errors import UserError

# Addresses are matched by registered domain: the list of public suffixes that comes along will do, and is not asked of
# the network.
tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())

SHOPS: dict[str, type[ShopPage]] = {"myntra": MyntraPage, "schema_org": SchemaOrgPage}
"""A shop's name, as ``--shop`` takes it, and its page object."""


def rules(shop: str | None = None) -> list[ApplyRule]:
    """Which page object reads which address.

    Args:
        shop: whose page object reads every page; None: each page is read by that of its address.

    Raises:
        UserError: no shop of that name is known.
    """
    if shop is None:
        return [ApplyRule(page.patterns, use=page, instead_of=ShopPage) for page in SHOPS.values()]
    if shop not in SHOPS:
        raise UserError(f"expected a shop out of {', '.join(sorted(SHOPS))}, got {shop!r}")
    return [ApplyRule("", use=SHOPS[shop], instead_of=ShopPage)]


def page_finder(shop: str | None = None) -> Callable[[str], type[ShopPage]]:
    """A function from an address to the page object that reads it.

    Raises:
        UserError: no shop of that name is known.
    """
    registry = RulesRegistry(rules=rules(shop))
    return lambda url: cast("type[ShopPage]", registry.overrides_for(url)[ShopPage])


def page_of(url: str, shop: str | None = None) -> type[ShopPage]:
    """The page object that reads an address; for several, see :func:`page_finder`."""
    return page_finder(shop)(url)


def parse(url: str, body: bytes, options: PageOptions, shop: str | None = None) -> Found:
    """What a page yields.

    Args:
        url: the page's address; links in it are resolved against this.
        body: the page's bytes.
        options: what the user asks of it.
        shop: the shop's name; None: by the address.

    Raises:
        UserError: no shop of that name is known.
    """
    try:
        return page_of(url, shop)(HttpResponse(url, body=body), options).find()
    except UseFallback as error:
        return NothingFound(str(error))


__all__ = ["SHOPS", "PageOptions", "ShopPage", "page_finder", "page_of", "parse", "rules"]
