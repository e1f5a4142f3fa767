"""A server on 127.0.0.1 that carries any fake service of `asrproto.testing`, so that a client can be tried for real.

A streaming fake (`FakeStreamingService`) is served as a WebSocket, a plain one (`FakeHttpService`) as HTTP/1.1. There
is no TLS: the client opens ``ws://`` or ``http://`` at the loopback address but keeps the host of the service's own URL
in the Host field (`asrproto.cli.driver` does both), so that signatures over the host hold. The fake is shown the URL
that the client meant, with ``wss://`` or ``https://``.

Each connection has a thread of its own, and the fakes' recognisers run in it. Needs ``websockets`` (extra ``demo``).
"""

from __future__ import annotations

import http.server
import socket
import socketserver
import threading
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import cast

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from asrproto.http import HttpRequest, HttpResponse
from asrproto.session import Clock, utc_now
from asrproto.testing import FakeConversation, FakeHttpService, FakeStreamingService, HandshakeRefused
from asrproto.testing.faults import ConnectionCut

__all__ = ["Address", "FakeService", "Loopback"]

HOST = "127.0.0.1"
Address = tuple[str, int]
FakeService = FakeStreamingService | FakeHttpService


class Loopback:
    """Serves one fake service for as long as a ``with`` block lasts.

    Parameters
    ----------
    service : FakeStreamingService or FakeHttpService
        Told apart by the method they have: ``accept`` or ``respond``.
    clock : callable, optional
        The service's own clock, which signatures are checked against.

    Attributes
    ----------
    address : (str, int)
        Host and port to connect to; the port is chosen by the system.
    """

    def __init__(self, service: FakeService, *, clock: Clock = utc_now) -> None:
        self._server: Server | _HttpServer
        if hasattr(service, "accept"):
            self._server = _websocket_server(cast(FakeStreamingService, service), clock)
        else:
            self._server = _HttpServer(service, clock)  # pyright: ignore[reportArgumentType]
        self._socket = self._server.socket
        self.address: Address = (HOST, self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Loopback:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._socket.close()


def _websocket_server(service: FakeStreamingService, clock: Clock) -> Server:
    conversations: dict[int, FakeConversation] = {}  # by connection, from its handshake to its handler

    def answer_handshake(connection: ServerConnection, request: Request) -> Response | None:
        headers = tuple(request.headers.raw_items())
        url = f"wss://{request.headers['Host']}{request.path}"
        try:
            conversations[id(connection)] = service.accept(HttpRequest("GET", url, headers), at=clock())
        except HandshakeRefused as refusal:
            return _websockets_response(refusal.response)
        return None

    def add_headers(connection: ServerConnection, request: Request, response: Response) -> None:
        conversation = conversations.get(id(connection))
        if conversation is not None:
            for name, value in conversation.response_headers:
                response.headers[name] = value

    def converse(connection: ServerConnection) -> None:
        conversation = conversations.pop(id(connection))
        try:
            for message in connection:
                for answer in conversation.receive(message):
                    connection.send(answer)
                if getattr(conversation, "aborted", False):
                    connection.socket.shutdown(socket.SHUT_RDWR)
                if conversation.closed:
                    return
        except ConnectionClosed:
            pass  # the client hung up while an answer was on its way
        conversation.receive_eof()

    # No bound on what waits to be read: a close frame behind audio that nobody reads any more would never be seen.
    return serve(converse, HOST, 0, process_request=answer_handshake, process_response=add_headers,
                 compression=None, max_size=None, max_queue=None)


def _websockets_response(response: HttpResponse) -> Response:
    headers = Headers()
    for name, value in (*response.headers, ("Content-Length", str(len(response.body))), ("Connection", "close")):
        headers[name] = value
    return Response(response.status, _reason(response.status), headers, response.body)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


class _HttpServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def __init__(self, service: FakeHttpService, clock: Clock) -> None:
        def respond(request: HttpRequest) -> HttpResponse:
            return service.respond(request, at=clock())

        self.respond: Callable[[HttpRequest], HttpResponse] = respond
        super().__init__((HOST, 0), _HttpHandler)

    def serve_forever(self, poll_interval: float = 0.02) -> None:
        super().serve_forever(poll_interval)  # by which shutdown() may be late


class _HttpHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        request = HttpRequest(self.command, f"https://{self.headers['Host']}{self.path}",
                              tuple(self.headers.items()), self._body())
        try:
            response = cast(_HttpServer, self.server).respond(request)
        except ConnectionCut:
            self.close_connection = True
            return
        self.send_response(response.status, _reason(response.status))
        for name, value in response.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        pieces = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(pieces)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _handle

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the client reports what it got."""
