"""Going on with a run that is named, with the settings that it was started with."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from fullshot.core.errors import UserError
from fullshot.core.workspace import Workspace
from fullshot.train.runs import Run, named_run

Section = TypeVar("Section", bound=BaseModel)


def section_to_train(workspace: Workspace, kind: str, resume: str | None, today: Section) -> Section:
    """The section of the settings to train with: of the run to go on with, those that it was started with.

    Args:
        workspace: where.
        kind: ``detector`` or ``embedder``: the section's name, too.
        resume: the name of an unfinished run to go on with; None: none was named.
        today: the section as it is now.

    Raises:
        UserError: there is no such run, it is finished, or its ``run.json`` does not hold its settings.
    """
    if resume is None:
        return today
    run = named_run(workspace, kind, resume)
    if run.finished:
        raise UserError(f"run {resume} of the {kind} is finished: there is nothing to go on with")
    return section_of(run, today)


def section_of(run: Run, today: Section) -> Section:
    """The section of the settings that a run was started with.

    Args:
        run: finished or not.
        today: the section as it is now.

    Raises:
        UserError: its ``run.json`` does not hold them.
    """
    try:
        return type(today).model_validate(run.section)
    except ValidationError as error:
        first = error.errors()[0]
        setting = ".".join(map(str, [run.kind, *first["loc"]]))
        raise UserError(f"{run.file}: setting {setting}: {first['msg']}") from None
