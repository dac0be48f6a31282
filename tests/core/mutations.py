"""Ways of breaking the core, each of which a named test must notice. A test that no break can fail proves nothing."""

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import FunctionType
from typing import Any, cast

from krs.core.vocabulary import Reason
from tests.core import test_hearsay as hearsay
from tests.core import test_scheduling as scheduling
from tests.core import test_strays as strays
from tests.core.drive import swarm
from tests.core.walk import Move, Walk

Check = Callable[[], object]


@dataclass(frozen=True)
class Mutation:
    """`old` becomes `new` in the source of one function (`module:name` within `krs.core`); `caught_by` then fails."""

    name: str
    where: str
    old: str
    new: str
    caught_by: Check

    def function(self) -> FunctionType:
        """The function that is broken."""
        module, _, path = self.where.partition(":")
        found: object = import_module(f"krs.core.{module}")
        for part in path.split("."):
            found = inspect.getattr_static(found, part)
        return _function(found)

    def source(self) -> str:
        """The function as it is."""
        return textwrap.dedent(inspect.getsource(self.function()))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The core with this break, wherever the function was imported to."""
        function, source = self.function(), self.source()
        namespace = dict(function.__globals__)
        exec(compile(source.replace(self.old, self.new), self.where, "exec"), namespace)
        sound = function.__code__
        function.__code__ = _function(namespace[function.__name__]).__code__
        try:
            yield
        finally:
            function.__code__ = sound


def _function(found: object) -> FunctionType:
    return cast("FunctionType", found.fget if isinstance(found, property) else found)


@dataclass(frozen=True)
class Walks:
    """The machine: walks by seeds with these faults, or else with a random few; ends with the first that fails."""

    faults: tuple[Move, ...] = ()
    seeds: int = 30

    def __call__(self) -> object:
        """Walk."""
        return swarm(range(self.seeds), moves=60, faults=self.faults or None)

    def __str__(self) -> str:
        return f"{self.seeds} walks with {' '.join(fault.__name__ for fault in self.faults) or 'any fault'}"


def walks(*faults: Move, seeds: int = 30) -> Check:
    """The machine as a check."""
    return Walks(faults, seeds)


def ceiling(limit: dict[str, Any], reason: Reason, started: int) -> Check:
    """One row of the table of ceilings."""
    return partial(scheduling.test_every_ceiling_holds_and_names_itself, limit, reason, started)


MUTATIONS = (
    Mutation(
        "fill before retire",
        "decide:decide",
        "    retire.retire(draft, policy)\n    fill.trim(draft, policy)\n    fill.fill(draft, policy)\n",
        "    fill.trim(draft, policy)\n    fill.fill(draft, policy)\n    retire.retire(draft, policy)\n",
        walks(),
    ),
    Mutation("no mark of what is in flight", "act:_mark", "op=Op(kind, expires), ", "", walks()),
    Mutation(
        "a mark that is forgotten before its command",
        "act:_mark",
        "Op(kind, expires)",
        "Op(kind, Instant(draft.now + 1))",
        walks(),
    ),
    Mutation("marks never expire", "retire:_expire_op", "op.expires > draft.now", "op.expires > 0", walks()),
    Mutation(
        "only services that are confirmed take a place",
        "state:is_live",
        "return runner.wanted or runner.attempts > 0 or runner.op is not None",
        "return False",
        walks(),
    ),
    Mutation(
        "a lost answer frees the place",
        "state:is_live",
        "return runner.wanted or runner.attempts > 0 or runner.op is not None",
        "return runner.wanted",
        walks(Walk.perform_unanswered, Walk.cancel, Walk.drain, Walk.kill, Walk.refuse),
    ),
    Mutation(
        "the boot timer runs from the plan",
        "retire:boot_deadline",
        "runner.created_at or runner.planned_at",
        "runner.planned_at",
        hearsay.test_the_time_to_boot_counts_from_the_creation,
    ),
    Mutation(
        "no boot timeout", "retire:_failure", "return Reason.BOOT_TIMEOUT if", "return None if", walks(Walk.stillborn)
    ),
    Mutation(
        "what is not needed is bought",
        "fill:trim",
        "[: max(0, surplus)]",
        "[:0]",
        scheduling.test_a_job_cancelled_before_its_runner_was_bought_costs_nothing,
    ),
    Mutation(
        "registrations are left behind",
        "act:_end",
        "(runner.deregistered or blind)",
        "True",
        hearsay.test_a_runner_that_vanished_after_its_job_is_tidied_up_at_once,
    ),
    Mutation(
        "strays are left behind",
        "strays:due",
        "stray.since + 2 * policy.boot_timeout",
        "float('inf')",
        strays.test_a_registration_that_stays_offline_is_removed,
    ),
    Mutation("strangers are strays", "strays:is_ours", "return any(", "return True or any(", walks()),
    Mutation(
        "a busy runner is deleted",
        "act:_end",
        "is_busy(runner) and not runner.force",
        "False",
        hearsay.test_a_runner_that_is_too_old_lets_its_job_end,
    ),
    Mutation(
        "GitHub's jobs are not asked before a deletion",
        "act:_end",
        "ask_jobs=not (",
        "ask_jobs=False and not (",
        walks(Walk.lie, Walk.lose, Walk.kill, Walk.drain, seeds=100),
    ),
    Mutation(
        "our own table has no veto",
        "absorb_jobs:_job_started",
        "busy_job=job.id",
        "busy_job=None",
        scheduling.test_a_busy_runner_is_kept_whatever_github_says,
    ),
    Mutation(
        "one look is enough",
        "state:idle_confirmed",
        ">= policy.idle_confirm and",
        ">= 0 and",
        scheduling.test_two_looks_must_be_far_apart_even_when_the_ttl_is_short,
    ),
    Mutation(
        "the net is never moved",
        "act:protection",
        "if near or runner",
        "if near and runner",
        scheduling.test_a_busy_runner_is_kept_whatever_github_says,
    ),
    Mutation(
        "a job moves left",
        "absorb_jobs:_merge",
        "RANK[fact.state] < RANK[old.state]",
        "False",
        hearsay.test_a_delivery_that_comes_again_after_the_end_buys_nothing,
    ),
    Mutation("no job is asked for again", "ask:_check_jobs", "if at > draft.now", "if at > 0", walks(Walk.lose)),
    Mutation(
        "services are listed once only",
        "ask:list_services",
        "> draft.now:",
        "> draft.now or probe.answered_at:",
        walks(Walk.vanish),
    ),
    Mutation(
        "warm spares expire",
        "state:endings",
        "len(idle) - queued - terms.min_idle",
        "len(idle) - queued",
        scheduling.test_warm_spares_are_kept_and_not_churned,
    ),
    Mutation(
        "runners that jobs wait for expire",
        "state:endings",
        "len(idle) - queued - terms.min_idle",
        "len(idle) - terms.min_idle",
        hearsay.test_an_idle_runner_that_a_job_waits_for_does_not_expire,
    ),
    Mutation(
        "a stale list is believed",
        "absorb_koyeb:services_listed",
        "runner.cloud_at > fact.asked_at",
        "False",
        hearsay.test_a_list_asked_for_before_a_create_says_nothing_of_it,
    ),
    Mutation(
        "a list ends what is in flight",
        "absorb_koyeb:_seen",
        "        misses=0,\n",
        "        misses=0,\n        op=None,\n",
        walks(Walk.perform_unanswered),
    ),
    Mutation(
        "absence is believed at once",
        "absorb_koyeb:_missed",
        "draft.change(runner, misses=runner.misses + 1)",
        "gone(draft, runner, asked_at)",
        walks(Walk.perform_with_omissions),
    ),
    Mutation(
        "nothing is adopted",
        "absorb_koyeb:_adopt",
        "if service.name in",
        "if True or service.name in",
        walks(Walk.lose_disk),
    ),
    Mutation(
        "beside another store nobody looks how many there are",
        "act:_begin",
        "policy.max_total if draft.koyeb.others_until > draft.now else None",
        "None",
        walks(Walk.overlap),
    ),
    Mutation(
        "the next list makes the other store forgotten",
        "absorb_koyeb:services_listed",
        "            others_until=probe.others_until,\n",
        "",
        walks(Walk.overlap),
    ),
    Mutation(
        "an adopted runner has no past",
        "absorb_koyeb:_adopt",
        "    meet_runner(draft, adopted)\n",
        "",
        hearsay.test_a_runner_is_adopted_with_the_job_that_is_known_to_run_on_it,
    ),
    Mutation(
        "names depend on what else is known",
        "names:job_runner",
        "base36(job)",
        "base36(job + len(list(taken)))",
        hearsay.test_two_stores_name_the_runner_of_a_job_alike,
    ),
    Mutation(
        "a one-job runner is kept after its job",
        "absorb_jobs:_job_ended",
        "runner.lifecycle is Lifecycle.EPHEMERAL and",
        "False and",
        scheduling.test_an_ephemeral_runner_ends_with_its_job_after_a_linger,
    ),
    Mutation(
        "what is over is forgotten at once",
        "retire:forget",
        "draft.now - policy.keep_gone",
        "draft.now",
        hearsay.test_a_delivery_that_comes_again_after_the_end_buys_nothing,
    ),
    Mutation("a pause is no pause", "room:Room._stopped", "if self._draft.paused", "if False", walks(Walk.pause)),
    Mutation(
        "one more in each pool",
        "room:Room.full",
        "policy.pool_terms(pool).maximum",
        "policy.pool_terms(pool).maximum + 1",
        walks(),
    ),
    Mutation("one more in all", "room:Room.full", "self._total >= policy", "self._total > policy", walks()),
    Mutation(
        "creates are not counted",
        "room:Room.full",
        "self._creates >= policy.creates_per_hour",
        "False",
        ceiling({"creates_per_hour": 2}, Reason.CREATES_PER_HOUR, 2),
    ),
    Mutation("cost is not counted", "room:Room.full", "self._cost + price > policy.max_hourly_cost", "False", walks()),
    Mutation("an operator passes the ceilings", "actions:start", "full is not None", "False", walks(Walk.start)),
    Mutation(
        "a refusal frees the place of a create that was never answered",
        "absorb_koyeb:create_failed",
        "runner.attempts > 1",
        "False",
        hearsay.test_a_refusal_after_an_unanswered_create_frees_no_place_before_koyeb_was_asked,
    ),
    Mutation("supply is not counted", "fill:Balance.missing", " - len(self.supply)", "", walks()),
    Mutation(
        "a lent runner is counted on one day only",
        "fill:_borrow",
        "max(0, len(supply[key]) - spares[key])",
        "len(supply[key])",
        hearsay.test_a_lent_runner_and_a_warm_spare_are_counted_alike_before_and_after_a_plan,
    ),
    Mutation(
        "the loop sleeps over the maximum age",
        "deadline:_runner",
        "yield max_age_at(runner, policy)",
        "pass",
        hearsay.test_a_runner_grows_too_old_though_nobody_can_tell_whether_it_is_idle,
    ),
    Mutation(
        "an end that is not confirmed hides the maximum age",
        "retire:_ending",
        "draft.now >= max_age_at(runner, policy)",
        "end is not None and end[0] <= draft.now and end[1] is Reason.MAX_AGE",
        walks(Walk.vanish, seeds=50),
    ),
    Mutation(
        "the loop sleeps over a question that is due",
        "deadline:_endings",
        "yield question_due(draft, runner, ending, policy) or NEVER",
        "pass",
        hearsay.test_the_loop_wakes_when_a_runner_should_be_online,
    ),
    Mutation("a job waits in silence", "fill:_explain", "refused.get(job.id)", "None", walks()),
)
