"""``asrproto sign``: signed URLs and headers, and how they come about.

What is printed is what goes on the wire. With ``--explain`` it is what may be shown to others: credentials that would
be on the wire as they are (a session token, an access token) are replaced there. A secret key is never printed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import click

from asrproto._redact import redact
from asrproto.cli.files import open_input
from asrproto.cli.keys import AWS, VOLC_OPENAPI, VOLC_SPEECH, YOUDAO, ask, listed
from asrproto.cli.options import at_option, check_names, session_options
from asrproto.cli.terminal import colours, printable
from asrproto.http import HttpRequest
from asrproto.session import utc_now

__all__ = ["command"]


@click.group(short_help="Make a signed URL or signed headers, and show how.")
def command() -> None:
    """Sign a request, and show how.

    \b
    asrproto sign transcribe -o language_code=en-US
    asrproto sign transcribe -o language_code=en-US --explain
    asrproto sign volcengine openapi 'https://open.volcengineapi.com/?Action=...'
    asrproto sign youdao --language en

    Credentials come from environment variables, which each command's help names, or are asked for; they are never
    arguments, which other users of the machine can see.
    """


def shared(function: Callable[..., None]) -> Callable[..., None]:
    """The options that all kinds of signature have."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Method, URL and headers as one JSON object."),
        click.option("--explain", is_flag=True,
                     help="Show what is signed, step by step, without anything that must stay secret."),
        at_option,
    ):
        function = option(function)
    return function


def show(request: HttpRequest, as_json: bool) -> None:
    """Print a request: the URL alone where that is all there is to it."""
    if as_json:
        click.echo(json.dumps({"method": request.method, "url": request.url, "headers": request.headers}))
        return
    if not request.headers:
        click.echo(request.url)
        return
    click.echo(f"{request.method} {request.url}")
    for name, value in request.headers:
        click.echo(f"{name}: {value}")


def show_steps(steps: Sequence[tuple[str, str]], request: HttpRequest, as_json: bool,
               secrets: Iterable[str | None]) -> None:
    """Print the steps to a signature and the outcome, without `secrets`."""
    known = tuple(secrets)

    def hidden(text: str) -> str:
        return redact(text, known)

    safe = HttpRequest(request.method, hidden(request.url),
                       [(name, hidden(value)) for name, value in request.headers])
    if as_json:
        click.echo(json.dumps({"steps": [{"name": name, "text": hidden(text)} for name, text in steps],
                               "method": safe.method, "url": safe.url, "headers": safe.headers}))
        return
    for name, text in steps:
        click.secho(name, bold=True, color=colours(sys.stdout))
        for line in printable(hidden(text)).split("\n"):
            click.echo(f"  {line}".rstrip())
        click.echo()
    click.secho("signed request", bold=True, color=colours(sys.stdout))
    show(safe, False)


@command.command(epilog=f"Credentials: {listed(AWS)} (only temporary ones have a token).")
@click.option("--region", default="us-east-1", envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], show_default=True,
              show_envvar=True, help="Where the service is.")
@click.option("--operation", type=click.Choice(["standard", "medical", "call-analytics", "scribe"]),
              default="standard", show_default=True)
@click.option("--transport", type=click.Choice(["websocket", "http2"]),
              help="A URL for a WebSocket, or headers for HTTP/2.  [default: websocket where there is one]")
@click.option("-o", "--option", "pairs", multiple=True, metavar="NAME=VALUE",
              help="An option of the session, by its name in Python or on the wire; can be given again.")
@shared
def transcribe(region: str, operation: str, transport: str | None, pairs: tuple[str, ...], at: datetime | None,
               explain: bool, as_json: bool) -> None:
    """The opening request of an Amazon Transcribe stream: good for five minutes.

    \b
    asrproto sign transcribe -o language_code=en-US -o sample_rate=8000
    asrproto sign transcribe -o language_code=en-US -o media_encoding=flac
    asrproto sign transcribe --transport http2 -o language_code=en-US
    asrproto sign transcribe -o language_code=en-US --explain
    """
    from asrproto.aws import transcribe as rooms
    from asrproto.aws.sigv4 import STREAMING_EVENTS, Credentials, SigV4Signer

    kinds: dict[str, Callable[..., Any]] = {
        "standard": rooms.TranscribeSession, "medical": rooms.MedicalSession,
        "call-analytics": rooms.CallAnalyticsSession, "scribe": rooms.MedicalScribeSession}
    key, secret, token = ask(*AWS)
    credentials = Credentials(key, secret, token or None)
    moment = at or utc_now()
    options: dict[str, Any] = {"clock": lambda: moment, **session_options(pairs)}
    transport = transport or ("http2" if operation == "scribe" else "websocket")
    if operation != "scribe":
        options["transport"] = transport
    elif transport == "websocket":
        raise click.UsageError("HealthScribe is offered over HTTP/2 only.")
    try:
        request = kinds[operation](credentials, region=region, **options).handshake()
    except TypeError as error:
        raise check_names(error) from None
    if not explain:
        show(request, as_json)
        return
    signer = SigV4Signer(credentials, service="transcribe", region=region)
    how: dict[str, Any] = ({"expires": options.get("expires", 300)} if transport == "websocket"
                           else {"payload_hash": STREAMING_EVENTS, "content_sha256_header": True})
    chain = f"AWS4 + secret key, {moment:%Y%m%d}, {region}, transcribe, aws4_request"
    show_steps([("canonical request", signer.canonical_request(request, at=moment, **how)),
                ("string to sign", signer.string_to_sign(request, at=moment, **how)),
                ("signing key", f"HMAC-SHA256 chain: {chain}")], request, as_json, (secret, token))


@command.group()
def volcengine() -> None:
    """Requests to Volcengine: OpenAPI, and the older speech interfaces."""


@volcengine.command(epilog=f"Credentials: {listed(VOLC_OPENAPI)}.")
@click.argument("url")
@click.option("--service", required=True, help="As the scope names it, e.g. speech_saas_prod.")
@click.option("--region", default="cn-north-1", show_default=True)
@click.option("-X", "--method", default="GET", show_default=True)
@click.option("-H", "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Can be given again.")
@click.option("--body", type=click.Path(allow_dash=True), help="File with the body to sign; - for standard input.")
@click.option("--presign", is_flag=True, help="Sign in the query, for a URL that needs no headers.")
@click.option("--expires", type=click.IntRange(1, 604800), help="Seconds that the URL is good for.")
@shared
def openapi(url: str, service: str, region: str, method: str, headers: tuple[str, ...], body: str | None,
            presign: bool, expires: int | None, at: datetime | None, explain: bool, as_json: bool) -> None:
    """A request to an OpenAPI service: hot-word tables, accounts, billing.

    \b
    asrproto sign volcengine openapi --service iam \\
        'https://open.volcengineapi.com/?Action=ListUsers&Version=2018-01-01'
    """
    from asrproto.volcengine.openapi import OpenApiSigner

    if expires is not None and not presign:
        raise click.UsageError("--expires goes with --presign.")
    key, secret = ask(*VOLC_OPENAPI)
    signer = OpenApiSigner(key, secret, service=service, region=region)
    request = HttpRequest(method.upper(), url, [_header(text) for text in headers], _read(body))
    moment = at or utc_now()
    signed = signer.presign(request, at=moment, expires=expires) if presign else signer.sign(request, at=moment)
    if not explain:
        show(signed, as_json)
        return
    how: dict[str, Any] = {"presign": presign, "expires": expires}
    show_steps([("canonical request", signer.canonical_request(request, at=moment, **how)),
                ("string to sign", signer.string_to_sign(request, at=moment, **how)),
                ("signing key", f"HMAC-SHA256 chain: secret key, {moment:%Y%m%d}, {region}, {service}, request")],
               signed, as_json, (secret,))


@volcengine.command(epilog=f"Credentials: {listed(VOLC_SPEECH[1:])}.")
@click.option("--url", default="wss://openspeech.bytedance.com/api/v2/asr", show_default=True)
@click.option("--body", type=click.Path(allow_dash=True), required=True,
              help="File with the first frame, to the byte; - for standard input.")
@click.option("--form", type=click.Choice(["demo", "documented"]), default="demo", show_default=True,
              help="How headers are signed: as in the vendor's demo or in its documentation.")
@shared
def hmac256(url: str, body: str, form: str, at: datetime | None, explain: bool, as_json: bool) -> None:
    """The handshake of the older streaming interface, api/v2/asr, whose MAC covers the first frame.

    The access token is a part of the header that is printed; --explain leaves it out.
    """
    from asrproto.volcengine.signing import hmac256_authorization, hmac256_string_to_sign

    token, secret = ask(*VOLC_SPEECH[1:])
    content = _read(body)
    path = "/" + url.partition("://")[2].partition("/")[2]
    custom = ("Custom", "auth_custom")
    value = hmac256_authorization(access_token=token, secret_key=secret, path=path, body=content, headers=(custom,),
                                  form=form)  # type: ignore[arg-type]
    request = HttpRequest("GET", url, (custom, ("Authorization", value)))
    if not explain:
        show(request, as_json)
        return
    text = hmac256_string_to_sign(path=path, body=b"", headers=(custom,), form=form)  # type: ignore[arg-type]
    show_steps([("string to sign", text.decode() + f"<{len(content)} bytes of the first frame>"),
                ("signing key", "the secret key itself: HMAC-SHA256, then URL-safe base64")],
               request, as_json, (token, secret))


@volcengine.command(epilog=f"Credentials: {listed(VOLC_OPENAPI)}.")
@click.option("--appkey", required=True, help="Of the application.")
@click.option("--resource-id", required=True, help="What is paid for.")
@shared
def stream(appkey: str, resource_id: str, at: datetime | None, explain: bool, as_json: bool) -> None:
    """The URL of the oldest streaming interface, api/v1/asr/stream."""
    from asrproto.volcengine.signing import legacy_stream_string_to_sign, legacy_stream_url

    key, secret = ask(*VOLC_OPENAPI)
    seconds = int((at or utc_now()).timestamp())
    request = HttpRequest("GET", legacy_stream_url(access_key=key, secret_key=secret, appkey=appkey,
                                                   resource_id=resource_id, timestamp=seconds))
    if not explain:
        show(request, as_json)
        return
    show_steps([("string to sign", legacy_stream_string_to_sign(appkey, seconds)),
                ("signing key", "the secret key itself: HMAC-SHA256, in hexadecimal")], request, as_json, (secret,))


@command.command(epilog=f"Credentials: {listed(YOUDAO)}.")
@click.option("--language", default="zh-CHS", show_default=True, help="Of the speech.")
@click.option("--rate", type=click.IntRange(1), default=16000, show_default=True, help="Samples per second.")
@click.option("--sign-type", type=click.Choice(["v1", "v2", "v3", "v4"]),
              help="The fields of a form in place of a streaming URL; v1 to v3 sign q.")
@click.option("--q", "q_file", type=click.Path(allow_dash=True),
              help="File with the text that the form carries as q, exactly; - for standard input.")
@click.option("--salt", help="A fresh UUID unless given.")
@shared
def youdao(language: str, rate: int, sign_type: str | None, q_file: str | None, salt: str | None,
           at: datetime | None, explain: bool, as_json: bool) -> None:
    """The URL of a Youdao stream, or the signed fields of a form.

    \b
    asrproto sign youdao --language en
    base64 -w0 talk.wav | asrproto sign youdao --sign-type v3 --q -
    """
    from urllib.parse import parse_qsl, urlencode, urlsplit

    from asrproto.youdao.short import ENDPOINT
    from asrproto.youdao.signing import SIGN_TYPES, auth_fields, string_to_sign
    from asrproto.youdao.streaming import YoudaoSession

    key, secret = ask(*YOUDAO)
    moment = at or utc_now()
    q = _read(q_file).decode("utf-8", "replace").rstrip("\r\n") if q_file is not None else None
    if sign_type is None:
        session = YoudaoSession(key, secret, language=language, rate=rate, salt=salt, clock=lambda: moment)
        request = session.handshake()
        fields = dict(parse_qsl(urlsplit(request.url).query))
    else:
        fields = auth_fields(key, secret, sign_type=sign_type, q=q, salt=salt, clock=lambda: moment)
        request = HttpRequest("POST", f"{ENDPOINT}?{urlencode(fields)}")
    if not explain:
        click.echo(json.dumps(fields) if as_json else request.url if sign_type is None else urlencode(fields))
        return
    text = string_to_sign(key, "<the application's secret>", salt=fields["salt"], curtime=fields["curtime"], q=q,
                          sign_type=fields["signType"])
    digest = SIGN_TYPES[fields["signType"]][2].upper()
    show_steps([("string to sign", text), ("sign", f"{digest} of it, in hexadecimal: {fields['sign']}")], request,
               as_json, (secret,))


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.UsageError(f"-H takes 'Name: value', not {text!r}.")
    return name.strip(), value.strip()


def _read(name: str | None) -> bytes:
    if name is None:
        return b""
    with open_input(name) as source:
        return b"".join(source.chunks())
