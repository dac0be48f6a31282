"""Set-ups that cannot work: the one line that names the cause, nothing half made, and a second run that mends it."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable

import pytest

from krs.setup import hook, places
from krs.sim.github_hooks_http import HooksHandler
from krs.sim.github_http import GithubHandler
from krs.sim.world import KOYEB_TOKEN
from tests.setup.scene import URL, Ended, Scene

WORDS = ("acme/api", "--url", URL)
Break = Callable[[Scene], object]


async def failing(scene: Scene, *words: str) -> tuple[Ended, list[str]]:
    """A run that fails, and its lines that say why."""
    ended = await scene.run(*words)
    assert ended.code != 0
    assert not any(KOYEB_TOKEN in line for line in ended.lines)
    return ended, [line for line in ended.lines if line.startswith("fail")]


def nothing_made(scene: Scene) -> bool:
    """Whether the run left all as it was."""
    simulation = scene.simulation
    made = (simulation.cloud.apps, simulation.forge.hooks.of("acme/api"), simulation.forge.hooks.of("acme"))
    return not scene.file.exists() and not any(made)


@pytest.mark.parametrize(
    ("broken", "code", "begin", "words"),
    [
        (lambda s: s.mood(github_hidden=["acme/api"]), 1, "fail  acme/api", "does not exist, or is not yours"),
        (
            lambda s: s.simulation.forge.lacks.add("administration"),
            1,
            "fail  acme/api",
            "may not read runners, register runners",
        ),
        (
            lambda s: s.simulation.forge.lacks.add("repository_hooks"),
            1,
            "fail  acme/api",
            "give it Webhooks: read and write (repository_hooks=read)",
        ),
        (
            lambda s: s.simulation.forge.lacks.update(("administration", "actions")),
            1,
            "fail  acme/api",
            "give it Administration: read and write (administration=write); Actions: read (actions=read), then",
        ),
        (lambda s: s.mood(koyeb_revoked=True), 1, "fail  koyeb.token", "401 Invalid token format"),
        (lambda s: s.mood(github_revoked=True), 1, "fail  github.token", "401 Bad credentials"),
        (lambda s: s.mood(koyeb_no_plan=True), 1, "fail  koyeb.token", "not available with current plan"),
        (lambda s: s.mood(quota=0), 1, "fail  koyeb.token", "due to your quota"),
        (lambda s: s.mood(koyeb_down=True), 4, "fail  koyeb.token", "503 Service unavailable"),
        (lambda s: s.mood(koyeb_html=1.0), 4, "fail  koyeb.token", "not JSON"),
        (lambda s: s.mood(koyeb_throttled=1.0), 4, "fail  koyeb.token", "run krs setup again in 30 s"),
        (lambda s: s.mood(github_down=True), 4, "fail  github.token", "503 Service unavailable"),
        (lambda s: s.mood(github_throttled=1.0), 4, "fail  github.token", "again in 60 s"),
    ],
)
async def test_what_is_wrong_outside_is_one_line_and_nothing_is_made(
    scene: Scene, broken: Break, code: int, begin: str, words: str
) -> None:
    """What, where, what to do."""
    broken(scene)
    ended, (line,) = await failing(scene, *WORDS)
    assert ended.code == code
    assert line.startswith(begin)
    assert words in line
    assert nothing_made(scene)
    assert ended.lines[-1].startswith("not complete; nothing was changed")


@pytest.mark.parametrize(
    ("environ", "arguments", "code", "words"),
    [
        ({"KOYEB_API_URL": "http://127.0.0.1:9"}, ("acme/api",), 4, "koyeb.token: koyeb GET /v1/apps: not reached"),
        ({"GITHUB_API_URL": "http://127.0.0.1:9"}, ("acme/api",), 4, "github.token: github GET /rate_limit: not"),
        ({"KOYEB_TOKEN": None}, ("acme/api",), 2, "koyeb.token: is missing: give --koyeb-token or set KOYEB_TOKEN"),
        ({}, (), 2, "scopes: is missing: name the repositories"),
        ({}, ("acme/api/x",), 2, "scopes: 'acme/api/x' is neither owner/repo nor an organization"),
        ({}, ("acme/api", "acme"), 2, "name repositories (owner/repo) or organizations, not both"),
        ({"MODE": "organization"}, ("acme/api",), 2, "MODE says mode organization, but acme/api takes repository"),
        (
            {"GITHUB_TOKEN": None},
            ("acme/api", "--app-id", "1", "--private-key", "nonsense"),
            2,
            "github.private_key: --private-key: it is not an RSA private key",
        ),
        ({}, ("acme/api", "--app", "Not A Name"), 1, "koyeb.app: Not A Name: koyeb POST /v1/apps: 400"),
    ],
)
async def test_what_was_given_wrongly_is_one_line(
    scene: Scene, environ: dict[str, str | None], arguments: tuple[str, ...], code: int, words: str
) -> None:
    """Addresses, keys and names that cannot be."""
    scene.environ |= environ
    ended, (line,) = await failing(scene, *arguments)
    assert ended.code == code
    assert words in line


@pytest.mark.parametrize(
    ("url", "words"), [("http://krs.example.com", "is not https://"), ("https://10.0.0.7", "not reached from outside")]
)
async def test_an_address_that_github_does_not_reach_is_one_line(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    """Not safely, or not at all; for once the simulated GitHub counts as one outside."""
    monkeypatch.setattr(places, "is_private", lambda host: host == "10.0.0.7")
    ended, (line,) = await failing(scene, "acme/api", "--url", url)
    assert ended.code == 2
    assert line.startswith("fail  webhook.url: ")
    assert words in line
    assert nothing_made(scene)


async def test_an_organization_without_a_plan_is_named(scene: Scene) -> None:
    """Where an app tells whose key it is."""
    scene.simulation.cloud.create_app("something-else")
    scene.mood(koyeb_no_plan=True)
    _, (line,) = await failing(scene, *WORDS)
    assert line.startswith("fail  koyeb.token: organization acme has no plan: see https://")


async def test_a_name_that_is_taken_is_one_line(scene: Scene) -> None:
    """By an app that no list shows; another name mends it."""
    scene.mood(koyeb_taken=["github-runner"])
    ended, (line,) = await failing(scene, *WORDS)
    assert "koyeb.app: github-runner is taken by an app that this key does not see" in line
    assert line.endswith("choose another name with --app")
    assert ended.lines[-1].startswith("not complete; nothing was changed")
    assert (await scene.run(*WORDS, "--app", "our-runners")).code == 0
    assert list(scene.simulation.cloud.apps) == ["our-runners"]


async def test_a_webhook_with_another_secret_is_repaired_and_said(scene: Scene) -> None:
    """GitHub shows no secrets: one that was there before ours was made has another."""
    config = {"url": URL, "content_type": "form", "secret": "old", "insecure_ssl": "1"}
    made = scene.simulation.forge.hooks.create("acme/api", config, ("push",), active=True)
    ended = await scene.run("acme/api", "--url", URL)
    assert ended.code == 0
    said = ended.line("note  webhook")
    for words in ("content type is form", "does not check certificates", "sends push", "signs with another secret"):
        assert words in said
    assert "repaired" in ended.line("ok    webhook of acme/api")
    (hook_now,) = scene.simulation.forge.hooks.of("acme/api")
    assert hook_now.id == made.id
    assert (hook_now.events, hook_now.config["content_type"]) == (("workflow_job",), "json")
    assert hook_now.secret in scene.file.read_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[koyeb\n", ":1: it is not TOML"),
        ("[koyeb]\n\ntokn = 'x'\n", ":3: koyeb.tokn is not a setting; did you mean koyeb.token?"),
        ("[server]\nport = 'http'\n", ":2: server.port: 'http' is not a whole number"),
        ("koyeb.app = 'runners'\n", "it is written in a way that cannot be edited"),
    ],
)
async def test_a_file_of_nonsense_is_left_as_it_is(scene: Scene, text: str, words: str) -> None:
    """Each mistake with its line, and not one byte is changed."""
    scene.file.write_text(text)
    ended = await scene.run("acme/api", "--url", URL, "--koyeb-token", KOYEB_TOKEN)
    (line,) = [line for line in ended.lines if words in line]
    assert str(scene.file) in line
    assert ended.code in (1, 2)
    assert scene.file.read_text() == text
    assert scene.simulation.cloud.apps == {}


async def test_a_folder_that_cannot_be_written_is_one_line(scene: Scene) -> None:
    """What would hold the secret comes before the webhook that signs with it."""
    scene.environ["KRS_CONFIG"] = "/proc/krs.toml"
    _, (line,) = await failing(scene, *WORDS)
    assert line.startswith("fail  /proc/krs.toml: ")
    assert scene.simulation.forge.hooks.of("acme/api") == []


async def test_ctrl_c_between_file_and_webhook_is_mended_by_a_second_run(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line and exit code 130; what was changed is said; the secret of the file is the webhook's in the end."""

    async def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(hook, "carry_out", interrupted)
        ended = await scene.run("acme/api", "--url", URL)
    assert ended.code == 130
    assert ended.lines[-1].startswith(f"stopped; changed so far: the Koyeb app github-runner, {scene.file}: ")
    written = scene.file.read_text()
    assert (await scene.run()).code == 0
    assert scene.file.read_text() == written
    (made,) = scene.simulation.forge.hooks.of("acme/api")
    assert made.secret in written


async def test_a_webhook_whose_answer_was_lost_is_found_by_a_second_run(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was made, and nobody was told: no second one is made."""

    def lost(self: HooksHandler, body: object, status: int = 200) -> None:
        GithubHandler.answer(self, body, status) if self.request.method == "GET" else self.send_error(502)

    with monkeypatch.context() as patch:
        patch.setattr(HooksHandler, "answer", lost)
        ended, (line,) = await failing(scene, *WORDS)
    assert (ended.code, line.startswith("fail  webhook: github POST")) == (4, True)
    assert (await scene.run()).code == 0
    (made,) = scene.simulation.forge.hooks.of("acme/api")
    assert made.secret in scene.file.read_text()


def hear_ctrl_c() -> None:
    """What a shell starts in the background ignores ctrl-c, and so would all that the tests start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def test_ctrl_c_while_github_is_silent_is_one_line(scene: Scene) -> None:
    """A real signal, to a real process, in the middle of a call that is never answered."""
    scene.mood(github_hangs=1.0)
    environ = {**os.environ, **{name: value for name, value in scene.environ.items() if value is not None}}
    command = (sys.executable, "-m", "krs", "setup", "acme/api", "--yes")
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, stdout=PIPE, stderr=PIPE, preexec_fn=hear_ctrl_c
    )
    assert process.stdout is not None
    while b"koyeb.app" not in await process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, problems = await process.communicate()
    assert process.returncode == 130
    said = "krs: stopped; nothing was changed: krs setup again goes on from here"
    assert [line for line in problems.decode().splitlines() if line] == [said]
    assert nothing_made(scene)
