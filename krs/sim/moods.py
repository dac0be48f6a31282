"""How the simulated services behave badly: probabilities and delays, changeable while they run."""

import msgspec


class Moods(msgspec.Struct, frozen=True, kw_only=True):
    """Faults. Probabilities lie in 0..1, delays are seconds of wall time unless said otherwise."""

    koyeb_latency: float = 0.0
    koyeb_down: bool = False
    koyeb_answer_lost: float = 0.0
    """Koyeb does what it is asked and answers 503."""
    koyeb_throttled: float = 0.0
    """Koyeb answers 429."""
    koyeb_hangs: float = 0.0
    """Koyeb takes a call and never answers: a connection that is open on one side only."""
    koyeb_html: float = 0.0
    """Koyeb answers 200 with a page for people."""
    koyeb_omits: float = 0.0
    """A service is missing from a list."""
    koyeb_revoked: bool = False
    """The key of Koyeb is worth nothing any more."""
    koyeb_no_plan: bool = False
    """The organization has no plan: nothing but the free type, which runs no worker."""
    koyeb_taken: tuple[str, ...] = ()
    """Names of apps that are taken and that no list shows."""
    github_down: bool = False
    github_revoked: bool = False
    """The token of GitHub is worth nothing any more."""
    github_hidden: tuple[str, ...] = ()
    """Repositories and organizations that do not exist, or that nobody who asks may see."""
    github_answer_lost: float = 0.0
    github_throttled: float = 0.0
    """GitHub answers 403 and asks for a minute."""
    github_hangs: float = 0.0
    busy_lag: float = 0.0
    """Seconds of the simulation for which GitHub goes on showing a busy runner as idle."""
    busy_lie: float = 0.0
    """A busy runner is shown idle for its whole job, and an idle one busy at one look; a delete believes the lie."""
    webhook_lost: float = 0.0
    """An event is never sent, and GitHub's log of deliveries knows nothing of it."""
    webhook_failed: float = 0.0
    """A delivery does not arrive, and the log says so (504)."""
    webhook_doubled: float = 0.0
    webhook_late: float = 0.0
    """A delivery comes up to `webhook_delay` seconds late, after those that follow it."""
    webhook_delay: float = 60.0
    quota: int = 100
    """Services that the organization may have."""
    life_cycle_refused: bool = False
