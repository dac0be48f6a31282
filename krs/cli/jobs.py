"""`krs jobs`: what waits and runs, and why it waits."""

import click

from krs.cli.remote import AS_JSON, ask, connection, show_json, show_table
from krs.core.vocabulary import JobState
from krs.words import ago

HEADS = ("ID", "STATE", "REPOSITORY", "JOB", "LABELS", "WAITED", "REASON", "RUNNER")


@click.command()
@connection
@AS_JSON
@click.option(
    "--state", "states", multiple=True, type=click.Choice([s.value for s in JobState]), help="Only this state."
)
@click.option("--all", "everything", is_flag=True, help="Also jobs that ended lately.")
def jobs(url: str, token: str, as_json: bool, states: tuple[str, ...], everything: bool) -> None:
    """List jobs that wait or run."""
    found = ask(url, token, lambda api: api.jobs())
    wanted = set(states) or {s.value for s in JobState if everything or s is not JobState.DONE}
    shown = [job for job in found if job.state.value in wanted]
    if as_json:
        show_json(shown)
        return
    rows = [
        (
            str(job.id),
            job.state.value if job.placeable else "unplaceable",
            job.repo,
            job.name,
            ",".join(job.labels),
            ago(job.waited),
            job.reason.value if job.reason else "-",
            job.runner or "-",
        )
        for job in shown
    ]
    show_table(HEADS, rows)
