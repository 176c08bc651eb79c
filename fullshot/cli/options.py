"""What more than one group of commands takes, and options that have another name now."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer
from typer.core import TyperCommand

from fullshot.core.progress import say

WorkspaceArgument = Annotated[Path, typer.Argument(metavar="WS", help="the workspace: one folder, one data set")]
JsonFlag = Annotated[bool, typer.Option("--json", help="print the stats as one JSON object")]


def command_class(renamed: Mapping[str, str]) -> type[TyperCommand]:
    """A command that understands old names of its options, and says what they are called now.

    Args:
        renamed: an option's old name and its present one, with their hyphens, such as ``{"--mend": "--fix"}``.
    """
    return type("RenamingCommand", (_RenamingCommand,), {"renamed": dict(renamed)})


class _RenamingCommand(TyperCommand):
    renamed: ClassVar[Mapping[str, str]] = {}

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        options = args[: args.index("--")] if "--" in args else args
        given = {word.partition("=")[0] for word in options}
        words: list[str] = []
        for word in options:
            name, equals, value = word.partition("=")
            now = self.renamed.get(name, name)
            if now != name:
                if now in given:
                    ctx.fail(f"{name} is called {now} now: give one of them")
                say(f"fullshot: {name} is called {now} now")
            words.append(f"{now}{equals}{value}")
        return super().parse_args(ctx, [*words, *args[len(options) :]])


class NamingCommand(TyperCommand):
    """Its help names what there is, other packages' included; they are looked for when the help is printed.

    Attributes:
        registries: by the word that stands for them in the help, such as ``{shops}``: a registry, as
            ``package.module:attribute``.
    """

    registries: ClassVar[Mapping[str, str]] = {}

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """As typer does it."""
        for word, place in self.registries.items():
            for parameter in self.params:
                text = getattr(parameter, "help", None) or ""
                if word in text:
                    module, _, attribute = place.partition(":")
                    names = getattr(import_module(module), attribute).names()
                    parameter.help = text.replace(word, ", ".join(names))  # type: ignore[attr-defined]
        super().format_help(ctx, formatter)
