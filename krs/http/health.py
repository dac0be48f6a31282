"""`/healthz` (alive), `/readyz` (able to work) and `/metrics` (Prometheus); all without a token, none with a secret."""

from krs.http.base import BoundedHandler
from krs.http.metrics import CONTENT_TYPE, Metrics
from krs.http.ports import Health


class HealthHandler(BoundedHandler):
    """The process answers."""

    SUPPORTED_METHODS = ("GET", "HEAD")

    def get(self) -> None:
        """Say so."""
        self.write({"status": "alive"})

    head = get


class ReadyHandler(BoundedHandler):
    """The store is open and Koyeb was listed once."""

    SUPPORTED_METHODS = ("GET", "HEAD")

    def initialize(self, health: Health) -> None:  # type: ignore[override]
        """Keep what the route was given."""
        super().initialize()
        self._health = health

    def get(self) -> None:
        """200, or 503 with what is missing."""
        ready, why = self._health.ready()
        self.set_status(200 if ready else 503)
        self.write({"status": "ready" if ready else "not ready", "message": why})

    head = get


class MetricsHandler(BoundedHandler):
    """Prometheus' text format."""

    SUPPORTED_METHODS = ("GET",)

    def initialize(self, metrics: Metrics) -> None:  # type: ignore[override]
        """Keep what the route was given."""
        super().initialize()
        self._metrics = metrics

    def get(self) -> None:
        """All samples."""
        self.set_header("Content-Type", CONTENT_TYPE)
        self.write(self._metrics.render())
