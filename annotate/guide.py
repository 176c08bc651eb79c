"""What annotators are told before they begin, with drawings; HTML, as Label Studio shows it above a task."""

from base64 import b64encode

_BODY = (
    '<circle cx="50" cy="18" r="10" fill="#c9a48a"/>'
    '<path d="M34 32h32l8 46h-10l-4-24v28H40V54l-4 24H26z" fill="#7a8ca5"/>'
    '<path d="M40 82h20l4 64H53l-3-48-3 48H36z" fill="#4d4d4d"/>'
    '<path d="M33 146h14v8H29zM53 146h14l4 8H53z" fill="#8c4a2f"/>'
)


def _drawing(boxes: str, height: int = 160) -> str:
    picture = f'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="{height}" viewBox="0 0 100 {height}">'
    whole = f'{picture}<rect width="100" height="{height}" fill="#f2f2f2"/>{_BODY}{boxes}</svg>'
    return f'<img src="data:image/svg+xml;base64,{b64encode(whole.encode()).decode()}" alt="">'


def _box(x: int, y: int, width: int, height: int, colour: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="none" stroke="{colour}" stroke-width="3"/>'


_RIGHT = _box(25, 31, 50, 52, "#0072b2") + _box(35, 81, 30, 66, "#e69f00") + _box(28, 145, 44, 10, "#009e73")
_LOOSE = _box(10, 24, 80, 70, "#0072b2")

INSTRUCTIONS = f"""
<p><b>Draw a box round each garment that the person wears.</b> The boxes that are there already are the machine's:
move, relabel or delete what is wrong, add what is missing, then submit.</p>
<table><tr>
<td>{_drawing(_RIGHT)}</td><td>{_drawing(_LOOSE)}</td><td>{_drawing("", 84)}</td>
</tr><tr>
<td>Right: close to the cloth.<br>1 top, 2 bottom, 3 foot, 4 long</td>
<td>Wrong: too loose, and<br>the rest is missing</td>
<td>Not a full shot: say so (5),<br>and draw nothing</td>
</tr></table>
<p>Both shoes are one box. A dress or overall is <i>long</i>; an open coat over a shirt is one <i>top</i>.
A second person in the background is left out. In doubt: skip, or leave a comment.</p>
""".strip()
