"""From nothing to a working webhook, and what a second run finds."""

import re
import tomllib
from collections.abc import AsyncIterator

import pytest

from krs.config import load
from krs.daemon import Daemon
from krs.sim.world import GITHUB_TOKEN, KOYEB_TOKEN
from tests.github.keys import rsa_key
from tests.setup.scene import URL, Scene


@pytest.fixture
async def daemon(scene: Scene) -> AsyncIterator[Daemon]:
    """A daemon of the configuration that a set-up wrote, which did not know its address."""
    await scene.run("acme/api", "--url", URL)
    environ = {name: value for name, value in scene.environ.items() if value is not None}
    flags = {"server.host": "127.0.0.1", "server.port": "0", "state.path": str(scene.file.with_name("state.db"))}
    running = Daemon(load(flags, environ, scene.file).settings)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
def address(daemon: Daemon) -> str:
    """Where that one takes deliveries."""
    return f"http://127.0.0.1:{daemon.port}/webhook"


async def test_one_command_makes_all_that_is_needed(scene: Scene) -> None:
    """The file, the app, the webhook; secrets given by variable stay references, and none is shown."""
    ended = await scene.run("acme/api", "acme/web", "--url", URL)
    assert ended.code == 0
    assert scene.file.stat().st_mode & 0o777 == 0o600
    found = tomllib.loads(scene.file.read_text())
    assert found["koyeb"]["token"] == "env:KOYEB_TOKEN"
    assert found["github"] == {
        "token": "env:GITHUB_TOKEN",
        "api_url": scene.simulation.github_url,
        "mode": "repository",
        "scopes": ["acme/api", "acme/web"],
    }
    assert "# The webhook's secret" in scene.file.read_text()
    assert list(scene.simulation.cloud.apps) == ["github-runner"]
    for scope in ("acme/api", "acme/web"):
        (hook,) = scene.simulation.forge.hooks.of(scope)
        assert (hook.url, hook.events, hook.active) == (URL, ("workflow_job",), True)
        assert hook.config["content_type"] == "json"
        assert hook.secret == found["webhook"]["secret"]
    secrets = (KOYEB_TOKEN, GITHUB_TOKEN, found["webhook"]["secret"], found["admin"]["token"])
    assert not [line for line in ended.lines for secret in secrets if secret in line]
    assert "organization acme, plan pro" in ended.line("ok    koyeb.token: organization")
    assert any("runs-on: koyeb-fra-small" in line for line in ended.lines)


async def test_a_second_run_changes_nothing(scene: Scene) -> None:
    """What is there is taken as the answer to every question; but a file that others may read is closed."""
    await scene.run("acme/api", "--url", URL)
    before = scene.file.read_text()
    ended = await scene.run()
    assert ended.code == 0
    assert "holds all of it already" in ended.line("ok    " + str(scene.file))
    assert scene.file.read_text() == before
    assert len(scene.simulation.forge.hooks.of("acme/api")) == 1
    scene.file.chmod(0o644)
    await scene.run()
    assert (scene.file.stat().st_mode & 0o777, scene.file.read_text()) == (0o600, before)


async def test_a_repository_is_added_to_those_that_are_there(scene: Scene) -> None:
    """And what a person wrote into the file stays."""
    await scene.run("acme/api", "--url", URL)
    scene.file.write_text(scene.file.read_text().replace('#ttl = "2h"', 'ttl = "1h" # ours'))
    assert (await scene.run("acme/web")).code == 0
    assert tomllib.loads(scene.file.read_text())["github"]["scopes"] == ["acme/api", "acme/web"]
    assert 'ttl = "1h" # ours' in scene.file.read_text()
    assert [hook.url for hook in scene.simulation.forge.hooks.of("acme/web")] == [URL]


async def test_a_running_daemon_is_pinged(scene: Scene, address: str) -> None:
    """GitHub's log of the webhook says how it was answered."""
    ended = await scene.run("acme/api", "--url", address)
    assert ended.code == 0
    assert "answered 200" in ended.line("ok    ping")
    assert "start it again" in ended.line("note  daemon")
    assert not [line for line in (await scene.run()).lines if "start it again" in line]


async def test_a_job_gets_a_runner_by_what_was_set_up(scene: Scene, daemon: Daemon, address: str) -> None:
    """GitHub delivers to the webhook that was made, the daemon takes it, and a service starts at Koyeb."""
    await scene.run("acme/api", "--url", address)
    job = scene.simulation.queue("acme/api", ("koyeb-fra-small",))
    feed = daemon.scheduler.feed
    while not scene.simulation.cloud.alive():
        assert await feed.wait(feed.last_seq, 10.0)
    (service,) = scene.simulation.cloud.alive()
    assert service.name.startswith("runner-fra-small-")
    assert job.repo in str(service.definition)


async def test_a_plan_that_is_used_up_is_no_broken_set_up(scene: Scene) -> None:
    """Runners that run are no reason to refuse a second run."""
    await scene.run("acme/api")
    cloud = scene.simulation.cloud
    kinds = {"instance_types": [{"type": "small"}]}
    cloud.create_service({"app_id": cloud.apps["github-runner"], "name": "runner-1", "definition": kinds})
    scene.mood(quota=1)
    ended = await scene.run()
    assert ended.code == 0
    assert "used up at the moment" in ended.line("note  koyeb.token")


async def test_a_daemon_with_another_secret_is_named_by_its_ping(scene: Scene, address: str) -> None:
    """The file was written anew behind the back of the daemon that runs."""
    ended = await scene.run("acme/api", "--url", address, "--api-secret", "another-secret")
    assert ended.code == 1
    assert "the daemon has another webhook secret" in ended.line("fail  ping")


async def test_an_organization_is_set_up_once(scene: Scene) -> None:
    """Its mode follows from its name, and one webhook serves all its repositories."""
    assert (await scene.run("acme", "--url", URL)).code == 0
    found = tomllib.loads(scene.file.read_text())["github"]
    assert (found["mode"], found["scopes"]) == ("organization", ["acme"])
    assert [hook.url for hook in scene.simulation.forge.hooks.of("acme")] == [URL]
    assert (await scene.run()).code == 0


async def test_an_app_has_one_webhook_of_its_own(scene: Scene) -> None:
    """In place of a token: the key stays in its file, and no repository gets a webhook."""
    key = scene.file.with_name("app.pem")
    key.write_text(rsa_key())
    scene.simulation.add_app("1", rsa_key())
    scene.environ["GITHUB_TOKEN"] = None
    ended = await scene.run("acme/api", "--app-id", "1", "--private-key", f"file:{key}", "--url", URL)
    assert ended.code == 0, ended.lines
    assert tomllib.loads(scene.file.read_text())["github"]["private_key"] == f"file:{key}"
    assert scene.simulation.forge.hooks.app.url == URL
    assert scene.simulation.forge.hooks.of("acme/api") == []


async def test_without_an_address_there_is_no_webhook_yet(scene: Scene) -> None:
    """The rest is done, and the way on is said."""
    ended = await scene.run("acme/api")
    assert ended.code == 0
    assert "run krs setup --url" in ended.line("note  webhook")
    assert scene.simulation.forge.hooks.of("acme/api") == []


async def test_secrets_are_shown_when_asked_for(scene: Scene) -> None:
    """Those that were made, and no other."""
    ended = await scene.run("acme/api", "--show-secrets")
    found = tomllib.loads(scene.file.read_text())
    assert found["webhook"]["secret"] in ended.line("ok    webhook.secret")
    assert not any(KOYEB_TOKEN in line for line in ended.lines)


async def test_a_dry_run_shows_every_call_and_changes_nothing(scene: Scene) -> None:
    """With no secret in it."""
    ended = await scene.run("acme/api", "--url", URL, "--dry-run", "--api-secret", "a-webhook-secret", yes=False)
    assert ended.code == 0
    would = [line.split()[1:3] for line in ended.lines if line.strip().startswith("would")]
    assert would == [
        ["POST", f"{scene.simulation.koyeb_url}/v1/apps"],
        ["POST", f"{scene.simulation.github_url}/repos/acme/api/hooks"],
    ]
    text = "\n".join(ended.lines)
    assert '"secret":"***"' in text
    assert not re.search("a-webhook-secret|simulated-", text)
    assert (scene.file.exists(), scene.simulation.cloud.apps) == (False, {})
    assert scene.simulation.forge.hooks.of("acme/api") == []


async def test_without_a_terminal_somebody_must_say_yes(scene: Scene) -> None:
    """A script that hangs on a question would be worse."""
    ended = await scene.run("acme/api", yes=False)
    assert (ended.code, len(ended.lines)) == (2, 1)
    assert "--yes" in ended.lines[0]
