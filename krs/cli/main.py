"""The `krs` command: a table of commands, each loaded when it is used."""

from importlib import import_module

import click

import krs
from krs.cli.errors import FAILED, CliError

COMMANDS = {
    "daemon": ("krs.cli.daemon:daemon", "Run the scheduler without a console."),
    "console": ("krs.cli.console:console", "Run the scheduler with its console on this terminal."),
    "tui": ("krs.cli.console:tui", "Open the console of a scheduler that runs elsewhere."),
    "runners": ("krs.cli.runners:runners", "List runners, or extend, drain, kill and start them."),
    "jobs": ("krs.cli.jobs:jobs", "List jobs, and why they wait."),
    "pools": ("krs.cli.pools:pools", "List pools, pause and resume them."),
    "events": ("krs.cli.events:events", "Show or follow the journal."),
    "webhook": ("krs.cli.webhook:webhook", "Look at, install and try the webhook at GitHub."),
    "demo": ("krs.cli.demo:demo", "Watch the scheduler work on a simulated cloud; no account needed."),
    "simulate": ("krs.cli.simulate:simulate", "Serve a simulated Koyeb and GitHub on this machine."),
    "completion": ("krs.cli.completion:completion", "Print a shell's completion script."),
    "setup": ("krs.cli.setup:setup", "Set everything up: keys, krs.toml, webhook."),
    "deploy": ("krs.cli.deploy:deploy", "Put the daemon on Koyeb, look at it, take it away."),
    "state": ("krs.cli.state:state", "Check, copy or shrink the state file."),
    "config": ("krs.cli.config:config", "Show, check or write the configuration."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(krs.__version__, prog_name="krs")
def cli() -> None:
    """Run GitHub Actions jobs on Koyeb: runners on demand, deleted when idle."""


def main() -> None:
    """Run a command; expected failures are one line, and ctrl-c is quiet."""
    try:
        cli.main(prog_name="krs", complete_var="_KRS_COMPLETE", standalone_mode=False)
    except click.exceptions.Exit as done:
        raise SystemExit(done.exit_code) from None
    except click.Abort:
        raise SystemExit(130) from None
    except CliError as problem:
        problem.show()
        raise SystemExit(problem.code) from None
    except click.ClickException as problem:
        click.echo(f"krs: {problem.format_message()}", err=True)
        raise SystemExit(problem.exit_code) from None
    except BrokenPipeError:
        raise SystemExit(FAILED) from None
