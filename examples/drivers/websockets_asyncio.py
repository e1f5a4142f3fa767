"""Any streaming session over a WebSocket of ``websockets``, with asyncio."""

from contextlib import suppress

from drivers.common import hear, outgoing, side_by_side
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from asrproto.session import hear_handshake


async def converse(session, audio, report):
    """Send `audio` (an async iterable of bytes), and call `report` with each event."""
    request = session.handshake()
    try:
        socket = await connect(request.url, additional_headers=request.headers, max_size=None)
    except InvalidStatus as refused:
        answer = refused.response
        hear(hear_handshake(session, answer.status_code, answer.headers.raw_items(), answer.body or b""), report)
        return

    async def speak():
        with suppress(ConnectionClosed):  # the other half hears why
            async for message in outgoing(session, audio):
                await socket.send(message)

    async def listen():
        with suppress(ConnectionClosed):
            async for message in socket:
                if hear(session.receive(message), report):
                    return
        hear(session.receive_eof(), report)

    async with socket:
        hear(hear_handshake(session, 101, socket.response.headers.raw_items()), report)
        await side_by_side(speak(), listen())
