"""A person at the keyboard: what is asked, what a wrong answer leads to, and how to get out."""

import asyncio
from collections.abc import Sequence

import pytest

from krs.config import Given
from krs.setup.asker import Asker
from krs.setup.draft import Draft
from krs.setup.wizard import Options, Wizard
from krs.sim.world import GITHUB_TOKEN, KOYEB_TOKEN
from tests.github.keys import rsa_key
from tests.setup.scene import URL, Scene


class Scripted:
    """Gives answers in order; `default` takes the default, `stop` is ctrl-c. `asked` are the questions."""

    interactive = True

    def __init__(self, answers: Sequence[str]) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    def _next(self, question: str, default: str) -> str:
        self.asked.append(question)
        answer = self._answers.pop(0)
        if answer == "stop":
            raise KeyboardInterrupt
        return default if answer == "default" else answer

    def text(self, question: str, *, default: str) -> str:
        """The next answer."""
        return self._next(question, default)

    def secret(self, question: str) -> str:
        """The next answer."""
        return self._next(question, "")

    def choice(self, question: str, choices: tuple[str, ...], *, default: str) -> str:
        """The next answer, which is one of the choices."""
        answer = self._next(question, default)
        assert answer in choices
        return answer

    def confirm(self, question: str) -> bool:
        """Whether the next answer is yes."""
        return self._next(question, "yes") == "yes"


async def talk(scene: Scene, *answers: str, **environ: str) -> tuple[Wizard, Scripted, bool, list[str]]:
    """A conversation; every answer is needed."""
    asker, shown = Scripted(answers), list[str]()
    known = {name: value for name, value in scene.environ.items() if value is not None and not name.endswith("TOKEN")}
    known |= environ
    draft = Draft({}, known, None)
    wizard = Wizard(draft, asker, Options(), show=shown.append, now=scene.simulation.agenda.now)
    done = await asyncio.to_thread(wizard.run)
    assert asker._answers == []
    return wizard, asker, done, shown


def test_a_scripted_person_is_a_person() -> None:
    """The protocol is kept."""
    asker: Asker = Scripted([])
    assert asker.interactive


async def test_a_person_is_asked_for_all_that_is_not_known(scene: Scene) -> None:
    """What was typed is written as it was typed; a second time only places are asked, with what is there as default."""
    answers = [KOYEB_TOKEN, "token", GITHUB_TOKEN, "repository", "acme/api acme/web", URL, "yes"]
    _, asker, done, shown = await talk(scene, *answers)
    assert done
    assert [question.split()[0] for question in asker.asked] == [
        "Koyeb",
        "Which",
        "GitHub",
        "Whose",
        "Repositories",
        "Public",
        "Write",
    ]
    assert f'token = "{KOYEB_TOKEN}"' in scene.file.read_text()
    assert not [line for line in shown if KOYEB_TOKEN in line or GITHUB_TOKEN in line]
    before = scene.file.read_text()
    _, asker, done, _ = await talk(scene, "default", "default", "default", "yes")
    assert (done, scene.file.read_text()) == (True, before)


async def test_wrong_answers_are_given_anew(scene: Scene) -> None:
    """A token that is refused, one that is none, a scope that is none, an address that is none, an empty line."""
    answers = ["wrong-key", "yes", "", "k\u00f6yeb", KOYEB_TOKEN, "token", "wrong-token", "yes", GITHUB_TOKEN]
    answers += ["repository", "acme/api/x", "repository", "acme/api", "ftp://x", URL, "yes"]
    _, _, done, shown = await talk(scene, *answers)
    assert done
    said = "\n".join(line for line in shown if line.startswith("fail"))
    for words in ("401", "nothing was typed", "no token has", "neither owner/repo", "not an address"):
        assert words in said


async def test_an_app_is_asked_for_by_its_key_file(scene: Scene) -> None:
    """A file that is no key is given anew; the name of the file is written, not the key."""
    scene.simulation.add_app("1", rsa_key())
    (bad, good) = (scene.file.with_name(name) for name in ("bad.pem", "good.pem"))
    bad.write_text("nonsense")
    good.write_text(rsa_key())
    answers = [KOYEB_TOKEN, "app", "1", "/nope", "1", str(bad)]
    _, _, done, shown = await talk(scene, *answers, "yes", "default", str(good), "organization", "acme", URL, "yes")
    assert done, shown
    assert f'private_key = "file:{good}"' in scene.file.read_text()


async def test_no_is_no(scene: Scene) -> None:
    """Nothing is changed when a person does not agree in the end, or gives no other key for one that is refused."""
    environ = {"KOYEB_TOKEN": KOYEB_TOKEN, "GITHUB_TOKEN": GITHUB_TOKEN}
    wizard, _, done, _ = await talk(scene, "repository", "acme/api", URL, "no", **environ)
    assert (done, wizard.changed, scene.file.exists()) == (False, [], False)
    environ["KOYEB_TOKEN"] = "another"
    wizard, _, done, _ = await talk(scene, "no", "repository", "acme/api", URL, **environ)
    assert (done, wizard.changed, scene.simulation.cloud.apps) == (False, [], {})


async def test_a_webhook_is_not_repaired_against_a_persons_will(scene: Scene) -> None:
    """It is left as it is, and that is said."""
    config = {"url": URL, "content_type": "json", "secret": "old", "insecure_ssl": "0"}
    made = scene.simulation.forge.hooks.create("acme/api", config, ("workflow_job",), active=True)
    environ = {"KOYEB_TOKEN": KOYEB_TOKEN, "GITHUB_TOKEN": GITHUB_TOKEN}
    _, asker, done, shown = await talk(scene, "repository", "acme/api", URL, "no", "yes", **environ)
    assert done
    assert asker.asked[3].startswith(f"hook {made.id} of acme/api is there already, but it signs with another secret")
    assert "it is left so" in "\n".join(shown)
    assert made.secret == "old"


async def test_ctrl_c_at_a_question_leaves_everything(scene: Scene) -> None:
    """Whatever was answered before."""
    with pytest.raises(KeyboardInterrupt):
        await talk(scene, KOYEB_TOKEN, "token", GITHUB_TOKEN, "stop")
    assert not scene.file.exists()


async def test_a_reference_in_a_variable_is_written_as_it_is(scene: Scene) -> None:
    """A variable that says file:PATH is no secret itself."""
    (scene.file.with_name("token")).write_text(GITHUB_TOKEN)
    reference = f"file:{scene.file.with_name('token')}"
    draft = Draft({"koyeb.token": Given(KOYEB_TOKEN, "--koyeb-token")}, {"KRS_GITHUB_TOKEN": reference}, scene.file)
    assert draft.changes() == {"koyeb.token": KOYEB_TOKEN, "github.token": reference}
