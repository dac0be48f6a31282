"""Everything known of one runner, as lines of title and value."""

from tui import format as fmt
from tui import rows
from tui.backend import RunnerView
from tui.view import View
from tui.widgets.drawn import Spans
from tui.widgets.tones import STATE_TONES, Tone

TITLE_WIDTH = 10


def facts(view: View, runner: RunnerView | None, width: int, height: int) -> list[Spans]:
    """Draw a runner; a line of its own for every fact that is known."""
    if runner is None:
        return [((" no runner", Tone.MUTED),)]
    now, tone = view.now, STATE_TONES[runner.state]
    lines: list[Spans] = [
        _fact("name", runner.name, width, Tone.TITLE),
        _fact("state", f"{rows.runner_state(runner)} for {fmt.age(runner.since, now)}", width, tone),
        _fact("place", rows.place(runner.region, runner.instance_type), width),
        _fact("labels", " ".join(runner.labels), width),
        _fact("scope", f"{runner.scope} ({runner.lifecycle.value}, {runner.credential.value})", width),
        (),
        *_job(view, runner, width),
        (),
        *_times(view, runner, width),
        (),
        _fact("service", f"{runner.service_id or '-'}  {runner.service_status}", width),
        _fact("github", "not registered yet" if runner.github_id is None else f"runner {runner.github_id}", width),
        _fact("pool", runner.pool, width),
    ]
    if runner.error:
        lines.insert(2, _fact("error", fmt.one_line(runner.error), width, Tone.BAD))
    return lines if len(lines) <= height else [line for line in lines if line]


def _job(view: View, runner: RunnerView, width: int) -> list[Spans]:
    if runner.job is None:
        return [_fact("job", f"none; {fmt.count(runner.jobs_done, 'job')} done", width, Tone.MUTED)]
    lines = [
        _fact("job", f"{fmt.one_line(runner.job_name or '-')}  id {runner.job}", width, Tone.WORK),
        _fact("repo", f"{fmt.one_line(runner.repo or '-')} @ {fmt.one_line(runner.branch or '-')}", width),
    ]
    jobs = view.snapshot.jobs if view.snapshot else ()
    job = next((one for one in jobs if one.id == runner.job), None)
    if job is not None:
        lines.append(_fact("workflow", f"{fmt.one_line(job.workflow)}  run {job.run_id} #{job.attempt}", width))
        lines.append(_fact("waited", fmt.duration(job.waited), width))
    if runner.job_url:
        lines.append(_fact("url", runner.job_url, width))
    return lines


def _times(view: View, runner: RunnerView, width: int) -> list[Spans]:
    now = view.now
    left = fmt.left(runner.expires_at, now, guessed=view.stale)
    ends = rows.no_end(runner) if runner.expires_at is None else f"{fmt.date(runner.expires_at)} UTC  in {left}"
    why = f"  ({runner.ends_because.replace('_', ' ')})" if runner.ends_because else ""
    origin = runner.origin.replace("_", " ") + (f", job {runner.origin_job}" if runner.origin_job else "")
    lines = [
        _fact("exists", f"because of {origin}", width),
        _fact("age", f"{fmt.age(rows.born(runner), now)}{_booted(runner)}", width),
        _fact("ends", ends + why, width, Tone.WARN if "!" in left else Tone.PLAIN),
    ]
    if runner.hold_until is not None:
        lines.append(_fact("held", f"until {fmt.date(runner.hold_until)} UTC", width))
    if runner.max_age_at is not None:
        lines.append(_fact("oldest", f"drained at {fmt.date(runner.max_age_at)} UTC", width, Tone.MUTED))
    price = fmt.hourly(runner.price_hourly)
    lines.append(_fact("cost", f"${fmt.money(runner.cost)} so far at {price}, an estimate", width))
    return lines


def _booted(runner: RunnerView) -> str:
    if runner.online_at is None or runner.created_at is None:
        return ""
    return f"  booted in {fmt.duration(runner.online_at - runner.created_at)}"


def _fact(title: str, value: str, width: int, tone: Tone = Tone.PLAIN) -> Spans:
    room = max(4, width - TITLE_WIDTH - 1)
    return ((f" {title:{TITLE_WIDTH}}", Tone.MUTED), (fmt.cut_middle(value, room).rstrip(), tone))
