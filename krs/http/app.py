"""The application: which handler answers which path, and the server's limits."""

from collections.abc import Sequence
from typing import Any

import msgspec
import tornado.httpserver
import tornado.netutil
import tornado.web

from krs.http.health import HealthHandler, MetricsHandler, ReadyHandler
from krs.http.metrics import Metrics
from krs.http.ports import Health, Intake
from krs.http.webhook import WebhookHandler

IDLE = 60.0
"""Seconds that a connection may say nothing."""
BODY = 60.0
HEADERS = 32 * 1024
BODIES = 1 << 40
"""Bytes: the limits are the handlers', who answer 413 where the server itself would only hang up."""

Route = tuple[str, type[tornado.web.RequestHandler], dict[str, Any]]


class NotFoundHandler(tornado.web.RequestHandler):
    """Everything else, in the one shape of errors."""

    def prepare(self) -> None:
        """Refuse whatever the method."""
        self.set_status(404)
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode({"error": {"code": "not_found", "message": "there is nothing at this path"}}))


def build(
    *, intake: Intake, health: Health, metrics: Metrics, max_body: int, more: Sequence[Route] = ()
) -> tornado.web.Application:
    """All routes; `more` are those of the admin API, if it exists."""
    webhook = {"intake": intake, "limit": max_body, "observe": metrics.delivery}
    return tornado.web.Application(
        [
            (r"/", WebhookHandler, webhook),
            (r"/webhook/?", WebhookHandler, webhook),
            (r"/healthz", HealthHandler),
            (r"/readyz", ReadyHandler, {"health": health}),
            (r"/metrics", MetricsHandler, {"metrics": metrics}),
            *more,
        ],
        default_handler_class=NotFoundHandler,
        log_function=lambda _handler: None,
        compress_response=False,
    )


def serve(application: tornado.web.Application, host: str, port: int) -> tuple[tornado.httpserver.HTTPServer, int]:
    """Listen; gives the server and its port. Raises `OSError` when the address cannot be had."""
    server = tornado.httpserver.HTTPServer(
        application,
        idle_connection_timeout=IDLE,
        body_timeout=BODY,
        max_header_size=HEADERS,
        max_body_size=BODIES,
    )
    sockets = tornado.netutil.bind_sockets(port, host, reuse_port=False)
    server.add_sockets(sockets)
    return server, int(sockets[0].getsockname()[1])
