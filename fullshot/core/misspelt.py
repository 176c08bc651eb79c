"""Names of settings that there are not: in the environment they are looked for, and what was meant is guessed."""

import difflib
import os
from collections.abc import Iterable, Mapping, Sequence

from fullshot.core import renaming
from fullshot.core.errors import UserError

Sections = Mapping[str, Sequence[str]]
"""The sections, and the keys of each."""


def check_environment(sections: Sections, renamed: Iterable[str]) -> None:
    """Look for misspelt variables; pydantic would tell neither their name nor that they are variables.

    Args:
        sections: those that there are.
        renamed: old names of settings, section and key, which are understood.

    Raises:
        UserError: a variable names a known section and a key that it does not have. Other variables that begin with
            ``FULLSHOT_`` are no settings.
    """
    understood = {renaming.variable(old) for old in renamed}
    for variable in sorted(os.environ):
        if variable.upper() in understood:
            continue
        prefix, _, name = variable.upper().partition("_")
        section, underscore, key = name.lower().partition("_")
        keys = sections.get(section)
        if prefix == "FULLSHOT" and underscore and keys is not None and key not in keys:
            raise UserError(
                f"unknown setting {variable} in the environment; {hint(sections, section, key, in_environment=True)}"
            )


def hint(sections: Sections, section: str, key: str = "", *, in_environment: bool = False) -> str:
    """What may have been meant by a section, or by a key of a known section, that there is not.

    Args:
        sections: those that there are.
        section: as it was written.
        key: as it was written; empty: none was.
        in_environment: whether a variable is to be named.
    """
    known = sections.get(section, [])
    likely = difflib.get_close_matches(key, known, 1) if known else difflib.get_close_matches(section, sections, 1)
    if not known and not likely:  # a key that stands outside of its section
        likely = [f"{name}.{section}" for name, keys in sections.items() if section in keys][:1]
    if likely:
        return f"did you mean {renaming.variable(f'{section}.{likely[0]}') if in_environment else likely[0]}?"
    return f"expected one of {', '.join(known or sections)}"
