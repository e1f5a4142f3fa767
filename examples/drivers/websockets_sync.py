"""Any streaming session over a WebSocket of ``websockets``, with one thread for each direction."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import chain
from threading import Event, Lock

from drivers.common import hear
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from asrproto.session import hear_handshake


def converse(session, audio, report):
    """Send `audio` (an iterable of bytes) from another thread, and call `report` with each event in this one."""
    request = session.handshake()
    try:
        socket = connect(request.url, additional_headers=request.headers, max_size=None)
    except InvalidStatus as refused:
        answer = refused.response
        hear(hear_handshake(session, answer.status_code, answer.headers.raw_items(), answer.body or b""), report)
        return

    turn, over = Lock(), Event()  # a session is for one thread at a time

    def speak():
        with suppress(ConnectionClosed):  # this thread hears why
            blocks = (partial(session.send_audio, pcm) for pcm in audio)
            for call in chain([session.start], blocks, [session.end_audio]):
                if over.is_set():
                    break
                with turn:
                    messages = call()
                for message in messages:
                    socket.send(message)

    def listen():
        with suppress(ConnectionClosed):
            for message in socket:
                with turn:
                    events = session.receive(message)
                if hear(events, report):
                    return
        if speaking.done():
            speaking.result()  # raises what went wrong with the audio
        hear(session.receive_eof(), report)

    with ThreadPoolExecutor(1) as pool, socket:  # the socket is closed first, which ends what still speaks
        hear(hear_handshake(session, 101, socket.response.headers.raw_items()), report)
        speaking = pool.submit(speak)
        speaking.add_done_callback(lambda done: done.exception() and socket.close())
        try:
            listen()
        finally:
            over.set()
    speaking.result()
