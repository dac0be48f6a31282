"""How a command ends: 0 done, 1 failed, 2 usage or configuration, 3 refused, 4 unreachable."""

import click

FAILED, USAGE, REFUSED, UNREACHABLE = 1, 2, 3, 4


class CliError(click.ClickException):
    """An expected failure: one line (or a few) on standard error, and an exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code

    def show(self, file: object = None) -> None:
        """Print `krs: ...` for each line."""
        for line in self.message.splitlines():
            click.echo(f"krs: {line}", err=True)
