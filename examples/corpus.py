"""Transcribe a folder of WAV recordings on a Dask cluster, with Amazon Transcribe.

    export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...
    python examples/corpus.py FOLDER [WORKERS]

Each worker reads recordings of any rate, converts them to 16 kHz mono, and holds one conversation after the other. What
fails is tried again if that may help; an error does not stop the rest. Without workers, everything
runs in this process, with the same result.

Needs ``pip install asrproto websockets distributed``. On a cluster of several machines, the workers need asrproto and
this folder of examples too.
"""

import os
import sys
import wave
from functools import partial
from pathlib import Path

import numpy as np
from drivers.websockets_sync import converse

from asrproto import SessionFailed, Transcript
from asrproto.audio import AudioEncoder
from asrproto.aws.sigv4 import Credentials
from asrproto.aws.transcribe import TranscribeSession


def session_from_environment(**settings):
    """A session with the keys of the machine that it runs on, so that no key travels through the cluster."""
    credentials = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"],
                              os.environ.get("AWS_SESSION_TOKEN"))
    return TranscribeSession(credentials, region="us-east-1", language_code="en-US", sample_rate=16000, **settings)


def chunks(path):
    """A recording as the bytes that the service wants."""
    with wave.open(str(path)) as file:
        rate, channels = file.getframerate(), file.getnchannels()
        encoder = AudioEncoder(rate_in=rate, channels_in=channels, dtype_in="int16", rate_out=16000)
        while piece := file.readframes(rate):
            yield from encoder.push(np.frombuffer(piece, "<i2").reshape(-1, channels))
    yield from encoder.flush()


def transcribe(path, make_session):
    """The words in one recording."""
    texts = []

    def hear(event):
        if isinstance(event, SessionFailed):
            raise event.error
        if isinstance(event, Transcript) and event.is_final:
            texts.append(event.text)

    converse(make_session(), chunks(path), hear)
    return " ".join(texts)


def attempt(path, make_session, attempts=2):
    """The words, or the error, of one recording; a broken one must not stop the others."""
    try:
        return transcribe(path, make_session)
    except Exception as error:
        again = attempts > 1 and getattr(error, "retryable", False)
        return attempt(path, make_session, attempts - 1) if again else error


def transcribe_folder(folder, make_session, client=None, show=print):
    """The words, or the error, by path; `client` is that of a Dask cluster."""
    paths = sorted(Path(folder).rglob("*.wav"))
    work = partial(attempt, make_session=make_session)
    results = {}
    for path, result in ((path, work(path)) for path in paths) if client is None else finished(client, work, paths):
        results[path] = result
        show(f"{len(results)}/{len(paths)} {path.name}: {result}")
    return {path: results[path] for path in paths}


def finished(client, work, paths):
    """Path and result of each, in the order in which they are done."""
    from distributed import as_completed

    futures = {client.submit(work, path, pure=False): path for path in paths}
    for future, result in as_completed(futures, with_results=True):
        yield futures[future], result


def main(folder, workers="0"):
    if not int(workers):
        results = transcribe_folder(folder, session_from_environment)
    else:
        from distributed import Client, LocalCluster

        with LocalCluster(n_workers=int(workers), threads_per_worker=1) as cluster, Client(cluster) as client:
            results = transcribe_folder(folder, session_from_environment, client)
    return sum(isinstance(result, Exception) for result in results.values())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
