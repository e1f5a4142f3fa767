"""An HTTP/2 server on 127.0.0.1, without TLS, that carries a fake of Transcribe."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset

from asrproto.http import HttpRequest
from asrproto.session import utc_now
from asrproto.testing import FakeConversation, FakeStreamingService, HandshakeRefused


class H2Loopback:
    """Serves one fake for as long as a ``with`` block lasts.

    One that is `slow` gives a client room to send only when it has none left.
    """

    def __init__(self, service: FakeStreamingService, *, slow: bool = False) -> None:
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler)
        self._server.service, self._server.slow = service, slow  # type: ignore[attr-defined]
        self.address: tuple[str, int] = ("127.0.0.1", self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> H2Loopback:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(socketserver.BaseRequestHandler):
    request: socket.socket
    server: Any

    def handle(self) -> None:
        self.request.settimeout(20)
        self.http = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.http.initiate_connection()
        self.conversation: FakeConversation | None = None
        self.waiting, self.over, self.taken = b"", False, 0
        with contextlib.suppress(ConnectionError, TimeoutError):
            self.request.sendall(self.http.data_to_send())
            while not (self.over and not self.waiting) and (data := self.request.recv(1 << 16)):
                for event in self.http.receive_data(data):
                    self.take(event)
                self.send()
            while self.request.recv(1 << 16):  # until the client hangs up too
                pass

    def take(self, event: object) -> None:
        if isinstance(event, RequestReceived):
            self.open(event.headers)
        elif isinstance(event, DataReceived):
            self.taken += event.flow_controlled_length
            if not self.server.slow or not self.http.remote_flow_control_window(1):
                self.http.acknowledge_received_data(self.taken, 1)
                self.taken = 0
            if self.conversation is not None:
                for answer in self.conversation.receive(event.data):
                    self.waiting += answer if isinstance(answer, bytes) else answer.encode()
                self.over = self.conversation.closed
        elif isinstance(event, StreamEnded | StreamReset) and self.conversation is not None:
            self.conversation.receive_eof()
            self.over = True

    def open(self, headers: Any) -> None:
        fields = {name: value for name, value in headers if name.startswith(":")}
        url = f"{fields[':scheme']}://{fields[':authority']}{fields[':path']}"
        request = HttpRequest(fields[":method"], url,
                              [("host", fields[":authority"]), *(one for one in headers if not one[0].startswith(":"))])
        try:
            self.conversation = self.server.service.accept(request, at=utc_now())
        except HandshakeRefused as refused:
            response = refused.response
            self.http.send_headers(1, [(":status", str(response.status)), *response.headers])
            self.waiting, self.over = response.body, True
        else:
            self.http.send_headers(1, [(":status", "200"), *self.conversation.response_headers])

    def send(self) -> None:
        while self.waiting and (room := min(self.http.local_flow_control_window(1), 16000)):
            self.http.send_data(1, self.waiting[:room])
            self.waiting = self.waiting[room:]
        if self.over and not self.waiting:
            self.http.end_stream(1)
        self.request.sendall(self.http.data_to_send())
