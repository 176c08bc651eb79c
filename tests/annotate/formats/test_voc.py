"""Pascal VOC's XML files."""

from pathlib import Path

import pytest

from fullshot.annotate.formats.annotated import Annotated
from fullshot.annotate.formats.voc import VocFormat
from fullshot.core.errors import UserError

# As VOC 2012 has them: pixels from 1, the last one belongs to the box; parts of objects, which are no objects.
SAMPLE = """<annotation>
  <folder>VOC2012</folder>
  <filename>2007_000027.jpg</filename>
  <size><width>486</width><height>500</height><depth>3</depth></size>
  <segmented>0</segmented>
  <object>
    <name>shirt</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>
    <bndbox><xmin>1</xmin><ymin>101</ymin><xmax>486</xmax><ymax>351</ymax></bndbox>
    <part><name>sleeve</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part>
  </object>
  <object><name>shoe</name><bndbox><xmax>20.5</xmax><xmin>11.25</xmin><ymin>2</ymin><ymax>3</ymax></bndbox></object>
</annotation>"""


def saved(folder: Path, text: str, name: str = "a.xml") -> Path:
    (folder / "Annotations").mkdir(parents=True, exist_ok=True)
    (folder / "Annotations" / name).write_text(text, encoding="utf-8")
    return folder


def test_pixels_count_from_one_and_the_last_belongs_to_the_box(tmp_path: Path) -> None:
    boxes = (("shirt", (0.0, 100.0, 486.0, 351.0)), ("shoe", (10.25, 1.0, 20.5, 3.0)))
    expected = [Annotated("2007_000027.jpg", 486, 500, boxes)]
    assert VocFormat().load(saved(tmp_path, SAMPLE)) == expected
    assert VocFormat().load(tmp_path / "Annotations") == expected
    assert VocFormat().load(tmp_path / "Annotations" / "a.xml") == expected


def test_a_file_may_say_neither_the_name_nor_the_size(tmp_path: Path) -> None:
    saved(tmp_path, "<annotation><size><width>0</width><height>0</height></size></annotation>", "b.xml")
    saved(tmp_path, "<annotation/>", "c.xml")
    assert VocFormat().load(tmp_path) == [Annotated("b", None, None), Annotated("c", None, None)]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<name>shoe</name>", "", "object 2: expected a <name>"),
        ("<xmin>11.25</xmin>", "", "object 2: expected <xmin> in <bndbox>"),
        ("11.25", "left", "object 2: xmin: expected a number, got 'left'"),
        ("11.25", "nan", "object 2: xmin: expected a finite number, got 'nan'"),
        ("11.25", "31", "object 2: expected xmin ≤ xmax and ymin ≤ ymax, got 31, 2, 20.5, 3"),
        ("20.5", "1e9", "object 2: expected pixels, less than 1,000,000, got 1e+09"),
        ("486</width>", "wide</width>", "size: width: expected a number, got 'wide'"),
        ("486</width>", "-4</width>", "size: width: expected a whole number of pixels, got -4"),
        ("annotation>", "html>", "expected <annotation>, got <html>"),
        ("</annotation>", "", "not a VOC file, which is XML: no element found: line 12, column 0"),
        ("<annotation>", "<!DOCTYPE annotation><annotation>", "expected no DOCTYPE, got 'annotation'"),
    ],
)
def test_a_malformed_file_names_its_part(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        VocFormat().load(saved(tmp_path, SAMPLE.replace(old, new)))
    assert str(caught.value).startswith(f"{tmp_path}/Annotations/a.xml: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_turned_box_is_refused(tmp_path: Path) -> None:
    turned = "<annotation><object><name>a</name><robndbox><cx>1</cx></robndbox></object></annotation>"
    with pytest.raises(UserError, match=r"object 1: expected a box \(<bndbox>\), got a turned one"):
        VocFormat().load(saved(tmp_path, turned))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_not_expanded(tmp_path: Path, encoding: str) -> None:
    # "Billion laughs": two kilobytes that grow to gigabytes.
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    text = f"<!DOCTYPE annotation [{laughs}]><annotation><filename>&l9;</filename></annotation>"
    (saved(tmp_path, "") / "Annotations" / "a.xml").write_bytes(text.encode(encoding))
    with pytest.raises(UserError, match="expected no DOCTYPE"):
        VocFormat().load(tmp_path)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected Annotations/\*\.xml or \*\.xml in "):
        VocFormat().load(tmp_path)
