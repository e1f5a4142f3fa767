"""What the drivers have in common: what goes out, who hears what comes in, and two halves that run side by side."""

import asyncio

from asrproto import SessionEnded, SessionFailed


async def outgoing(session, audio):
    """Every message that the session sends for `audio`, an async iterable of bytes."""
    for message in session.start():
        yield message
    async for pcm in audio:
        for message in session.send_audio(pcm):
            yield message
    for message in session.end_audio():
        yield message


def hear(events, report):
    """Report events; tell whether they end the conversation."""
    for event in events:
        report(event)
    return any(isinstance(event, SessionEnded | SessionFailed) for event in events)


async def side_by_side(speak, listen):
    """Run both until `listen` is done or one of them fails."""
    speaking, listening = asyncio.ensure_future(speak), asyncio.ensure_future(listen)
    listening.add_done_callback(lambda _: speaking.cancel())  # nobody is there to hear the rest
    try:
        await asyncio.wait((speaking, listening), return_when=asyncio.FIRST_EXCEPTION)
    finally:
        speaking.cancel()
        listening.cancel()
        outcomes = await asyncio.gather(speaking, listening, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
