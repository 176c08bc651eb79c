"""A product's row out of what schema.org's data and OpenGraph say of it."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from fullshot.core.taxonomy import Gender, Taxonomy
from fullshot.crawler.pages._schema_offers import all_offers, cost, currency_code, money, stock
from fullshot.crawler.pages._schema_things import PageData, Thing, word
from fullshot.crawler.pages._values import whole

_IDENTITIES = ("sku", "productid", "mpn", "gtin", "gtin13", "gtin12", "gtin14", "gtin8", "productgroupid")
_NO_IDENTITY = {"0", "-", "na", "n/a", "none", "null", "undefined", "default"}
"""What a shop's template writes where a product has no number: taken for one, all such products would be the same."""
_GROWN_UP = 14.0
"""Years. Clothes for people up to this age are sold as boys' and girls'."""
_BOTH = ({Gender.MEN, Gender.WOMEN}, {Gender.BOYS, Gender.GIRLS})
_STEPS = "itemlistelement"
_PATH = re.compile(r"\s*[>\u203a»|/→]\s*")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


@dataclass
class ProductFacts:
    """What one source says of a product: columns of ``products``, and what others are made from.

    Attributes:
        identity: its number in the shop.
        category: the path of categories that it is in, the narrowest last.
        audience: whom it is for, in the source's words or, where it also says their age, as a :class:`Gender`.
        images: the addresses of its pictures, as they are written.
        links: its own addresses, as they are written.
    """

    identity: str | None = None
    name: str | None = None
    brand: str | None = None
    colour: str | None = None
    price: float | None = None
    mrp: float | None = None
    currency: str | None = None
    rating: float | None = None
    rating_count: int | None = None
    sizes: str | None = None
    in_stock: bool | None = None
    category: list[str] = field(default_factory=list)
    audience: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    def completed_by(self, other: "ProductFacts") -> "ProductFacts":
        """This, and where it says nothing, what the other says."""
        values = {}
        for one in fields(self):
            own = getattr(self, one.name)
            values[one.name] = getattr(other, one.name) if own is None or own == [] else own
        return ProductFacts(**values)


def product_facts(product: Thing, variants: list[Thing]) -> ProductFacts:
    """What a Product or a ProductGroup says.

    Args:
        product: it.
        variants: those of a group's variants that count as the same product.
    """
    things = [product, *variants]
    offers = all_offers(things)
    costs = cost(offers)
    ratings = product.things("aggregaterating")
    sizes = [size for thing in things for size in thing.texts("size")]
    sizes += [size for offer in offers for one in offer.things("itemoffered") for size in one.texts("size")]
    colours = {colour: None for thing in variants for colour in thing.texts("color")}
    counts = (money(count) for rating in ratings for count in rating.values("ratingcount", "reviewcount"))
    return ProductFacts(
        identity=_identity(things),
        name=_first(things, "name"),
        brand=_first(things, "brand", "manufacturer"),
        colour=product.text("color") or (next(iter(colours)) if len(colours) == 1 else None),
        price=costs.price,
        mrp=costs.mrp,
        currency=costs.currency,
        rating=next(
            (one for rating in ratings for value in rating.values("ratingvalue") if (one := money(value))), None
        ),
        rating_count=next((whole(count) for count in counts if count is not None), None),
        sizes=",".join(dict.fromkeys(sizes)) or None,
        in_stock=stock(words for offer in offers for words in offer.texts("availability")),
        category=_category(product),
        audience=_audience(things),
        images=_images(things),
        links=[*product.links("url"), *(link for offer in offers for link in offer.links("url"))],
    )


def group(things: list[Thing]) -> tuple[str | None, list[str]]:
    """The group of products that these things, which are one product, are a colour or a size of, or are themselves.

    Returns:
        Its number in the shop, and its addresses as they are written.
    """
    above = [one for thing in things for one in thing.things("isvariantof")]
    members = [*things, *(one for thing in things for one in thing.things("hasvariant"))]
    numbers = [thing.text("productgroupid") for thing in [*things, *above]]
    numbers += [thing.text("inproductgroupwithid") for thing in members]
    links = [link for thing in things for link in thing.links("isvariantof")]
    links += [link for thing in things if thing.is_a({"productgroup"}) for link in thing.links("url", "@id")]
    return next((one for number in numbers if (one := _real(number))), None), links


def opengraph_facts(page: PageData) -> ProductFacts:
    """What OpenGraph's properties say of the page's product."""
    graph = page.graph
    before = money(graph("product:original_price:amount"))
    now = money(graph("product:sale_price:amount"))
    price = money(graph("product:price:amount", "og:price:amount"))
    availability = graph("product:availability", "og:availability")
    currency = graph("product:price:currency", "og:price:currency", "product:sale_price:currency")
    category = graph("product:category")
    gender = graph("product:gender", "product:target_gender")
    return ProductFacts(
        identity=_real(graph("product:retailer_item_id")),
        name=graph("og:title"),
        brand=graph("product:brand", "og:brand"),
        colour=graph("product:color"),
        price=price if now is None else now,
        mrp=price if now is not None and before is None else before,
        currency=currency_code(currency),
        sizes=graph("product:size"),
        in_stock=stock([availability] if availability else []),
        category=_path(category) if category else [],
        audience=[gender] if gender else [],
        images=page.open_graph.get("og:image:secure_url") or page.open_graph.get("og:image") or [],
        links=page.open_graph.get("og:url", [])[:1],
    )


def row(facts: ProductFacts, crumbs: list[str], taxonomy: Taxonomy) -> dict[str, Any]:
    """The columns of ``products`` that a listing knows too.

    Args:
        facts: what all sources say.
        crumbs: the page's breadcrumbs, for a product that has no category.
        taxonomy: product type → wear, the shop's word → gender.
    """
    kind = _product_type(facts.category, facts, taxonomy) or _product_type(crumbs, facts, taxonomy)
    return {
        "name": facts.name,
        "brand": facts.brand,
        "colour": facts.colour,
        "price": facts.mrp if facts.price is None else facts.price,
        "mrp": facts.mrp,
        "rating": facts.rating,
        "rating_count": facts.rating_count,
        "sizes": facts.sizes,
        "in_stock": facts.in_stock,
        "product_type": kind,
        "wear": _wear(kind, taxonomy) if kind else None,
        "gender": str(gender([*facts.audience, *facts.category, *crumbs, facts.name or ""], taxonomy)),
    }


def gender(phrases: Iterable[str], taxonomy: Taxonomy) -> Gender:
    """Whom the first of these phrases is about that names anyone; men and women together are unisex."""
    for phrase in phrases:
        known = (taxonomy.gender(one) for one in (phrase, *_WORD.findall(phrase)))
        found = list(dict.fromkeys(one for one in known if one is not Gender.UNKNOWN))
        if Gender.UNISEX in found or set(found) in _BOTH:
            return Gender.UNISEX
        if found:
            return found[0]
    return Gender.UNKNOWN


def _first(things: list[Thing], *names: str) -> str | None:
    return next((found for thing in things if (found := thing.text(*names))), None)


def _real(identity: str | None) -> str | None:
    return None if identity is None or identity.lower() in _NO_IDENTITY else identity


def _identity(things: list[Thing]) -> str | None:
    return next((one for thing in things for name in _IDENTITIES if (one := _real(thing.text(name)))), None)


def _images(things: list[Thing]) -> list[str]:
    """The product's pictures; those of its first variant that has any where it has none itself."""
    return next((found for thing in things if (found := thing.links("image"))), [])


def _audience(things: list[Thing]) -> list[str]:
    found = []
    for audience in (one for thing in things for one in thing.things("audience")):
        words = [word(one) for one in audience.texts("suggestedgender", "gender")] + audience.texts("audiencetype")
        ages = [*audience.values("suggestedmaxage")]
        ages += [age for one in audience.things("suggestedage") for age in one.values("maxvalue")]
        years = [age for one in ages if (age := money(one)) is not None]
        found += [_young(one) for one in words] if years and max(years) <= _GROWN_UP else words
    return found


def _young(words: str) -> str:
    """``male`` of children is boys: schema.org has no word of its own for them."""
    return {"male": Gender.BOYS.value, "female": Gender.GIRLS.value}.get(words.lower(), words)


def _path(category: str) -> list[str]:
    """The parts of a category; of an address, its last part. A number, as Google's, says nothing here."""
    if category.startswith(("http://", "https://")):
        category = word(category.partition("?")[0]).replace("-", " ").replace("_", " ")
    return [part for part in _PATH.split(category) if part and not part.isdigit()]


def _category(product: Thing) -> list[str]:
    """The path of the first category, or of several single ones, broadest first."""
    paths = [path for one in product.texts("category") if (path := _path(one))]
    if all(len(path) == 1 for path in paths):
        paths = [[part for path in paths for part in path]]
    kinds = [_path(one) for one in product.texts("additionaltype")] + [_path(one) for one in product.links("category")]
    return next((path for path in (*paths, *kinds) if path), [])


def crumbs(lists: Iterable[Thing], is_own: Callable[[str], bool], name: str | None) -> list[str]:
    """The names of a page's breadcrumbs, without "Home", and without the last one where that is the product.

    Args:
        lists: its BreadcrumbLists.
        is_own: whether an address is the page's.
        name: the product's name.
    """
    for trail in lists:
        steps = [(step.text("name") or step.text("item"), step.link("item", "url")) for step in trail.things(_STEPS)]
        found = [(label, link) for label, link in steps if label and not label.startswith(("http://", "https://"))]
        if found and (found[-1][0] == name or found[-1][1] is None or is_own(found[-1][1])):
            found.pop()
        names = [label for label, _ in found if label.lower() != "home"]
        if names:
            return names
    return []


def _product_type(path: list[str], facts: ProductFacts, taxonomy: Taxonomy) -> str | None:
    """The last part of a path that is about what it is, not whom it is for or who made it."""
    brand = re.compile(rf"(?<!\w){re.escape(facts.brand)}(?!\w)", re.IGNORECASE) if facts.brand else None
    for part in reversed(path):
        if taxonomy.gender(part) is Gender.UNKNOWN and not (brand and brand.search(part)):
            return part
    return None


def _wear(product_type: str, taxonomy: Taxonomy) -> str | None:
    """Where it is worn, if the taxonomy knows the type in the plural or the singular; of "Shirts & Tops" both parts."""
    if known := taxonomy.wear(product_type):
        return str(known)
    wears = {
        next((wear for form in _forms(part) if (wear := taxonomy.wear(form))), None)
        for part in re.split(r"\s*(?:&|,|\band\b)\s*", product_type.lower())
    }
    only = wears.pop() if len(wears) == 1 else None
    return str(only) if only else None


def _forms(kind: str) -> list[str]:
    forms = [kind, kind + "s", kind + "es"]
    if kind.endswith("s"):
        forms.append(kind[:-1])
    if kind.endswith("es"):
        forms.append(kind[:-2])
    return forms
