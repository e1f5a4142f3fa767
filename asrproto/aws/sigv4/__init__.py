"""AWS Signature Version 4: sign requests, presign URLs, sign events; and check all three from the service's side."""

from asrproto.aws.sigv4.events import EventSigner
from asrproto.aws.sigv4.signer import AWS4, STREAMING_EVENTS, UNSIGNED_PAYLOAD, SigV4Signer
from asrproto.aws.sigv4.verify import EventVerifier, SignatureRejected, Verified, verify_presigned, verify_signed
from asrproto.http.signer import Credentials, signature_of

__all__ = [
    "AWS4",
    "STREAMING_EVENTS",
    "UNSIGNED_PAYLOAD",
    "Credentials",
    "EventSigner",
    "EventVerifier",
    "SigV4Signer",
    "SignatureRejected",
    "Verified",
    "signature_of",
    "verify_presigned",
    "verify_signed",
]
