"""A synthetic shop on this machine in Myntra's page shape, to measure a crawl on.

Listings show 50 products a page and go on by ?p=2; product pages carry window.__myx. Everything is made when it is
asked for, so a shop of 20,000 products takes neither memory nor disk. Faults, decided by hash of the path, come on the
first answer only. The first line that it prints is a JSON object: base, and the listing that shows every product.

/__log       how often each path was asked for, as a JSON object
/__progress  how many different listing, product and picture addresses were asked for, and requests in all
/__truth     id, page and pictures of every product
"""

import argparse
import asyncio
import contextlib
import dataclasses
import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from benchmarks._content import FIRST_ID, LISTING, Content, Plan
from fullshot.core.process import end_with_stdin

HOST = "127.0.0.1"
BACKLOG = 4096

_PICTURE = re.compile(r"/assets/images/(\d+)-(\w+)\.jpg$")
_PRODUCT = re.compile(r"/(\d+)/buy$")
_ROBOTS = b"User-agent: *\nDisallow: /checkout\nDisallow: /my/\n"
_NO_PRODUCT = b'<html><script>window.__myx = {"pdpData": null}</script></html>'
_BLOCKED = b"<html><title>Site Maintenance</title><body>Oops! Something went wrong.</body></html>"
_HTML = "text/html; charset=utf-8"
_REASONS = {
    200: "OK",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class Faults:
    """How often the first answer of an address goes wrong; the rates add up to 1 at most.

    Attributes:
        error_rate: it is 503.
        limit_rate: it is 429, with ``Retry-After: 1``.
        cut_rate: the connection is closed half-way; pictures only.
        blocked_rate: it is a page without data, as a shop shows it to what it takes for a bot; pages only.
    """

    error_rate: float = 0.0
    limit_rate: float = 0.0
    cut_rate: float = 0.0
    blocked_rate: float = 0.0


@dataclass(frozen=True)
class Answer:
    """An answer to a request; ``cut``: half of it is sent, and the connection closed."""

    status: int
    kind: str
    body: bytes
    extra: str = ""
    cut: bool = False


class Shop:
    """The shop: its answers, and a log of what was asked.

    Args:
        plan: how large it is.
        faults: what goes wrong.
        base: scheme, host and port of its links, without a slash at the end.
    """

    def __init__(self, plan: Plan, faults: Faults, base: str) -> None:
        self.content = Content(plan, base)
        self.faults = faults
        self.log: Counter[str] = Counter()
        self.asked = {"listings": 0, "products": 0, "pictures": 0, "others": 0, "requests": 0}

    def answer(self, target: str) -> Answer:
        """The answer to a request for a path with its query."""
        url = urlsplit(target)
        path = unquote(url.path)
        if path.startswith("/__"):
            return self._told(path)
        kind, answer = self._content(path, url.query)
        self.log[target] += 1
        self.asked["requests"] += 1
        if self.log[target] > 1:
            return answer
        self.asked[kind] += 1
        return self._faulty(target, kind, answer)

    def _told(self, path: str) -> Answer:
        known = {"/__log": lambda: self.log, "/__progress": lambda: self.asked, "/__truth": self.content.truth}
        if path not in known:
            return Answer(404, "text/plain", b"no such page")
        return Answer(200, "application/json", json.dumps(known[path]()).encode())

    def _content(self, path: str, query: str) -> tuple[str, Answer]:
        """What lies at a path, and the name it is counted under."""
        if found := _PICTURE.search(path):
            body = self.content.picture(int(found[1]) - FIRST_ID, found[2])
            return "pictures", Answer(404, "text/plain", b"no picture") if body is None else Answer(
                200, "image/jpeg", body
            )
        if found := _PRODUCT.search(path):
            number = int(found[1]) - FIRST_ID
            if not self.content.has(number):
                return "products", Answer(404, _HTML, _NO_PRODUCT)
            return "products", Answer(200, _HTML, self.content.product_page(number))
        if path == LISTING:
            page = parse_qs(query).get("p", ["1"])[0]
            return "listings", Answer(
                200, _HTML, self.content.listing_page(max(1, int(page)) if page.isdecimal() else 1)
            )
        if path == "/robots.txt":
            return "others", Answer(200, "text/plain", _ROBOTS)
        return "others", Answer(404, "text/plain", b"no such page")

    def _faulty(self, target: str, kind: str, answer: Answer) -> Answer:
        """The first answer of an address, as the faults have it."""
        if kind == "others":
            return answer
        roll = share(target, self.content.plan.seed)
        for name, rate in dataclasses.asdict(self.faults).items():
            if roll < rate:
                return self._fault(name, kind, answer)
            roll -= rate
        return answer

    def _fault(self, name: str, kind: str, answer: Answer) -> Answer:
        if name == "error_rate":
            return Answer(503, "text/plain", b"try again")
        if name == "limit_rate":
            return Answer(429, "text/plain", b"slow down", "Retry-After: 1\r\n")
        if name == "cut_rate" and kind == "pictures":
            return dataclasses.replace(answer, cut=True)
        if name == "blocked_rate" and kind != "pictures":
            return Answer(200, _HTML, _BLOCKED)
        return answer


def share(text: str, seed: int) -> float:
    """A number in [0, 1) that depends on the text and the seed alone."""
    digest = hashlib.blake2b(f"{seed} {text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


class _Connection(asyncio.Protocol):
    """One connection: requests in, answers out, kept open (asyncio sets TCP_NODELAY by itself)."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head, self._received = self._received[:end], self._received[end + 4 :]
            self._answer(head.decode("latin-1"))

    def _answer(self, head: str) -> None:
        transport = self._transport
        line, _, fields = head.partition("\r\n")
        words = line.split(" ")
        if transport is None or transport.is_closing() or len(words) != 3:
            return
        method, target, version = words
        closes = version == "HTTP/1.0" or re.search(r"(?im)^connection:\s*close", fields) is not None
        if method in ("GET", "HEAD"):
            answer = self._shop.answer(target)
        else:
            answer, closes = Answer(405, "text/plain", b"only GET and HEAD"), True
        stays = "close" if closes else "keep-alive"
        lines = (
            f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}\r\nContent-Type: {answer.kind}\r\n"
            f"Content-Length: {len(answer.body)}\r\n{answer.extra}Connection: {stays}\r\n\r\n"
        )
        body = b"" if method == "HEAD" else answer.body[: len(answer.body) // 2] if answer.cut else answer.body
        transport.write(lines.encode("latin-1") + body)
        if closes or answer.cut:
            transport.close()


async def serve(plan: Plan, faults: Faults, port: int = 0) -> None:
    """Serve the shop until this is cancelled; port 0: a free one."""
    shops: list[Shop] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(shops[0]), HOST, port, backlog=BACKLOG, start_serving=False)
    base = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    shops.append(Shop(plan, faults, base))
    async with server:
        await server.start_serving()
        print(json.dumps({"base": base, "listing": base + LISTING}), flush=True)
        await server.serve_forever()


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for section in (Plan(), Faults()):
        for name, value in dataclasses.asdict(section).items():
            parser.add_argument(
                f"--{name.replace('_', '-')}", type=type(value), default=value, help=f"default: {value}"
            )
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--end-with-stdin", action="store_true", help="end when standard input is closed")
    given = vars(parser.parse_args(arguments))
    if given["end_with_stdin"]:
        end_with_stdin()
    plan = Plan(**{field.name: given[field.name] for field in dataclasses.fields(Plan)})
    faults = Faults(**{field.name: given[field.name] for field in dataclasses.fields(Faults)})
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(plan, faults, given["port"]))


if __name__ == "__main__":
    main()
