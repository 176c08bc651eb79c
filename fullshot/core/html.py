"""Pages that a command writes for people: one file of HTML each, of one look, which opens without a network."""

import datetime
from pathlib import Path

import jinja2
from markupsafe import Markup

_STYLESHEET = Path(__file__).with_name("page.css")


def environment(folder: Path) -> jinja2.Environment:
    """What renders a page's templates.

    Args:
        folder: in which they lie.

    Returns:
        With the look of all pages as the global ``css``, and the filters ``number``, ``percent``, ``decimal`` and
        ``when``.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,  # names, types and reasons are a shop's words: nothing of them is mark-up
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": _number, "percent": _percent, "decimal": _decimal, "when": _when}
    made.globals["css"] = Markup(_STYLESHEET.read_text("utf-8"))  # noqa: S704 – a file of this package
    return made


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _when(moment: str) -> str:
    """A time of a run's record as people write it; a record may be edited, then as it stands there."""
    try:
        time = datetime.datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def _percent(share: float | None) -> str:
    """A share in words: one that is neither nothing nor all is never told as such."""
    if share is None:
        return "–"
    if 0 < share < 0.001:
        return "< 0.1%"
    if 0.999 < share < 1:
        return "> 99.9%"
    return f"{share:.1%}"
