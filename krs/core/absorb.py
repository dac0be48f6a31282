"""`absorb(world, fact, now, policy) -> world`: what each fact changes, and nothing else.

Total and idempotent: a fact absorbed twice changes nothing the second time. Facts never cause commands, so a lost,
doubled or reordered delivery changes when krs acts, never what it ends up doing.
"""

from typing import assert_never

from krs.core import absorb_github, absorb_jobs, absorb_koyeb, absorb_operator, strays
from krs.core import facts as f
from krs.core.draft import Draft
from krs.core.model import Instant, World
from krs.core.policy import Policy


def absorb(world: World, fact: f.Fact, now: Instant, policy: Policy) -> World:
    """The world after one fact; `world.news` says what happened."""
    draft = Draft(world, now)
    _absorb(draft, fact, policy)
    return draft.done()


def _absorb(draft: Draft, fact: f.Fact, policy: Policy) -> None:  # noqa: C901, PLR0912 - one row a fact
    match fact:
        case f.JobFact():
            absorb_jobs.job_seen(draft, fact, policy)
        case f.JobGone():
            absorb_jobs.job_gone(draft, fact, policy)
        case f.JobUnanswered():
            absorb_jobs.job_unanswered(draft, fact, policy)
        case f.ServicesListed():
            absorb_koyeb.services_listed(draft, fact, policy)
        case f.ServiceFound():
            absorb_koyeb.service_found(draft, fact)
        case f.KoyebFailed():
            absorb_koyeb.koyeb_failed(draft, fact, policy)
        case f.RunnerCreated():
            absorb_koyeb.runner_created(draft, fact)
        case f.CreateFailed():
            absorb_koyeb.create_failed(draft, fact, policy)
        case f.DeleteAccepted():
            absorb_koyeb.delete_accepted(draft, fact)
        case f.DeleteFailed():
            absorb_koyeb.delete_failed(draft, fact, policy)
        case f.Protected():
            absorb_koyeb.protected(draft, fact, policy)
        case f.RegistrationsListed():
            absorb_github.registrations_listed(draft, fact, policy)
        case f.RegistrationObserved():
            absorb_github.registration_observed(draft, fact)
        case f.RegistrationRemoved():
            strays.removed(draft, fact)
        case f.GithubFailed():
            absorb_github.github_failed(draft, fact, policy)
        case f.StartAsked():
            absorb_operator.start_asked(draft, fact, policy)
        case f.ExtendAsked():
            absorb_operator.extend_asked(draft, fact)
        case f.DrainAsked():
            absorb_operator.drain_asked(draft, fact)
        case f.KillAsked():
            absorb_operator.kill_asked(draft, fact)
        case f.PauseAsked():
            absorb_operator.pause_asked(draft, fact)
        case f.ResumeAsked():
            absorb_operator.resume_asked(draft, fact)
        case _:
            assert_never(fact)
