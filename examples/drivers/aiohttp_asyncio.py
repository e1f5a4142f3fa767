"""Any streaming session over a WebSocket of ``aiohttp``."""

from contextlib import suppress

import aiohttp
from drivers.common import hear, outgoing, side_by_side
from multidict import CIMultiDict
from yarl import URL

from asrproto.session import hear_handshake


async def converse(session, audio, report):
    """Send `audio` (an async iterable of bytes), and call `report` with each event."""
    request = session.handshake()
    url = URL(request.url, encoded=True)  # a signed URL must stay as it is
    async with aiohttp.ClientSession() as client:
        try:
            socket = await client.ws_connect(url, headers=CIMultiDict(request.headers), max_msg_size=0)
        except aiohttp.WSServerHandshakeError as refused:  # which has no body
            hear(hear_handshake(session, refused.status, refused.headers.items()), report)
            return

        async def speak():
            with suppress(ConnectionError):  # the other half hears why
                async for message in outgoing(session, audio):
                    await (socket.send_str if isinstance(message, str) else socket.send_bytes)(message)

        async def listen():
            async for message in socket:
                if message.type is aiohttp.WSMsgType.ERROR:
                    break
                if hear(session.receive(message.data), report):
                    return
            hear(session.receive_eof(), report)

        async with socket:
            await side_by_side(speak(), listen())
