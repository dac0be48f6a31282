"""The application: which handler answers which path, and the server's limits."""

import time
from collections.abc import Sequence
from typing import Any

import tornado.ioloop
import tornado.netutil
import tornado.web
from tornado.routing import Rule

from krs.http.base import NotFoundHandler
from krs.http.health import HealthHandler, MetricsHandler, ReadyHandler
from krs.http.metrics import Metrics
from krs.http.ports import Health, Intake
from krs.http.server import Server, room
from krs.http.slow import SlowBodies
from krs.http.webhook import SmallDelivery, StreamedWebhookHandler, WebhookHandler

IDLE = 60.0
"""Seconds that a connection may say nothing."""
SWEEP = 10.0
"""Seconds between two looks for bodies that never end."""
HEADERS = 32 * 1024
BACKLOG = 1024
"""Connections that may wait to be accepted: a burst of deliveries opens hundreds at once."""
BODIES = 1 << 40
"""Bytes: the limits are the handlers', all of which stream; they answer 413 where the server would only hang up."""

Route = tuple[str, type[tornado.web.RequestHandler], dict[str, Any]]


def build(
    *, intake: Intake, health: Health, metrics: Metrics, max_body: int, more: Sequence[Route] = ()
) -> tornado.web.Application:
    """All routes; `more` are those of the admin API, if it exists."""
    slow = SlowBodies()
    webhook = {"intake": intake, "limit": max_body, "observe": metrics.delivery, "slow": slow}
    tornado.ioloop.PeriodicCallback(lambda: slow.sweep(time.monotonic()), SWEEP * 1000).start()
    return tornado.web.Application(
        [
            Rule(SmallDelivery(slow), WebhookHandler, webhook),
            (r"/(?:webhook/?)?", StreamedWebhookHandler, webhook),
            (r"/healthz", HealthHandler),
            (r"/readyz", ReadyHandler, {"health": health}),
            (r"/metrics", MetricsHandler, {"metrics": metrics}),
            *more,
        ],
        default_handler_class=NotFoundHandler,
        log_function=lambda _handler: None,
    )


def serve(application: tornado.web.Application, host: str, port: int) -> tuple[Server, int]:
    """Listen; gives the server and its port. Raises `OSError` when the address cannot be had."""
    server = Server(
        application,
        idle_connection_timeout=IDLE,
        max_header_size=HEADERS,
        max_body_size=BODIES,
    )
    server.most = room()
    sockets = tornado.netutil.bind_sockets(port, host, backlog=BACKLOG)
    server.add_sockets(sockets)
    return server, int(sockets[0].getsockname()[1])
