"""How the simulated services behave badly: probabilities and delays, changeable while they run."""

import msgspec


class Moods(msgspec.Struct, frozen=True, kw_only=True):
    """Faults. Probabilities lie in 0..1, delays are seconds of wall time unless said otherwise."""

    koyeb_latency: float = 0.0
    koyeb_down: bool = False
    koyeb_answer_lost: float = 0.0
    """Koyeb does what it is asked and answers 503."""
    github_down: bool = False
    github_answer_lost: float = 0.0
    busy_lag: float = 0.0
    """Seconds of the simulation for which GitHub goes on showing a busy runner as idle."""
    webhook_lost: float = 0.0
    webhook_doubled: float = 0.0
    quota: int = 100
    """Services that the organization may have."""
    life_cycle_refused: bool = False
