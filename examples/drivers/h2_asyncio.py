"""A session of Amazon Transcribe over HTTP/2 with ``h2``: the audio is the body of a request that goes on and on."""

import asyncio
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

from drivers.common import hear, outgoing, side_by_side
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

from asrproto.session import hear_handshake


async def converse(session, audio, report):
    """Send `audio` (an async iterable of bytes), and call `report` with each event."""
    request = session.handshake()
    url = urlsplit(request.url)
    tls = ssl.create_default_context() if url.scheme == "https" else None
    if tls:
        tls.set_alpn_protocols(["h2"])
    reader, writer = await asyncio.open_connection(url.hostname, url.port or 443, ssl=tls)
    http = H2Connection(H2Configuration(header_encoding="utf-8"))
    heard = asyncio.Event()  # something came: there may be room to send again

    async def flush():
        writer.write(http.data_to_send())
        await writer.drain()

    async def send(message):
        while message:
            await flush()
            if room := min(http.local_flow_control_window(1), http.max_outbound_frame_size):
                http.send_data(1, message[:room])
                message = message[room:]
            else:
                heard.clear()
                await heard.wait()

    async def speak():
        http.initiate_connection()
        http.send_headers(1, [(":method", request.method), (":scheme", url.scheme), (":authority", url.netloc),
                              (":path", url.path), *(pair for pair in request.headers if pair[0] != "host")])
        with suppress(ConnectionError, ProtocolError):  # the other half hears why
            async for message in outgoing(session, audio):
                await send(message)
            http.end_stream(1)
            await flush()

    async def answers():
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                for event in http.receive_data(data):
                    yield event
                    if isinstance(event, StreamEnded | StreamReset | ConnectionTerminated):
                        return
                await flush()
                heard.set()

    async def listen():
        refusal, body = None, b""
        async for event in answers():
            if isinstance(event, ResponseReceived):
                headers = dict(event.headers)
                status = int(headers.pop(":status"))
                if status == 200:
                    hear(hear_handshake(session, status, headers), report)
                else:
                    refusal = status, headers
            elif isinstance(event, DataReceived):
                http.acknowledge_received_data(event.flow_controlled_length, 1)
                if refusal:
                    body += event.data
                elif hear(session.receive(event.data), report):
                    return
        hear(hear_handshake(session, *refusal, body) if refusal else session.receive_eof(), report)

    try:
        await side_by_side(speak(), listen())
    finally:
        writer.close()
