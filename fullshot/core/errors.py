"""What a user is told when something goes wrong: one line, and the exit code that goes with it."""


class UserError(ValueError):
    """The call or its input is wrong; the command exits with 2.

    The message is one line: what was expected, what came, what to do next.
    """

    exit_code = 2


class MissingInput(UserError):
    """A stage's input has not been made yet; the message names the command that makes it."""


class BadTable(UserError):
    """A table does not hold what its schema says; the message names file, row, column, expected and got."""


class StageFailed(RuntimeError):
    """The stage ran and something failed; the command exits with 1."""

    exit_code = 1
