"""`krs completion`: the script that makes a shell complete krs's commands."""

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL; put `eval "$(krs completion bash)"` into ~/.bashrc."""
    from krs.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "krs", "_KRS_COMPLETE").source())
