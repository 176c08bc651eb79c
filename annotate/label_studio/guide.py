"""What annotators are told before they begin, with a drawing; HTML, as Label Studio shows it above a task."""

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7")
"""Of the labels, in the order of GARMENTS: four of Okabe and Ito's eight, which the colour-blind tell apart."""

FILE = "fullshot-guide.svg"
"""The drawing's name."""

_BODY = (
    '<circle cx="50" cy="18" r="10" fill="#c9a48a"/>'
    '<path d="M34 32h32l8 46h-10l-4-24v28H40V54l-4 24H26z" fill="#7a8ca5"/>'
    '<path d="M40 82h20l4 64H53l-3-48-3 48H36z" fill="#4d4d4d"/>'
    '<path d="M33 146h14v8H29zM53 146h14l4 8H53z" fill="#8c4a2f"/>'
)


def _box(x: int, y: int, width: int, height: int, colour: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="none" stroke="{colour}" stroke-width="3"/>'


def _panel(number: int, boxes: str, *, height: int = 160) -> str:
    ground = f'<rect width="100" height="{height}" fill="#f2f2f2"/>'
    clip = f'<clipPath id="clip{number}"><rect width="100" height="{height}"/></clipPath>'
    inside = f'{clip}<g clip-path="url(#clip{number})">{ground}{_BODY}{boxes}</g>'
    return f'<g transform="translate({number * 125 + 5} 5)">{inside}</g>'


_TOP, _BOTTOM, _FOOT, _ = COLOURS
_RIGHT = _box(25, 31, 50, 52, _TOP) + _box(35, 81, 30, 66, _BOTTOM) + _box(28, 145, 44, 10, _FOOT)
_LOOSE = _box(10, 24, 80, 70, _TOP)

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="360" height="170" viewBox="0 0 360 170">'
    f"{_panel(0, _RIGHT)}{_panel(1, _LOOSE)}{_panel(2, '', height=84)}</svg>"
).encode()
"""Boxes as they should be; a box as it should not be; and what is no full shot. SVG, side by side."""


def instructions(drawing: str) -> str:
    """The instructions.

    Args:
        drawing: the address of :data:`DRAWING`.
    """
    return f"""
<p><b>Draw a box round each garment that the person wears.</b> The boxes that are there already are the machine's:
move, relabel or delete what is wrong, add what is missing, then submit.</p>
<p><img src="{drawing}" alt="three drawings of a dressed person" width="360" height="170"></p>
<ul>
<li>Left, right: close to the cloth. Keys: 1 top, 2 bottom, 3 foot, 4 long.</li>
<li>Middle, wrong: too loose, and trousers and shoes are missing.</li>
<li>Right, not a full shot: say so (key 5), and draw nothing.</li>
</ul>
<p>Both shoes are one box. A dress or overall is <i>long</i>; an open coat over a shirt is one <i>top</i>.
A second person in the background is left out. In doubt: skip, or leave a comment.</p>
""".strip()
