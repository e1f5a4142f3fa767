"""``asrproto inspect``: bytes in any spelling, taken apart by the package's own decoders and shown piece by piece.

::

    file → forms (raw, hex, base64, bytes literal) → formats (event stream, Volcengine, SSE, WAV, ...) → show
"""
