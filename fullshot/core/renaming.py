"""Old names of settings are understood, and a line on stderr says what they are called now."""

import functools
from collections.abc import Mapping
from typing import Any

from fullshot.core.errors import UserError
from fullshot.core.progress import say


def in_file(given: Mapping[str, Any], file: str, renamed: Mapping[str, str]) -> dict[str, Any]:
    """The sections of a settings file, with present names in place of old ones.

    Args:
        given: the file's sections.
        file: its path, for messages.
        renamed: old names and present ones, such as ``{"crawl.pause": "crawl.delay"}``.

    Raises:
        UserError: a setting is given by its old and its present name.
    """
    sections = {name: dict(keys) if isinstance(keys, dict) else keys for name, keys in given.items()}
    for old, new in renamed.items():
        section, _, key = old.partition(".")
        keys = sections.get(section)
        if not isinstance(keys, dict) or key not in keys:
            continue
        value = keys.pop(key)
        if not keys:
            del sections[section]
        section, _, key = new.partition(".")
        target = sections.setdefault(section, {})
        if not isinstance(target, dict):
            continue  # no section: the check of the settings says so
        if key in target:
            raise UserError(f"{file}: {old} is called {new} now: give one of them")
        target[key] = value
        _report(f"{file}: {old}", new)
    return sections


def in_environment(variables: Mapping[str, str | None], renamed: Mapping[str, str]) -> dict[str, str | None]:
    """Environment variables, with present names in place of old ones.

    Args:
        variables: by name, in lower case.
        renamed: see :func:`in_file`.

    Raises:
        UserError: a setting is given by its old and its present name.
    """
    present = dict(variables)
    for old, new in renamed.items():
        before, now = variable(old), variable(new)
        if before.lower() in variables:
            if now.lower() in variables:
                raise UserError(f"{before} is called {now} now: give one of them")
            present[now.lower()] = present.pop(before.lower())
            _report(before, now)
    return present


def variable(setting: str) -> str:
    """The environment variable of a setting, such as ``crawl.delay``."""
    return f"FULLSHOT_{setting.replace('.', '_')}".upper()


@functools.cache
def _report(old: str, new: str) -> None:
    """Say once that a setting has another name now."""
    say(f"fullshot: {old} is called {new} now")
