"""``asrproto encode``: what a session would send for a recording, message by message, in a file.

The file is a recording of traffic, as `asrproto.testing.recording` defines it, or the frames alone, one after the
other, for the services whose frames say how long they are.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple

import click

from asrproto.cli.convert import progress, raw_format, raw_options
from asrproto.cli.files import new_file, open_input
from asrproto.cli.keys import AWS, OPENAI, VOLC_SPEECH, YOUDAO, Key, ask
from asrproto.cli.options import at_option, check_names, session_options
from asrproto.cli.samples import ENCODERS, converted
from asrproto.cli.sounds import RawFormat, open_sound
from asrproto.cli.terminal import Stop
from asrproto.session import StreamingSession, WireMessage, utc_now
from asrproto.testing.recording import Tap

__all__ = ["SERVICES", "command"]

_DEFAULT_RATE = 16000


class Audio(NamedTuple):
    """What a session is fed: samples, or with `encoding` None the recording's file as it is."""

    rate: int
    channels: int
    encoding: str | None


class Service(NamedTuple):
    """`make` takes the values of `keys` and the options; `audio` says what such a session is fed."""

    keys: Sequence[Key]
    make: Callable[[list[str], dict[str, Any]], StreamingSession]
    audio: Callable[[dict[str, Any]], Audio]
    frames_tell_their_length: bool = False


def _transcribe(kind: str, **defaults: Any) -> Callable[[list[str], dict[str, Any]], StreamingSession]:
    def make(keys: list[str], options: dict[str, Any]) -> StreamingSession:
        from asrproto.aws import transcribe

        language = {} if any(name.startswith("identify_") for name in options) else {"language_code": "en-US"}
        credentials = transcribe.Credentials(keys[0], keys[1], keys[2] or None)
        session: StreamingSession = getattr(transcribe, kind)(
            credentials, **{"region": "us-east-1", **language, **defaults, **options})
        return session

    return make


def _transcribe_audio(options: dict[str, Any]) -> Audio:
    encoding = options.get("media_encoding", "pcm")
    names = {"pcm": "s16le", "g711-ulaw": "ulaw", "g711-alaw": "alaw"}
    channels = 2 if "channel_roles" in options or "number_of_channels" in options else 1
    return Audio(_rate(options, "sample_rate"), channels, names.get(encoding))


def _big_model(keys: list[str], options: dict[str, Any]) -> StreamingSession:
    from asrproto.volcengine.credentials import AppCredentials
    from asrproto.volcengine.streaming import BigModelSession

    options.pop("clock", None)
    return BigModelSession(AppCredentials(*keys), **options)


def _legacy(keys: list[str], options: dict[str, Any]) -> StreamingSession:
    from asrproto.volcengine.credentials import AppCredentials
    from asrproto.volcengine.streaming import LegacySession

    options.pop("clock", None)
    options.setdefault("cluster", "volcengine_streaming_common")
    return LegacySession(AppCredentials(*keys), **options)


def _volcengine_audio(options: dict[str, Any]) -> Audio:
    bare = options.get("format", "pcm") in ("pcm", "raw")
    channels = options.get("channel", 1)
    return Audio(_rate(options, "rate"), channels if channels in (1, 2) else 1, "s16le" if bare else None)


def _youdao(keys: list[str], options: dict[str, Any]) -> StreamingSession:
    from asrproto.youdao.streaming import YoudaoSession

    return YoudaoSession(*keys, **{"language": "zh-CHS", **options})


def _realtime(keys: list[str], options: dict[str, Any]) -> StreamingSession:
    from asrproto.openai.realtime import RealtimeSession

    options.pop("clock", None)
    return RealtimeSession(api_key=keys[0], **{"model": "gpt-4o-transcribe", **options})


def _realtime_audio(options: dict[str, Any]) -> Audio:
    names = {"audio/pcm": (24000, "s16le"), "audio/pcmu": (8000, "ulaw"), "audio/pcma": (8000, "alaw")}
    rate, encoding = names.get(options.get("audio_format", "audio/pcm"), names["audio/pcm"])
    return Audio(rate, 1, encoding)


def _rate(options: dict[str, Any], name: str) -> int:
    rate = options.get(name, _DEFAULT_RATE)
    return rate if type(rate) is int and 4000 <= rate <= 384000 else _DEFAULT_RATE  # the session judges it


SERVICES = {
    "transcribe": Service(AWS, _transcribe("TranscribeSession"), _transcribe_audio, True),
    "transcribe-medical": Service(AWS, _transcribe("MedicalSession", specialty="PRIMARYCARE", type="DICTATION"),
                                  _transcribe_audio, True),
    "transcribe-call-analytics": Service(AWS, _transcribe("CallAnalyticsSession"), _transcribe_audio, True),
    "transcribe-scribe": Service(AWS, _transcribe("MedicalScribeSession"), _transcribe_audio, True),
    "volcengine": Service(VOLC_SPEECH, _big_model, _volcengine_audio, True),
    "volcengine-legacy": Service(VOLC_SPEECH, _legacy, _volcengine_audio, True),
    "youdao": Service(YOUDAO, _youdao, lambda options: Audio(_rate(options, "rate"), 1, "s16le")),
    "openai-realtime": Service(OPENAI, _realtime, _realtime_audio),
}


@click.command(short_help="Write the wire messages of a whole session into a file.")
@click.argument("source", metavar="IN", type=click.Path(allow_dash=True))
@click.argument("target", metavar="OUT", type=click.Path(allow_dash=True))
@click.option("-s", "--service", metavar="SERVICE", type=click.Choice(list(SERVICES)), required=True,
              help=f"Whose messages: {', '.join(SERVICES)}.")
@click.option("-o", "--option", "pairs", multiple=True, metavar="NAME=VALUE",
              help="An option of the session, by its name in Python; can be given again.")
@click.option("--frames", is_flag=True, help="Only the binary frames, one after the other; no times, no handshake.")
@click.option("--credentials", "own_keys", is_flag=True,
              help="Use your own, which makes signatures true; otherwise made-up ones are used.")
@at_option
@raw_options
@click.option("--salvage", is_flag=True, help="Take what there is of a recording that was cut short.")
@click.option("-f", "--force", is_flag=True, help="Replace OUT if it is there.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def command(source: str, target: str, service: str, pairs: tuple[str, ...], frames: bool, own_keys: bool,
            at: datetime | None, raw: str | None, raw_rate: int, raw_channels: int, salvage: bool, force: bool,
            quiet: bool) -> None:
    """Write into OUT every message that a session with a service sends for the recording IN.

    \b
    asrproto encode talk.mp3 talk.jsonl --service transcribe
    asrproto inspect talk.jsonl
    asrproto encode talk.wav talk.bin -s volcengine -o gzip=false --frames
    asrproto encode talk.wav talk.jsonl -s youdao -o language=en -o rate=8000

    OUT has a JSON object a line, which `asrproto inspect` and a replaying fake read; no credential stands in it. The
    recording is converted to what the session takes, as by `asrproto convert`.
    """
    row = SERVICES[service]
    if frames and not row.frames_tell_their_length:
        raise click.UsageError(f"--frames is for services whose frames say how long they are, and {service}'s do not.")
    options = session_options(pairs)
    audio = row.audio(options)
    keys = ask(*row.keys) if own_keys else [key.example for key in row.keys]
    clock = utc_now if at is None else lambda: at
    try:
        session = row.make(keys, {"clock": clock, **options})
    except TypeError as error:
        raise check_names(error) from None
    with _recording(source, audio, raw_format(raw, raw_rate, raw_channels), salvage, quiet) as pieces, \
            new_file(target, force=force, private=own_keys) as file:
        if frames:
            _write_frames(session, pieces, file)
        else:
            _write_recording(session, pieces, file)


@contextmanager
def _recording(source: str, audio: Audio, raw: RawFormat | None, salvage: bool,
               quiet: bool) -> Iterator[Iterator[tuple[float, bytes]]]:
    """The audio of `source` as a session takes it, in pieces, each with the seconds to its end."""
    if audio.encoding is None:
        if raw is not None:
            raise click.UsageError("--raw is for samples, and this session takes a file as it is.")
        with open_input(source) as file:
            yield ((0.0, chunk) for chunk in file.chunks())
        return
    with open_sound(source, raw, as_far_as_it_goes=salvage) as sound:
        if audio.channels not in (1, sound.channels) and sound.channels != 1:
            raise Stop(f"{sound.name} has {sound.channels} channels, and the session takes {audio.channels}")
        with progress(sound, quiet):
            encode = ENCODERS[audio.encoding]

            def pieces() -> Iterator[tuple[float, bytes]]:
                frames, step = 0, audio.rate // 50
                for block in converted(sound, rate=audio.rate, channels=audio.channels, channel=None, quality="high"):
                    for start in range(0, len(block), step):
                        piece = block[start:start + step]
                        frames += len(piece)
                        yield frames / audio.rate, encode(piece)

            yield pieces()


def _messages(session: StreamingSession, pieces: Iterator[tuple[float, bytes]]) -> Iterator[WireMessage]:
    session.handshake()
    yield from session.start()
    for _, piece in pieces:
        yield from session.send_audio(piece)
    yield from session.end_audio()


def _write_frames(session: StreamingSession, pieces: Iterator[tuple[float, bytes]], file: BinaryIO) -> None:
    for message in _messages(session, pieces):
        assert isinstance(message, bytes)
        file.write(message)


def _write_recording(session: StreamingSession, pieces: Iterator[tuple[float, bytes]], file: BinaryIO) -> None:
    now = 0.0
    text = io.TextIOWrapper(file, encoding="utf-8", newline="\n")
    try:
        tap = Tap(session, text, clock=lambda: now)
        tap.handshake()
        tap.start()
        for now, piece in pieces:  # noqa: B007 - the clock's
            tap.send_audio(piece)
        tap.end_audio()
    finally:
        text.detach()
