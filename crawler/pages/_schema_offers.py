"""What a thing costs and whether it is there, out of schema.org's many ways to say so."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fullshot.crawler.pages._schema_things import Thing, word
from fullshot.crawler.pages._values import amount, number

IN_STOCK = {"instock", "limitedavailability", "onlineonly", "instoreonly", "madetoorder", "availablefororder"}
"""Values of schema.org's ItemAvailability, and OpenGraph's, of what can be bought today."""
NOT_IN_STOCK = {
    "outofstock", "soldout", "discontinued", "backorder", "preorder", "presale", "reserved", "oos", "pending",
}  # fmt: skip
"""And of what cannot."""

_BEFORE_A_DISCOUNT = {"listprice", "strikethroughprice", "regularprice", "msrp", "srp"}
"""Values of schema.org's PriceTypeEnumeration."""
_FIGURES = re.compile(r"(?P<minus>[-−])?\d[\d.,'’\s]*")
_THOUSAND = 3
"""So many digits stand behind a mark that groups them; no currency in wide use has as many behind its point."""


def money(value: Any) -> float | None:
    """A price as a number, or as people write it, with a sign, a currency's name, or marks between the thousands.

    A string that is a number as schema.org asks for is that number: its dot is a decimal point.
    """
    if not isinstance(value, str):
        return amount(value)
    plain = number(value)
    if plain is not None:
        return amount(plain)
    found = _FIGURES.search(value)
    if found is None or found["minus"]:
        return None
    figures = re.sub(r"[\s'’]", "", found[0]).rstrip(".,")
    marks = [mark for mark in figures if mark in ".,"]
    if marks and _is_decimal(figures, marks):
        front, _, cents = figures.rpartition(marks[-1])
        return amount(f"{re.sub('[.,]', '', front)}.{cents}")
    return amount(re.sub("[.,]", "", figures))


def _is_decimal(figures: str, marks: list[str]) -> bool:
    """Whether the last mark is a decimal point rather than one that groups thousands."""
    if len(set(marks)) > 1:
        return marks.count(marks[-1]) == 1
    if len(marks) > 1:
        return False
    front, _, behind = figures.rpartition(marks[0])
    return len(behind) != _THOUSAND or front == "0"


def stock(words: Iterable[str]) -> bool | None:
    """Whether any of these says that there is one to be had; None where none is understood."""
    words_found = {re.sub("[^a-z]", "", word(one).lower()) for one in words}
    if words_found & IN_STOCK:
        return True
    return False if words_found & NOT_IN_STOCK else None


def currency_code(code: str | None) -> str | None:
    """An ISO 4217 code; a sign such as $ is several currencies'."""
    return code.upper() if code and re.fullmatch("[A-Za-z]{3}", code) else None


@dataclass(frozen=True)
class Cost:
    """One offer's price, its price before a discount, and its currency."""

    price: float | None
    mrp: float | None
    currency: str | None


def all_offers(things: Iterable[Thing]) -> list[Thing]:
    """The offers for these things, and those that an AggregateOffer sums up."""
    offers = [offer for thing in things for offer in thing.things("offers")]
    return [*offers, *(inner for offer in offers for inner in offer.things("offers"))]


def cost(offers: list[Thing]) -> Cost:
    """What the cheapest of these offers costs, among those in the first one's currency."""
    costs = [_cost(offer) for offer in offers]
    priced = [one for one in costs if one.price is not None]
    if not priced:
        currency = next((one.currency for one in costs if one.currency), None)
        mrp = next((one.mrp for one in costs if one.mrp is not None), None)
        return Cost(mrp, mrp, currency)
    return min((one for one in priced if one.currency == priced[0].currency), key=lambda one: one.price or 0.0)


def _cost(offer: Thing) -> Cost:
    usual: list[Thing] = []
    before: list[Thing] = []
    currencies = offer.texts("pricecurrency")
    for part in offer.things("pricespecification"):
        kinds = {word(kind).lower() for kind in part.texts("pricetype")}
        if any(part.values("referencequantity")) and not kinds & _BEFORE_A_DISCOUNT:
            continue  # The price of a litre or a metre.
        (before if kinds & _BEFORE_A_DISCOUNT else usual).append(part)
        currencies += part.texts("pricecurrency")
    price = _first([offer], "price", "lowprice")
    if price is None:
        price = _first(usual, "price", "minprice")
    mrp = _first(before, "price", "maxprice")
    if mrp is None:
        mrp = _first([offer], "highprice")
    return Cost(price, mrp, next((code for one in currencies if (code := currency_code(one))), None))


def _first(things: list[Thing], *names: str) -> float | None:
    found = (money(value) for name in names for thing in things for value in thing.values(name))
    return next((one for one in found if one is not None), None)
