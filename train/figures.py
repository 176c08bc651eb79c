"""Figures of evaluations, kept beside what they measure: shown again while all that they depend on is the same."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import fullshot
from fullshot.core.files import digest, read_json, write_text
from fullshot.core.progress import say_unchanged
from fullshot.core.workspace import Workspace

_INPUTS = "inputs"


def inputs_of(
    workspace: Workspace, tables: Sequence[str], sections: Mapping[str, BaseModel], **others: str
) -> dict[str, str]:
    """What figures depend on, by its name.

    Args:
        workspace: with the tables, and the taxonomy.
        tables: those that are read; their digests are kept with them.
        sections: of the settings, by name.
        **others: such as ``embedder``, the digest of its weights.
    """
    return {
        **workspace.digests(tables),
        "taxonomy.toml": digest(workspace / "taxonomy.toml"),
        "version": fullshot.__version__,
        **{name: section.model_dump_json() for name, section in sections.items()},
        **others,
    }


def kept_figures(path: Path, inputs: Mapping[str, str], stage: str) -> dict[str, Any] | None:
    """The figures of an earlier evaluation of the same inputs, and a line that says so; None where there are none.

    Where pictures could not be read there are none either: they may have been brought back.

    Args:
        path: the file of :func:`keep_figures`.
        inputs: see :func:`inputs_of`.
        stage: such as ``evaluate embedder``.
    """
    figures = of_inputs(path, inputs)
    if figures is None or figures.get("unreadable"):
        return None
    say_unchanged(stage, "this was measured", f"these are the figures of {path}")
    return figures


def of_inputs(path: Path, inputs: Mapping[str, str]) -> dict[str, Any] | None:
    """The figures of an earlier evaluation of the same inputs; None where there are none.

    Args:
        path: the file of :func:`keep_figures`.
        inputs: see :func:`inputs_of`.
    """
    figures = read_json(path)
    return figures if figures.pop(_INPUTS, None) == inputs else None


def keep_figures(path: Path, inputs: Mapping[str, str], figures: Mapping[str, Any]) -> None:
    """Write the figures of an evaluation, and what they depend on, in one step."""
    write_text(path, json.dumps({**figures, _INPUTS: inputs}, indent=1) + "\n")
