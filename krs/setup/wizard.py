"""The steps in their order: look at everything, then ask, then change. Run again, it goes on where it was stopped."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import cache
from typing import TypeVar

import httpx
import msgspec

from krs.config.load import DEFAULT_FILE
from krs.config.settings import Settings
from krs.errors import CallError
from krs.github import GithubClient, Hooks, identity
from krs.koyeb import KoyebClient
from krs.setup import hook
from krs.setup.asker import Asker
from krs.setup.draft import Draft
from krs.setup.github import check_identity, check_scope, key_problem, refused
from krs.setup.hook import Intent
from krs.setup.koyeb import Koyeb, look, make_app
from krs.setup.labels import runs_on
from krs.setup.questions import NEEDED, Questions
from krs.setup.rehearsal import Rehearsal
from krs.setup.report import Line, Mark, fail, failed_call, failures, note, ok, wrong

T = TypeVar("T")

READY_TIMEOUT = 5.0
ADDRESS = "give the https:// address at which GitHub reaches your daemon"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to go about it."""

    scopes: tuple[str, ...] = ()
    url: str = ""
    dry_run: bool = False
    show_secrets: bool = False


class Wizard:
    """One run. `show` prints a line, `now` gives seconds since the epoch. Nothing is changed before all was looked at.

    `lines` are what was said and stands; `changed` what was changed so far.
    """

    def __init__(
        self, draft: Draft, asker: Asker, options: Options, *, show: Callable[[str], None], now: Callable[[], float]
    ) -> None:
        self.lines: list[Line] = []
        self.changed: list[str] = []
        self._draft = draft
        self._asker = asker
        self._options = options
        self._show = show
        self._now = now
        self._questions = Questions(draft, asker, lambda line: show(str(line)), scopes=options.scopes, url=options.url)

    def run(self) -> bool:
        """Go through all steps; whether the set-up is complete. Raises `KeyboardInterrupt`, wherever it comes."""
        # One loop for all calls, and none under the questions: it would keep ctrl-c to itself until Enter is typed.
        with asyncio.Runner() as self._runner:
            return self._run()

    def _run(self) -> bool:
        if self._tell(*self._questions.missing()):
            return False
        koyeb = self._look_at_koyeb()
        self._look_at_github()
        scopes = self._look_at_scopes()
        url = self._ask_address()
        if failures(self.lines):
            return False
        made = self._draft.make_secrets()
        intents = self._intents(scopes, url) if self._editable() and url else []
        if failures(self.lines) or not self._agreed(intents):
            return False
        if self._make_app(koyeb) or self._write(made):
            return False
        ready = bool(intents) and self._daemon(url)
        for intent in intents:
            self._set_up_hook(intent, url, ready=ready)
        if failures(self.lines):
            return False
        self._last_words(koyeb, url)
        return True

    @property
    def _settings(self) -> Settings:
        return self._draft.loaded.settings

    def _tell(self, *lines: Line) -> bool:
        """Say lines that stand; whether one of them is a failure."""
        for line in lines:
            self._show(str(line))
        self.lines += lines
        return failures(lines)

    def _look_at_koyeb(self) -> Koyeb:
        def look_again() -> Koyeb:
            return self._on_koyeb(lambda client: look(client, self._settings))

        self._questions.koyeb()
        found = look_again()
        while self._refused(found.lines, "key"):
            self._questions.koyeb(again=True)
            found = look_again()
        return found

    def _look_at_github(self) -> None:
        self._questions.github()
        while self._refused((self._identity(),), "credential"):
            self._questions.github(again=True)

    def _identity(self) -> Line:
        if problem := key_problem(self._settings):
            origin = self._draft.loaded.origins["github.private_key"]
            return wrong("github.private_key", f"{origin}: {problem}", "")
        return self._on_github(lambda client: check_identity(client, self._settings))

    def _refused(self, lines: Sequence[Line], what: str) -> bool:
        """Say lines; whether a person wants to give what was refused again: the lines do not stand then."""
        standing = len(self.lines)
        self._tell(*lines)
        refused = any(line.mark in (Mark.FAIL, Mark.WRONG) for line in lines)
        if refused and self._asker.interactive and self._asker.confirm(f"Give another {what}?"):
            del self.lines[standing:]
            return True
        return False

    def _look_at_scopes(self) -> tuple[str, ...]:
        try:
            scopes = self._questions.scopes()
        except ValueError as problem:
            self._tell(wrong("scopes", str(problem), NEEDED["scopes"]))
            return ()
        known = [line for line in self.lines if line.subject.startswith("github.")]
        if not failures(known):
            self._tell(*self._on_github(lambda client: self._check(client, scopes)))
        self._tell(*refused(scopes, self._settings))
        return scopes

    async def _check(self, client: GithubClient, scopes: Sequence[str]) -> list[Line]:
        settings, hooks = self._settings, not self._settings.github.app_id
        write = not self._options.dry_run
        return [await check_scope(client, scope, settings, hooks=hooks, write=write) for scope in scopes]

    def _ask_address(self) -> str:
        try:
            return self._questions.address()
        except ValueError as problem:
            self._tell(wrong("webhook.url", str(problem), ADDRESS))
            return ""

    def _intents(self, scopes: Sequence[str], url: str) -> list[Intent]:
        """What is to be done about the webhooks; one of the App's own serves all scopes."""
        new = self._draft.made("webhook.secret")
        named = ("",) if self._settings.github.app_id else scopes

        async def work(client: GithubClient) -> list[Intent]:
            return [await hook.intend(Hooks(client), scope, url, new_secret=new) for scope in named]

        try:
            return self._on_github(work)
        except CallError as problem:
            self._tell(failed_call(hook.SUBJECT, problem, todo=hook.TODO_HOOKS, where="github.api_url"))
            return []

    def _agreed(self, intents: list[Intent]) -> bool:
        """Whether it may be done; webhooks that are not to be repaired are taken out."""
        if self._options.dry_run:
            return True
        for intent in [intent for intent in intents if intent.why]:
            if not self._asker.interactive:
                self._tell(note(hook.SUBJECT, f"{intent.why}: it is repaired"))
            elif not self._asker.confirm(f"{intent.why}. Repair it?"):
                intents.remove(intent)
                self._tell(note(hook.SUBJECT, f"{intent.why}: it is left so"))
        there = "and set the webhook up" if intents else "and set no webhook up"
        if not self._asker.confirm(f"Write {self._draft.path}, make the Koyeb app if it is missing, {there}?"):
            self._tell(note("krs setup", "nothing was changed"))
            return False
        return True

    def _make_app(self, found: Koyeb) -> bool:
        """Make the app if it is missing; whether that failed."""
        known = found.known or self._options.dry_run
        lines = self._on_koyeb(lambda client: make_app(client, self._settings, known=known))
        if self._tell(*lines):
            return True
        if not found.app and not self._options.dry_run:
            self.changed.append(f"the Koyeb app {self._settings.koyeb.app}")
        return False

    def _editable(self) -> bool:
        """Whether the file can be edited; said if not."""
        try:
            self._draft.text()
        except ValueError as problem:
            return not self._tell(fail(str(self._draft.path), str(problem), "then run krs setup again"))
        return True

    def _write(self, made: Sequence[str]) -> bool:
        """Write the file; whether that failed."""
        changes, path = self._draft.changes(), str(self._draft.path)
        if self._options.dry_run:
            new = f"; {', '.join(made)} made new" if made else ""
            return self._tell(note(path, f"would hold {', '.join(changes)}{new}"))
        try:
            written = self._draft.write()
        except OSError as problem:
            return self._tell(fail(path, problem.strerror or str(problem), "name another file with --config"))
        if written:
            self.changed.append(path)
        self._tell(ok(path, "written" if written else "holds all of it already"), *self._notes(changes))
        for key in made:
            shown = str(changes[key]) if self._options.show_secrets else f"see {path}"
            self._tell(ok(key, f"made: {shown}"))
        return False

    def _notes(self, changes: dict[str, object]) -> list[Line]:
        """What to know of the file."""
        found, path = [], str(self._draft.path)
        if names := [str(value)[4:] for value in changes.values() if str(value).startswith("env:")]:
            found.append(note(path, f"it refers to {', '.join(names)} of the environment: keep what is there"))
        return found

    def _set_up_hook(self, intent: Intent, url: str, *, ready: bool) -> None:
        """Make or repair one webhook, and see whether a ping arrives if a daemon is `ready`."""

        async def work(client: GithubClient) -> list[Line]:
            hooks = Hooks(client)
            line, ref = await hook.carry_out(hooks, intent, url, self._settings.webhook.secret)
            if not line.mark.failed and not self._options.dry_run:
                self.changed.append(f"the webhook of {intent.scope or 'the App'}")
            if ref is None or not ref.scope or not ready:
                return [line]
            if self._options.dry_run:
                await hooks.ping(ref)
                return []
            return [line, await hook.try_ping(hooks, ref)]

        lines = self._on_github(work)
        if not self._options.dry_run:
            self._tell(*lines)

    def _daemon(self, url: str) -> bool:
        """Whether a daemon answers where deliveries go."""

        async def work() -> Line:
            transport = self._transport()
            async with httpx.AsyncClient(timeout=READY_TIMEOUT, trust_env=False, transport=transport) as http:
                return await hook.ready(http, url)

        line = self._runner.run(work())
        self._tell(line)
        ready = line.mark is Mark.OK
        if ready and str(self._draft.path) in self.changed:
            self._tell(note("daemon", f"start it again: it read its configuration before {self._draft.path} changed"))
        return ready

    def _last_words(self, koyeb: Koyeb, url: str) -> None:
        if self._options.dry_run:
            self._show("nothing was changed: this was a dry run")
            return
        if not url:
            self._tell(note(hook.SUBJECT, "none yet: run krs setup --url once your daemon has a public address"))
        self._show("\nPaste into a workflow, as one of:")
        for line in runs_on(koyeb.catalog, koyeb.quotas, self._settings.runners.prefix):
            self._show(f"  {line}")
        where = "" if self._draft.path == DEFAULT_FILE else f" --config {self._draft.path}"
        self._show(f"\nNext:\n  krs daemon{where}   runs the scheduler here\n  krs deploy{where}   runs it on Koyeb")

    def _on_koyeb(self, work: Callable[[KoyebClient], Awaitable[T]]) -> T:
        settings = self._settings.koyeb

        async def go() -> T:
            client = KoyebClient(token=settings.token.reveal(), api_url=settings.api_url, transport=self._transport())
            async with aclosing(client):
                return await work(client)

        return self._runner.run(go())

    def _on_github(self, work: Callable[[GithubClient], Awaitable[T]]) -> T:
        async def go() -> T:
            github = self._settings.github
            auth = identity(
                token=github.token,
                app_id=github.app_id,
                private_key=github.private_key,
                api_url=github.api_url,
                now=self._now,
                transport=self._transport(),
            )
            client = GithubClient(auth=auth, api_url=github.api_url, now=self._now, transport=self._transport())
            async with aclosing(client):
                return await work(client)

        return self._runner.run(go())

    def _transport(self) -> httpx.AsyncBaseTransport:
        transport = httpx.AsyncHTTPTransport(verify=trust(), trust_env=False)
        if not self._options.dry_run:
            return transport
        return Rehearsal(lambda text: self._show(f"      {text}"), self._draft.secrets, transport)


@cache
def trust() -> ssl.SSLContext:
    """The certificates that are trusted; to load them takes longer than a call."""
    return httpx.create_ssl_context(trust_env=False)
