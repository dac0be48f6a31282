"""What is counted, named `krs_*`. What mirrors the world is read from a snapshot when it is asked for, never pushed."""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from krs.core.views import Snapshot
from krs.core.vocabulary import JobState

CONTENT_TYPE = CONTENT_TYPE_LATEST
LATENCY = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """The daemon's counters, in a registry of their own."""

    def __init__(self, version: str) -> None:
        self._registry = CollectorRegistry()
        self._deliveries = Counter(
            "krs_deliveries", "Webhook deliveries by outcome.", ["outcome"], registry=self._registry
        )
        self._answer = Histogram(
            "krs_webhook_answer_seconds",
            "Time to answer a delivery.",
            buckets=LATENCY,
            registry=self._registry,
        )
        self._redeliveries = Counter(
            "krs_redeliveries",
            "Failed deliveries that GitHub was asked to send again, by outcome.",
            ["outcome"],
            registry=self._registry,
        )
        self._turn = Histogram("krs_turn_seconds", "Time of a turn.", buckets=LATENCY, registry=self._registry)
        self._events = Counter(
            "krs_events", "Journal rows by kind and reason.", ["kind", "reason"], registry=self._registry
        )
        self._calls = Counter(
            "krs_api_calls",
            "Calls by API, method and status (0: no answer).",
            ["api", "method", "status"],
            registry=self._registry,
        )
        self._remaining = Gauge(
            "krs_api_remaining", "Calls left in the API's budget.", ["api"], registry=self._registry
        )
        self.streams = Gauge("krs_event_streams", "Open event streams.", registry=self._registry)
        self._waiting = Gauge(
            "krs_inbox_depth", "Deliveries on disk that no turn has absorbed.", registry=self._registry
        )
        self._writable = Gauge(
            "krs_store_writable", "1, or 0 while the state file cannot be written.", registry=self._registry
        )
        self._writable.set(1)
        build = Gauge("krs_build", "Always 1; the label tells the version.", ["version"], registry=self._registry)
        build.labels(version).set(1)
        self._outcomes: dict[str, Counter] = {}

    def delivery(self, outcome: str, seconds: float) -> None:
        """A delivery was answered."""
        counter = self._outcomes.get(outcome)
        if counter is None:
            counter = self._outcomes[outcome] = self._deliveries.labels(outcome)
        counter.inc()
        self._answer.observe(seconds)

    def redelivery(self, outcome: str) -> None:
        """GitHub was asked for a failed delivery again."""
        self._redeliveries.labels(outcome).inc()

    def turn(self, seconds: float) -> None:
        """A turn ended."""
        self._turn.observe(seconds)

    def event(self, kind: str, reason: str) -> None:
        """Something happened."""
        self._events.labels(kind, reason).inc()

    def store(self, writable: bool) -> None:
        """The state file can be written, or cannot."""
        self._writable.set(int(writable))

    def call(self, service: str, method: str, status: int, seconds: float, headers: Mapping[str, str]) -> None:
        """An API was called; its own word on what is left is kept."""
        self._calls.labels(service, method, str(status)).inc()
        left = headers.get("x-ratelimit-remaining", "")
        if left.isdigit():
            self._remaining.labels(service).set(int(left))

    def mirror(self, snapshot: Callable[[], Snapshot], waiting: Callable[[], int]) -> None:
        """Show the world and the inbox too."""
        self._waiting.set_function(waiting)
        self._registry.register(Mirror(snapshot))

    def render(self) -> bytes:
        """All samples in Prometheus' text format."""
        return generate_latest(self._registry)


class Mirror(Collector):
    """Gauges computed from a snapshot at the moment they are asked for."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing in advance: the first snapshot may not exist yet."""
        return ()

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        """The gauges of this instant."""
        now = self._snapshot()
        runners = GaugeMetricFamily("krs_runners", "Runners by pool and state.", labels=["pool", "state"])
        for (pool, state), count in Tally((r.pool, r.state.value) for r in now.runners).items():
            runners.add_metric([pool, state], count)
        yield runners
        jobs = GaugeMetricFamily("krs_jobs", "Jobs that are not done, by state.", labels=["state"])
        tally = Tally(job.state for job in now.jobs)
        for state in (JobState.WAITING, JobState.QUEUED, JobState.RUNNING):
            jobs.add_metric([state.value], tally[state])
        yield jobs
        totals = now.totals
        yield GaugeMetricFamily("krs_jobs_unplaceable", "Jobs that no runner can serve.", totals.unplaceable)
        yield GaugeMetricFamily("krs_oldest_wait_seconds", "Wait of the oldest queued job.", totals.oldest_wait)
        yield GaugeMetricFamily("krs_cost_hourly_usd", "What all runners cost an hour.", totals.cost_hourly)
        yield CounterMetricFamily("krs_killed_jobs", "Jobs cut off by a deletion; must stay 0.", totals.killed_jobs)
        yield CounterMetricFamily("krs_runners_started", "Services started.", totals.runners_started)
        yield CounterMetricFamily("krs_runners_deleted", "Services gone.", totals.runners_deleted)
        age = GaugeMetricFamily("krs_sweep_age_seconds", "Since an API last answered a sweep.", labels=["api"])
        for upstream in now.upstreams:
            if upstream.answered_at is not None:
                age.add_metric([upstream.name], max(0.0, now.at - upstream.answered_at))
        yield age
        failing = GaugeMetricFamily(
            "krs_api_failing_seconds", "Since an API gives no answer; 0: it does.", labels=["api"]
        )
        for upstream in now.upstreams:
            since = upstream.failed_since
            failing.add_metric([upstream.name], max(0.0, now.at - since) if since is not None else 0.0)
        yield failing
