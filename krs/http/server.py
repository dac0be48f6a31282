"""The server's door: how many connections may be open, and what happens when there is no room for one more.

Tornado alone accepts until the process has no file descriptor left, and then raises from its accept handler at every
turn of the loop, for nothing is ever taken off the queue. Here the connections are counted, and who has kept us waiting
longest for a request makes room: a delivery gets in however many others just sit there.
"""

import asyncio
import logging
import resource
import socket
from collections.abc import Iterable
from typing import Any

import tornado.http1connection
import tornado.httpserver
import tornado.httputil
import tornado.iostream

log = logging.getLogger("krs")

MOST = 2048
"""Connections that may be open, about 15 KiB each while they wait."""
LEAST = 16
RESERVE = 256
"""File descriptors for everything else: calls to Koyeb and GitHub, the state file, logs."""
PAUSE = 1.0
"""Seconds without accepting after the system refused a connection."""
AT_ONCE = 128
"""Connections accepted before anything else gets its turn."""


def room() -> int:
    """How many connections this process can afford; the soft limit of file descriptors is raised as far as it takes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + RESERVE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST if soft == resource.RLIM_INFINITY else max(LEAST, min(MOST, soft - RESERVE))


class Server(tornado.httpserver.HTTPServer):
    """Tornado's server behind a door. `most` connections may be open."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's signature
        super().__init__(*args, **kwargs)
        self.most = MOST
        self._open: dict[tornado.iostream.BaseIOStream, None] = {}
        self._doors: list[socket.socket] = []

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept from listening sockets."""
        for door in sockets:
            self._doors.append(door)
            asyncio.get_running_loop().add_reader(door, self._accept, door)

    def stop(self) -> None:
        """Accept no more; who is in may finish."""
        super().stop()
        doors, self._doors = self._doors, []
        for door in doors:
            asyncio.get_running_loop().remove_reader(door)
            door.close()

    def _accept(self, door: socket.socket) -> None:
        # Who came in this turn does not count as waiting yet, so half of the room is left to those who can make some.
        for _ in range(min(AT_ONCE, self.most // 2)):
            try:
                connection, address = door.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            except OSError as problem:
                self._rest(door, problem)
                return
            connection.setblocking(False)
            self.handle_stream(tornado.iostream.IOStream(connection), address)

    def _rest(self, door: socket.socket, problem: OSError) -> None:
        """No descriptor or no memory: make room, and look again a little later."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(door)
        log.warning("no connection can be accepted: %s: raise the limit of open files (ulimit -n)", problem.strerror)
        self._make_room()
        loop.call_later(PAUSE, self._look_again, door)

    def _look_again(self, door: socket.socket) -> None:
        if door in self._doors:
            asyncio.get_running_loop().add_reader(door, self._accept, door)

    def handle_stream(self, stream: tornado.iostream.IOStream, address: Any) -> None:  # noqa: ANN401 - any family's
        """Serve a connection, if there is or can be made room."""
        if len(self._open) >= self.most and not self._make_room():
            stream.close()
            return
        self._open[stream] = None
        super().handle_stream(stream, address)

    def start_request(
        self, server_conn: object, request_conn: tornado.httputil.HTTPConnection
    ) -> tornado.httputil.HTTPMessageDelegate:
        """A connection waits for its next request: it goes to the end of the line."""
        assert isinstance(request_conn, tornado.http1connection.HTTP1Connection)
        self._open.pop(request_conn.stream, None)
        self._open[request_conn.stream] = None
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: object) -> None:
        """A connection is gone."""
        assert isinstance(server_conn, tornado.http1connection.HTTP1ServerConnection)
        self._open.pop(server_conn.stream, None)
        super().on_close(server_conn)

    def _make_room(self) -> bool:
        """Close the connection that we have waited for longest, to ask or to take its answer; never one in hand."""
        slowest = next((stream for stream in self._open if stream.reading() or stream.writing()), None)
        if slowest is None:
            return False
        del self._open[slowest]
        slowest.close()
        return True
