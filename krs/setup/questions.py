"""What a person is asked, and what of it is missing in a script. Answers go into the draft, which checks them."""

from collections.abc import Callable

from krs.config import ConfigError
from krs.core.vocabulary import Mode
from krs.setup.asker import Asker
from krs.setup.draft import Draft
from krs.setup.places import address, mode_of, scopes_of
from krs.setup.report import Line, wrong

ANSWER = "your answer"
TOKEN, APP = "token", "app"
NEEDED = {
    "koyeb.token": "give --koyeb-token or set KOYEB_TOKEN: an API key of the organization that pays",
    "github.token": "give --github-token or set GITHUB_TOKEN, or --app-id and --private-key of a GitHub App",
    "scopes": "name the repositories (owner/repo) or organizations that may have runners",
}


class Questions:
    """Asks for what is not known. `scopes` and `url` are those of the command line, empty if none were given."""

    def __init__(
        self, draft: Draft, asker: Asker, say: Callable[[Line], None], *, scopes: tuple[str, ...], url: str
    ) -> None:
        self._draft = draft
        self._asker = asker
        self._say = say
        self._named = scopes
        self._url = url

    def missing(self) -> list[Line]:
        """What nobody is there to be asked for."""
        if self._asker.interactive:
            return []
        settings = self._draft.loaded.settings
        lacks = {
            "koyeb.token": not settings.koyeb.token,
            "github.token": not settings.github.token and not settings.github.app_id,
            "scopes": not self._named and not settings.github.scopes,
        }
        return [wrong(key, "is missing", NEEDED[key]) for key, lacking in lacks.items() if lacking]

    def koyeb(self, *, again: bool = False) -> None:
        """The key of Koyeb, if there is none or it is to be given again."""
        while again or not self._draft.loaded.settings.koyeb.token:
            key = self._asker.secret("Koyeb API key (https://app.koyeb.com/settings/api)")
            again = not self._give({"koyeb.token": key})

    def github(self, *, again: bool = False) -> None:
        """A token or an App, if there is neither or it is to be given again."""
        github = self._draft.loaded.settings.github
        kind = APP if github.app_id else TOKEN
        while again or not (github.token or github.app_id):
            if not again:
                question = "Which do you have for GitHub: a fine-grained token, or an App"
                kind = self._asker.choice(question, (TOKEN, APP), default=kind)
            again = not self._give(self._token() if kind == TOKEN else self._app())
            github = self._draft.loaded.settings.github

    def _token(self) -> dict[str, str]:
        question = "GitHub token (Administration and Webhooks: read and write, Actions: read)"
        return {"github.token": self._asker.secret(question)}

    def _app(self) -> dict[str, str]:
        known = self._draft.loaded.settings.github.app_id
        app_id = self._asker.text("App ID or client ID", default=known)
        path = self._asker.text("File with its private key", default="")
        return {"github.app_id": app_id, "github.private_key": f"file:{path.removeprefix('file:')}"}

    def scopes(self) -> tuple[str, ...]:
        """Where runners are to register, and so the mode. Raises `ValueError` when a script names nonsense."""
        known = self._draft.loaded.settings.github.scopes
        if self._named or not self._asker.interactive:
            named = scopes_of(" ".join(self._named)) if self._named else known
            return self._take(named, chosen=False)
        while True:
            settings = self._draft.loaded.settings
            kinds = tuple(mode.value for mode in Mode)
            mode = self._asker.choice(
                "Whose runners are they: of each repository, or of an organization",
                kinds,
                default=settings.github.mode.value,
            )
            form = "Repositories (owner/repo)" if mode == Mode.REPOSITORY.value else "Organizations"
            there = " ".join(settings.github.scopes) if settings.github.mode.value == mode else ""
            text = self._asker.text(f"{form}, with blanks between", default=there)
            try:
                return self._take(scopes_of(text), chosen=True)
            except ValueError as problem:
                self._say(wrong("scopes", str(problem), NEEDED["scopes"]))

    def _take(self, scopes: tuple[str, ...], *, chosen: bool) -> tuple[str, ...]:
        mode, loaded = mode_of(scopes), self._draft.loaded
        origin = loaded.origins["github.mode"]
        if loaded.settings.github.mode is not mode and origin != "default" and not chosen:
            raise ValueError(
                f"{origin} says mode {loaded.settings.github.mode.value}, but {scopes[0]} takes {mode.value}"
            )
        self._draft.remember(scopes, mode)
        return scopes

    def address(self) -> str:
        """Where GitHub is to deliver; empty for not yet. Raises `ValueError` when a script names nonsense."""
        settings = self._draft.loaded.settings
        known = self._url or settings.webhook.url
        while True:
            text = known
            if not self._url and self._asker.interactive:
                question = "Public address of your daemon, empty if there is none yet"
                text = self._asker.text(question, default=known)
            try:
                url = address(text, settings.github.api_url) if text else ""
            except ValueError as problem:
                if self._url or not self._asker.interactive:
                    raise
                self._say(wrong("webhook.url", str(problem), "give an https:// address that GitHub reaches"))
                continue
            if url and url != settings.webhook.url:
                self._draft.give({"webhook.url": url}, "--url" if self._url else ANSWER)
            return url

    def _give(self, answers: dict[str, str]) -> bool:
        """Take answers; False, having said why, when they are wrong."""
        if not all(answers.values()):
            self._say(wrong(next(iter(answers)), "nothing was typed", "try again, or ctrl-c to stop"))
            return False
        try:
            self._draft.give(answers, ANSWER)
        except ConfigError as problem:
            for text in problem.problems:
                self._say(wrong(next(iter(answers)), text, "try again"))
            return False
        return True
