"""Judges of certificates: trusted, strong, with time left, and renewed without a gap."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.edge.judge.facts import rate
from troth.promises.edge.judge.tls import demand_app
from troth.promises.edge.rules.grade import rsa_equivalent
from troth.promises.edge.settings import EdgeSettings
from troth.promises.judging import Unseen, judging, shaped

# Source: CA/Browser Forum Baseline Requirements 2, 6.1.5 and 7.1.3.2.
LEAST_RSA_BITS = 2048
LEAST_CURVE_BITS = 256
STRONG_HASHES = frozenset({"sha256", "sha384", "sha512", ""})  # Ed25519 names none
TIME_LEFT = timedelta(days=21)
LEAST_REQUESTS = 20  # of the renewal drill, or it shows nothing


class Certificate(Struct, frozen=True):
    """One certificate of a chain.

    Args:
        key: `EC`, `RSA`, `Ed25519` or another name.
        key_bits: its size.
        signature_hash: the hash that its issuer signed, such as `sha384`; empty for Ed25519.
        not_before: start of its validity.
        not_after: end of its validity.
        is_root: whether it signed itself.
    """

    key: str
    key_bits: int
    signature_hash: str
    not_before: datetime
    not_after: datetime
    is_root: bool


class Served(Struct, frozen=True):
    """What one host serves.

    Args:
        host: which.
        chain: as it was sent, the host's own first.
        is_trusted: whether it leads to the declared authority, names aside.
        covers_name: whether the host's own is for its name.
        why_not: what the verification said.
    """

    host: str
    chain: list[Certificate]
    is_trusted: bool
    covers_name: bool
    why_not: str = ""


class Chains(Struct, frozen=True):
    """What the certificate probes bring; `at` is the time of the look."""

    hosts: list[Served]
    at: datetime


class Renewal(Struct, frozen=True):
    """What the renewal drill brings.

    Args:
        asked: requests made while the certificate was exchanged, each on a connection of its own.
        dropped: those that got no answer.
        before: whether the old certificate was seen.
        after: whether the new one was seen.
        held: whether a connection from before the exchange still answered after it.
    """

    asked: int
    dropped: int
    before: bool
    after: bool
    held: bool


@judging
def strong(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """Trusted, for this name, of a strong key and signature, and with time left."""
    seen = shaped(facts, Chains)
    demand_app([host.host for host in seen.hosts])
    if any(not host.chain for host in seen.hosts):
        raise Unseen("a host sent no certificate")
    if any(not _is_aware(each) for host in seen.hosts for each in host.chain) or not seen.at.tzinfo:
        raise Unseen("a time without its zone")
    found = [_weakness(host, seen.at) for host in seen.hosts]
    bad = [weakness for weakness in found if weakness]
    if bad:
        return Judgement(Verdict.FAIL, f"{len(bad)} of {len(found)} hosts: {bad[0]}")
    return rate(0, len(found), "", "hosts serve a trusted, strong certificate with time left")


def _is_aware(certificate: Certificate) -> bool:
    return certificate.not_before.tzinfo is not None and certificate.not_after.tzinfo is not None


def _weakness(host: Served, at: datetime) -> str:
    """What is wrong with it; empty for nothing."""
    signed = [each for each in host.chain if not each.is_root] or host.chain[:1]
    rules = (
        (not host.is_trusted, "not trusted by the declared authority"),
        (not host.covers_name, "not for this name"),
        (not all(map(_is_strong, host.chain)), "a weak key"),
        (any(each.signature_hash not in STRONG_HASHES for each in signed), "a weak signature"),
        (not all(_has_time(each, at) for each in host.chain[:1]), "near or past its expiry"),
        (any(not each.not_before <= at < each.not_after for each in host.chain), "not valid now"),
    )
    return next((why for holds, why in rules if holds), "")


def _is_strong(certificate: Certificate) -> bool:
    if certificate.key == "RSA":
        return certificate.key_bits >= LEAST_RSA_BITS
    if certificate.key == "EC":
        return certificate.key_bits >= LEAST_CURVE_BITS
    return rsa_equivalent(certificate.key, 0) >= LEAST_RSA_BITS


def _has_time(certificate: Certificate, at: datetime) -> bool:
    """21 days, or a third of a shorter life."""
    left = certificate.not_after - at
    return left >= min(TIME_LEFT, (certificate.not_after - certificate.not_before) / 3)


@judging
def renewed(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """No request dropped while one certificate took the place of another; both were seen."""
    seen = shaped(facts, Renewal)
    if not seen.before or seen.asked < LEAST_REQUESTS:
        raise Unseen("too little was asked to see a renewal")
    if not seen.after:
        return Judgement(Verdict.FAIL, "the renewed certificate was not taken up")
    if not seen.held:
        return Judgement(Verdict.FAIL, "an open connection was cut by the renewal")
    return rate(
        seen.dropped,
        seen.asked,
        "requests were dropped by a renewal",
        "requests were answered while a certificate was renewed",
    )
