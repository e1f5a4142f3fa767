"""Services of plain requests with ``httpx``: one request, a streamed reply, or a task of several requests."""

import time

from asrproto.http.tasks import Send
from asrproto.openai.errors import parse_error
from asrproto.openai.stream import TranscriptionStream


def fetch(client, request):
    """Send one request; give the response."""
    return client.request(request.method, request.url, headers=request.headers, content=request.body)


def stream(client, request, *, secrets=()):
    """Send a request that is answered by Server-Sent Events (``stream=True``); yield the events as they come."""
    with client.stream(request.method, request.url, headers=request.headers, content=request.body) as response:
        if response.is_error:
            raise parse_error(response.status_code, response.read(), headers=response.headers.items(), secrets=secrets)
        transcription = TranscriptionStream(secrets=secrets)
        for piece in response.iter_bytes():
            yield from transcription.feed(piece)
        yield from transcription.close()


def run(client, task, *, sleep=time.sleep):
    """Go through a task (`RecordingTask`, `LongTask`) to its end; give its last step, `Done` or `Failed`."""
    step = task.start()
    while isinstance(step, Send):
        sleep(step.delay)
        response = fetch(client, step.request)
        step = task.receive(response.status_code, response.headers.items(), response.content)
    return step
