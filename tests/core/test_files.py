"""Files that are there whole, or not at all."""

import errno
import os
from pathlib import Path

import pytest

from fullshot.core import files
from fullshot.core.files import read_json, sample_digest


def test_a_json_object_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"run": "é"}', encoding="utf-8")
    assert read_json(tmp_path / "a.json") == {"run": "é"}


@pytest.mark.parametrize("content", [b"", b'{"run": ', b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_object_is_empty(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    assert read_json(tmp_path / "a.json") == {}
    assert read_json(tmp_path / "none.json") == {}


def test_every_byte_of_a_small_file_counts_and_its_length(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    digests = set()
    for content in (b"", b"a", b"aa", b"a" * 99_999 + b"b", b"a" * 50_000 + b"b" + b"a" * 49_999, b"a" * 2**20):
        path.write_bytes(content)
        digests.add(sample_digest(path))
    assert len(digests) == 6
    path.unlink()
    assert sample_digest(path) == ""


def test_of_a_large_file_blocks_count_from_its_first_to_its_last(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    content = bytes(range(256)) * 40_000
    path.write_bytes(content)
    before = sample_digest(path)
    assert sample_digest(path) == before
    for changed in (
        b"x" + content[1:],
        content[:-1] + b"x",
        content[:-1],
        content[: len(content) // 2] + bytes(200_000) + content[len(content) // 2 + 200_000 :],
    ):
        path.write_bytes(changed)
        assert sample_digest(path) != before


def test_what_cannot_be_finished_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_bytes(tmp_path / "new", b"content")
    assert not list(tmp_path.iterdir())


def test_a_folder_takes_the_place_of_another_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "out"

    def written(name: str, text: str, error: BaseException | None = None) -> None:
        with files.replaced_folder(folder) as part:
            (part / name).write_text(text)
            if error is not None:
                raise error

    written("a", "1")
    with pytest.raises(KeyboardInterrupt):
        written("a", "half", KeyboardInterrupt())
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")} == {"out", "out/a"}
    assert (folder / "a").read_text() == "1"
    # Killed between the two moves: what was set aside comes back, and is not lost if the next attempt fails as well.
    folder.rename(tmp_path / ".out.before")
    with pytest.raises(OSError, match="full"):
        written("b", "half", OSError("the disk is full"))
    assert (folder / "a").read_text() == "1"
    written("b", "2")
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")} == {"out", "out/b"}
