"""Pictures that cannot be read are not handed on: neither to annotators nor into a data set."""

from collections.abc import Sequence
from pathlib import Path

from fullshot import train
from fullshot.core.progress import say_unreadable


def unreadable(stage: str, root: Path, paths: Sequence[str], *, may_be_missing: bool = False) -> set[str]:
    """The pictures whose files are missing, or do not decode to their end; says on stderr which they are.

    Args:
        stage: such as ``boxes export``.
        root: of the workspace.
        paths: relative to it.
        may_be_missing: a file that is not there is no mistake: the picture is read elsewhere.
    """
    asked = [path for path in paths if (root / path).is_file()] if may_be_missing else paths
    broken = train.unreadable(root, asked)
    say_unreadable(stage, broken)
    return set(broken)
