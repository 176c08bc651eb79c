"""Page objects, a module a shop. A new shop is a module here with its line in :data:`SHOPS`, or another package's."""

from collections.abc import Callable, Mapping
from typing import cast

import tldextract.tldextract
from url_matcher import Patterns
from web_poet import ApplyRule, HttpResponse, RulesRegistry
from web_poet.exceptions import UseFallback

from fullshot.crawler.items import Found, NothingFound
from fullshot.crawler.pages.base import PageOptions, ShopPage
from fullshot.crawler.registries import SHOPS

__all__ = ["SHOPS", "PageOptions", "ShopPage", "page_finder", "page_of", "parse", "rules"]

# Addresses are matched by registered domain: the list of public suffixes that comes along will do, and is not asked of
# the network.
tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())

_NAMED = 1000
"""A page object that the user named for a host wins over the one that its address would choose (500)."""


def rules(shop: str | None = None, shops: Mapping[str, str] | None = None) -> list[ApplyRule]:
    """Which page object reads which address.

    Args:
        shop: whose page object reads every page; None: each page is read by that of its address.
        shops: hosts (``host:port``) whose pages are read by the page object of a shop, whatever their address.

    Raises:
        UserError: no shop of that name is known, or another package's does not load.
    """
    if shop is not None:
        return [ApplyRule("", use=SHOPS.get(shop), instead_of=ShopPage)]
    found = [ApplyRule(page.patterns, use=page, instead_of=ShopPage) for page in SHOPS.load_all().values()]
    for host, name in (shops or {}).items():
        if name:
            # A port that goes without saying is not in the address.
            pattern = Patterns([host.removesuffix(":80").removesuffix(":443")], priority=_NAMED)
            found.append(ApplyRule(pattern, use=SHOPS.get(name), instead_of=ShopPage))
    return found


def page_finder(shop: str | None = None, shops: Mapping[str, str] | None = None) -> Callable[[str], type[ShopPage]]:
    """A function from an address to the page object that reads it; see :func:`rules`.

    Raises:
        UserError: no shop of that name is known.
    """
    registry = RulesRegistry(rules=rules(shop, shops))
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
