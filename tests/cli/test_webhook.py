"""`krs webhook` against the simulated GitHub and a real daemon: output, exit codes, one-line errors."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from krs.cli.errors import CliError
from krs.cli.main import cli
from krs.cli.send import altered, fresh
from krs.daemon.clock import SystemClock
from krs.sim.world import GITHUB_TOKEN, SECRET
from tests.daemon.conftest import House
from tests.deliveries import payload

SCOPE = ("--scope", "acme/api")
CLOSED = "http://127.0.0.1:1/"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A daemon, and a GitHub with no hooks whose clock is the commands' own."""
    built = House(tmp_path)
    built.simulation.agenda.clock = SystemClock()
    await built.simulation.start()
    await built.up()
    built.simulation.deliveries.point_at("")
    yield built
    await built.daemon.stop()
    await built.simulation.stop()


async def krs(house: House, *arguments: str, **environ: str) -> Result:
    """Run a command as an operator of this installation does."""
    given = {
        "GITHUB_TOKEN": GITHUB_TOKEN,
        "GITHUB_API_URL": house.simulation.github_url,
        "API_SECRET": SECRET,
        "KRS_WEBHOOK_URL": address(house),
        **environ,
    }
    return await asyncio.to_thread(CliRunner().invoke, cli, ["webhook", *arguments], env=given, standalone_mode=False)


def address(house: House) -> str:
    """Where the daemon listens."""
    return f"http://127.0.0.1:{house.daemon.port}/"


def failure(result: Result) -> tuple[int, str]:
    """How a command failed."""
    assert isinstance(result.exception, CliError), result.exception
    return result.exception.code, result.exception.message


def kept(folder: Path, **fields: Any) -> str:
    """A payload in a file."""
    file = folder / "payload.json"
    file.write_text(json.dumps(payload(**fields)))
    return str(file)


async def test_a_hook_is_installed_repaired_and_shown(house: House) -> None:
    """Nothing, then one that works, then one that somebody broke, then one that works again."""
    code, text = failure(await krs(house, "status", *SCOPE))
    assert (code, "krs webhook install" in text) == (1, True)
    assert (await krs(house, "install", *SCOPE)).stdout.startswith("created hook ")
    assert "was right" in (await krs(house, "install", *SCOPE)).stdout
    (hook,) = house.simulation.forge.hooks.of("acme/api")
    hook.active, hook.events = False, ("push",)
    (shown,) = json.loads((await krs(house, "status", *SCOPE, "--json")).stdout)
    assert shown["wrong"] == ["it sends push and not just workflow_job", "it is switched off"]
    assert "it is switched off" in (await krs(house, "install", *SCOPE)).stdout
    (shown,) = json.loads((await krs(house, "status", *SCOPE, "--json")).stdout)
    assert (shown["wrong"], shown["failed"], shown["deliveries"][0]["event"]) == ([], 0, "ping")
    assert SECRET not in (await krs(house, "status", *SCOPE)).stdout


async def test_an_old_hook_is_moved_by_its_number(house: House) -> None:
    """A daemon with a new address takes its hook along."""
    await krs(house, "install", *SCOPE, "--url", CLOSED)
    (hook,) = house.simulation.forge.hooks.of("acme/api")
    moved = await krs(house, "install", *SCOPE, "--hook", str(hook.id))
    assert f"it delivers to {CLOSED}" in moved.stdout
    assert hook.url == address(house)
    assert failure(await krs(house, "install", *SCOPE, "--hook", "7")) == (
        2,
        "--hook: there is no hook 7 at acme/api",
    )


async def test_what_failed_is_sent_again_once_and_by_its_guid(house: House) -> None:
    """Failures that arrived since are left out; a GUID is sent again whatever became of it; one is shown whole."""
    await krs(house, "install", *SCOPE, "--url", CLOSED)
    (hook,) = house.simulation.forge.hooks.of("acme/api")
    house.simulation.queue("acme/api", ("koyeb-fra-small",), seconds=10_000)
    await settle(lambda: [row.code for row in hook.log.values()].count(502) == 2)
    await krs(house, "install", *SCOPE, "--hook", str(hook.id))
    (order,) = json.loads((await krs(house, "redeliver", *SCOPE, "--json")).stdout)
    assert order["delivery"]["action"] == "queued"
    await house.until(lambda: bool(house.daemon.scheduler.snapshot().jobs))
    assert (await krs(house, "redeliver", *SCOPE)).stderr == "asked GitHub for 0 again\n"
    guid, number = order["delivery"]["guid"], order["delivery"]["id"]
    assert guid in (await krs(house, "redeliver", guid, *SCOPE)).stdout
    assert failure(await krs(house, "redeliver", "nonsense", *SCOPE))[0] == 1
    shown = json.loads((await krs(house, "show", str(number), *SCOPE)).stdout)
    assert shown["payload"]["workflow_job"]["labels"] == ["koyeb-fra-small"]
    assert failure(await krs(house, "show", "7", *SCOPE))[0] == 1


async def settle(done: Any) -> None:
    """Let the simulation go on until something holds."""
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 - nothing tells of a failed delivery
            await asyncio.sleep(0.01)


async def test_a_payload_starts_a_runner(house: House, tmp_path: Path) -> None:
    """With a label of ours and another job each time; the secret is the configuration's."""
    file = kept(tmp_path, labels=["ubuntu-latest"])
    assert (await krs(house, "send", file)).stdout == "202 ignored: no label of this job is ours\n"
    for _ in range(2):
        sent = await krs(house, "send", file, "--label", "koyeb-fra-small", "--new-job", "--json")
        assert json.loads(sent.stdout)["status"] == 202
    await house.until(lambda: len(house.simulation.cloud.alive()) == 2)
    code, text = failure(await krs(house, "send", file, "--secret", "wrong"))
    assert (code, text) == (1, f"{address(house)} did not take it: 401")


@pytest.mark.parametrize(
    ("arguments", "environ", "code", "words"),
    [
        (("status",), {}, 2, "--scope owner/repository"),
        (("status", *SCOPE), {"GITHUB_TOKEN": ""}, 2, "github.token is missing"),
        (("status", *SCOPE), {"GITHUB_TOKEN": "wrong"}, 3, "401 Bad credentials"),
        (("status", *SCOPE), {"GITHUB_API_URL": CLOSED}, 4, "not reached"),
        (("install", *SCOPE), {"KRS_WEBHOOK_URL": ""}, 2, "--url https://"),
        (("install", *SCOPE, "--url", "krs.test"), {}, 2, "--url: 'krs.test' is not an http"),
        (("install", *SCOPE), {"API_SECRET": ""}, 2, "webhook.secret is missing"),
        (("redeliver", *SCOPE, "--since", "ages"), {}, 2, "--since: "),
        (("send", "nowhere.json"), {}, 2, "nowhere.json: No such file"),
        (("send", "FILE"), {"KRS_WEBHOOK_URL": CLOSED}, 4, "no answer"),
        (("send", "FILE", "--secret", "env:NONE"), {}, 2, "no variable NONE"),
        (("send", "FILE", "--repository", "acme"), {}, 2, "is not owner/name"),
        (("send", "TEXT"), {}, 2, "not a JSON object"),
        (("send", "OTHER"), {}, 2, "name its event"),
        (("send", "OTHER", "--label", "x"), {}, 2, "for a payload with a workflow_job"),
    ],
)
async def test_what_cannot_be_done_is_one_line(
    house: House, tmp_path: Path, arguments: tuple[str, ...], environ: dict[str, str], code: int, words: str
) -> None:
    """What, where, and what to do, with the exit code of its kind."""
    for name, content in (("FILE", json.dumps(payload())), ("TEXT", "text"), ("OTHER", "{}")):
        (tmp_path / name).write_text(content)
    given = [str(tmp_path / word) if word in ("FILE", "TEXT", "OTHER") else word for word in arguments]
    got, text = failure(await krs(house, *given, **environ))
    assert (got, words in text, text.count("\n")) == (code, True, 0), text


async def test_a_missing_permission_is_named(house: House) -> None:
    """By GitHub's own header, exit 3."""
    house.simulation.forge.lacks = {"repository_hooks"}
    code, text = failure(await krs(house, "install", *SCOPE))
    assert (code, "needs repository_hooks=read" in text) == (3, True)


def test_a_payload_is_changed_where_it_was_asked() -> None:
    """Labels, repository, action and job; the rest stays."""
    before = payload(action="in_progress", labels=["a"])
    same = altered(before, labels=(), repository="", action=None, new={})
    assert same == before
    after = altered(before, labels=("b", "c"), repository="x/y", action="completed", new=fresh())
    job = after["workflow_job"]
    assert (job["labels"], job["status"], job["conclusion"], after["action"]) == (
        ["b", "c"],
        "completed",
        "success",
        "completed",
    )
    assert (after["repository"]["full_name"], after["repository"]["owner"]["login"]) == ("x/y", "x")
    assert job["id"] != before["workflow_job"]["id"]
    assert before == payload(action="in_progress", labels=["a"])
