"""Files that are there whole, or not at all."""

from pathlib import Path

import pytest

from fullshot.core.files import read_json


def test_a_json_object_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"run": "é"}', encoding="utf-8")
    assert read_json(tmp_path / "a.json") == {"run": "é"}


@pytest.mark.parametrize("content", [b"", b'{"run": ', b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_object_is_empty(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    assert read_json(tmp_path / "a.json") == {}
    assert read_json(tmp_path / "none.json") == {}
