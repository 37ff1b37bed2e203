"""Time stamps (RFC 3161): an authority signs that bytes existed at a time; asked for at export, checked at verification."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import rfc3161_client as rfc
from cryptography import x509

from streams.clock import rfc3339
from streams.errors import BadInput
from streams.evidence.bundle import TOKEN
from streams.evidence.chain import Problem
from streams.evidence.der import in_order
from streams.evidence.words import plain
from streams.fetch import Limits, NotFetched, content, post

_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_LIMITS = Limits(max_bytes=200_000, seconds=30.0)


class Stamp(NamedTuple):
    """A time stamp: when, by whom (as its certificate says), and whether a root certificate that was given vouches for it."""

    at: str
    by: str
    vouched: bool


class Unusable(NotFetched):
    """The authority answered, and its answer is no time stamp of what it was asked for."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.word)
        self.problem = problem


def roots_of(pem: bytes) -> list[x509.Certificate]:
    """Return the certificates of a PEM file. Raises `BadInput`."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise BadInput("--tsa-root takes a PEM file with the certificate of the time stamping authority's root") from None


async def ask(url: str, data: bytes, roots: Sequence[x509.Certificate] = ()) -> bytes:
    """Have the authority at ``url`` stamp ``data``; return its answer, checked. Raises `NotFetched` with the reason.

    The person who exports names the authority, so it may lie inside; no redirect is followed.
    """
    request = rfc.TimestampRequestBuilder().data(data).hash_algorithm(rfc.HashAlgorithm.SHA256).build()
    headers = {"content-type": "application/timestamp-query", "accept": "application/timestamp-reply"}
    answer = await post(url, request.as_bytes(), headers=headers, limits=_LIMITS, allow_private=True)
    if answer.status != 200:
        raise NotFetched(f"http {answer.status}")
    token = content(answer, _LIMITS.max_bytes)
    problems, _ = check(token, data, roots, request.nonce)
    if problems:
        raise Unusable(problems[0])
    return token


def check(
    token: bytes, data: bytes, roots: Sequence[x509.Certificate] = (), nonce: int | None = None
) -> tuple[list[Problem], Stamp | None]:
    """Return what is wrong with a time stamp of ``data``, and the stamp where it can be read.

    Without ``roots`` nobody vouches for who signed it: only that it is of ``data`` is checked.
    """
    try:
        answer = rfc.decode_timestamp_response(in_order(token))
        if rfc.PKIStatus(answer.status) != rfc.PKIStatus.GRANTED:
            return [Problem("stamp_refused", TOKEN)], None
        told = answer.tst_info
        at, by = rfc3339(round(told.gen_time.timestamp() * 1000)), _signer(answer)
        imprint = told.message_imprint
        same = imprint.hash_algorithm == _SHA256 and imprint.message == hashlib.sha256(data).digest()
        asked = nonce is None or told.nonce == nonce
    except Exception:  # what is raised for strange certificates, names and times has no common class
        return [Problem("stamp_broken", TOKEN)], None
    problems = [] if same else [Problem("stamp_other", TOKEN)]
    problems += [] if asked else [Problem("stamp_asked", TOKEN)]
    if not roots:
        return problems, Stamp(at, by, False)
    trusted = [one for one in roots if one.issuer == one.subject] or list(roots)
    others = [one for one in roots if one not in trusted]
    try:
        rfc.VerifierBuilder(roots=trusted, intermediates=others).build().verify(answer, imprint.message)
    except Exception:  # a VerificationError, or the same as above
        return [*problems, Problem("stamp_signed", TOKEN)], Stamp(at, by, False)
    return problems, Stamp(at, by, True)


def _signer(answer: rfc.TimeStampResponse) -> str:
    """Return the subject of the certificate that the token says it was signed with, where it brings that."""
    named = {(one.issuer, one.serial_number) for one in answer.signed_data.signer_infos}
    for held in answer.signed_data.certificates:
        certificate = x509.load_der_x509_certificate(held)
        if (certificate.issuer, certificate.serial_number) in named:
            return plain(certificate.subject.rfc4514_string(), 200)
    return ""
