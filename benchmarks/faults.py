"""A crawl of a shop with faults: is everything found, once, and whole?

On the first answer, one address in twenty each says 503, says 429, sends half a picture, or a page without data. With
--url a shop that is served elsewhere is crawled instead; --truth is then a CSV of what there is to find, a line a
picture, with at least the columns product_id and image_url.
"""

from collections.abc import Sequence
from pathlib import Path

from benchmarks import _check, _common
from benchmarks._check import Truth
from benchmarks._common import Row
from benchmarks._content import Plan
from benchmarks.shop import Faults

PLAN = Plan(products=500, page_bytes=50_000, pictures=1, look_every=6)
FAULTS = Faults(error_rate=0.05, limit_rate=0.05, cut_rate=0.05, blocked_rate=0.05)


def measure(folder: Path, urls: Sequence[str], truth: Truth) -> list[Row]:
    """Crawl, and compare what was found with the truth."""
    workspace = folder / "workspace"
    done = _common.run(_common.crawl_command(workspace, urls), folder)
    if done.code != 0:
        _common.say(done.errors)
    return [
        *_check.compare(workspace, truth),
        Row("exit code", done.code, 0, None, "0", done.code == 0),
        Row("seconds", done.seconds),
    ]


def main(arguments: list[str] | None = None) -> None:
    """The script."""
    parser = _common.parser_of(__doc__, PLAN)
    _common.add_flags(parser, FAULTS)
    parser.add_argument("--url", nargs="+", metavar="URL", help="listings of a shop that is served elsewhere")
    parser.add_argument("--truth", type=Path, metavar="CSV", help="what there is to find in that shop")
    given = parser.parse_args(arguments)
    if bool(given.url) != bool(given.truth):
        parser.error("expected --url and --truth together, or neither")
    with _common.scratch(given.folder) as scratch:
        if given.url:
            rows = measure(scratch, given.url, _check.truth_from(given.truth))
        else:
            with _common.serving(_common.plan_of(given), _common.faults_of(given)) as shop:
                rows = measure(scratch, [shop.listing], _check.truth_of(shop.truth()))
    _common.show("A crawl of a shop with faults", rows, as_json=given.as_json, peer="there is")


if __name__ == "__main__":
    main()
