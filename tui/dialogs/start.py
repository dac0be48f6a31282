"""Start a runner: for which label, registered to whom."""

import msgspec
from textual.app import ComposeResult
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from tui.backend import Mode, Snapshot
from tui.dialogs.base import Dialog


class StartWish(msgspec.Struct, frozen=True):
    """What was asked for."""

    label: str
    scope: str


class StartDialog(Dialog[StartWish]):
    """Two inputs; the label is completed from what Koyeb sells, the scope from the pools there are."""

    AUTO_FOCUS = "#label"

    def __init__(self, label: str, scope: str) -> None:
        super().__init__("Start a runner", yes="Start")
        self._label = label
        self._scope = scope

    def body(self) -> ComposeResult:
        """The inputs."""
        snapshot = self.console.view.snapshot
        labels = _labels(snapshot) if snapshot else []
        scopes = sorted({pool.scope for pool in snapshot.pools}) if snapshot else []
        organization = snapshot is not None and snapshot.mode is Mode.ORGANIZATION
        yield Static("label, e.g. koyeb-fra-small (right arrow completes)", markup=False)
        yield Input(self._label, id="label", compact=True, max_length=120, suggester=SuggestFromList(labels))
        yield Static("scope: owner" if organization else "scope: owner/repository", markup=False)
        yield Input(
            self._scope or (scopes[0] if len(scopes) == 1 else ""),
            id="scope",
            compact=True,
            max_length=140,
            suggester=SuggestFromList(scopes),
        )
        yield Static("It is paid for until it expires unused.", id="consequence", markup=False)
        yield Static(id="missing", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to the next input, and accepts in the last."""
        event.stop()
        if event.input.id == "label":
            self.query_one("#scope", Input).focus()
        else:
            self.accept()

    def accept(self) -> None:
        """Answer when both are given; whether they are right is the scheduler's word."""
        label, scope = (self.query_one(f"#{name}", Input).value.strip() for name in ("label", "scope"))
        if label and scope:
            self.dismiss(StartWish(label, scope))
        else:
            self.query_one("#missing", Static).update("both are needed")


def _labels(snapshot: Snapshot) -> list[str]:
    return [f"{snapshot.prefix}-{region}-{kind}" for region in snapshot.regions for kind in snapshot.instance_types]
