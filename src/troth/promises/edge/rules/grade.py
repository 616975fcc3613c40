"""The SSL Labs rating of a TLS server, from facts of handshakes.

Source: SSL Server Rating Guide 2009r, 16 May 2025. Where the guide leaves room this follows
testssl.sh: key exchange counts the certificate's key and Diffie-Hellman primes. ssllabs.com also
counts elliptic-curve groups, and may so print some points less; the letter stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from troth.promises.edge.rules.attacks import Offer, open_to
from troth.promises.edge.rules.hello import NAMES, SSL2, SSL3, TLS1, TLS1_1, TLS1_2, TLS1_3

GUIDE = "SSL Labs 2009r"
HSTS_LEAST_S = 180 * 86_400  # Source: guide, "A+": HSTS of six months, which testssl.sh counts so
# Source: guide, table 3: protocol support.
_PROTOCOLS = {SSL2: 0, SSL3: 80, TLS1: 90, TLS1_1: 95, TLS1_2: 100, TLS1_3: 100}
_POINTS_OF_VERSION = {NAMES[number]: points for number, points in _PROTOCOLS.items()}
# Source: guide, table 5: key exchange, by RSA-equivalent bits.
_KEYS = ((4096, 100), (2048, 90), (1024, 80), (512, 40), (1, 20), (0, 0))
# Source: guide, table 6: cipher strength.
_CIPHERS = ((256, 100), (128, 80), (1, 20), (0, 0))
# Source: NIST SP 800-57 part 1, table 2: elliptic-curve sizes as RSA sizes.
_CURVES = ((512, 15360), (384, 7680), (256, 3072), (224, 2048), (0, 1024))
_LETTERS = ((80, "A"), (65, "B"), (50, "C"), (35, "D"), (20, "E"), (0, "F"))
_ORDER = "A+ A A- B C D E F T M".split()
WEAK_BITS = 112
WEAK_KEY_BITS = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What is rated.

    Args:
        offer: versions and suites.
        key: `EC`, `RSA`, `Ed25519` or another name.
        key_bits: of the certificate's key.
        signature_hash: of the certificate's signature, as `sha384`.
        is_trusted: whether the chain leads to an authority that is trusted.
        covers_name: whether the certificate is for the host.
        hsts_s: max-age of Strict-Transport-Security; None when absent or not valid.
        renegotiates_securely: RFC 5746, where TLS 1.2 or older is offered.
        holes: attacks that were tried and succeeded, of `attacks.TRIED`.
    """

    offer: Offer
    key: str
    key_bits: int
    signature_hash: str
    is_trusted: bool
    covers_name: bool
    hsts_s: int | None
    renegotiates_securely: bool = True
    holes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """A letter (`A+` to `F`, `T` not trusted, `M` wrong name), 0 to 100, and why not better."""

    letter: str
    score: int
    protocol: int
    key_exchange: int
    cipher: int
    why: tuple[str, ...] = ()


def rsa_equivalent(key: str, bits: int) -> int:
    """The RSA size that a key of this kind is as strong as."""
    if key == "RSA":
        return bits
    size = 256 if key.startswith("Ed") else bits
    return next(rsa for least, rsa in _CURVES if size >= least)


def rate(server: Server) -> Rating:
    """The rating. Raises ValueError for a server that accepts nothing."""
    suites = server.offer.every_suite
    if not suites and NAMES[SSL2] not in server.offer.versions:
        raise ValueError("a server that accepts no cipher suite")
    protocol = _mean(_POINTS_OF_VERSION[version] for version in server.offer.versions)
    strength = rsa_equivalent(server.key, server.key_bits)
    if server.offer.dh_bits:
        strength = min(strength, server.offer.dh_bits)
    key_exchange = _points(strength, _KEYS)
    cipher = _mean(_points(suite.bits, _CIPHERS) for suite in suites)
    parts = (protocol, key_exchange, cipher)
    score = 0 if 0 in parts else round(0.3 * protocol + 0.3 * key_exchange + 0.4 * cipher)
    letter = next(letter for least, letter in _LETTERS if score >= least)
    caps = (*_caps(server), *_warnings(server))
    worst = max([letter, *(cap for cap, _ in caps)], key=_ORDER.index)
    return Rating(
        letter="A+" if worst == "A" else worst,
        score=score,
        protocol=protocol,
        key_exchange=key_exchange,
        cipher=cipher,
        why=tuple(f"{cap}: {why}" for cap, why in caps),
    )


def _points(value: int, table: Iterable[tuple[int, int]]) -> int:
    return next(points for least, points in table if value >= least)


def _mean(points: Iterable[int]) -> int:
    """The mean of best and worst, as the guide says; 0 when there are none."""
    found = sorted(points)
    return (found[0] + found[-1]) // 2 if found else 0


def _caps(server: Server) -> Iterable[tuple[str, str]]:
    """What the rating cannot be better than, with the reason."""
    offer, suites = server.offer, server.offer.every_suite
    attacks = {*open_to(offer), *server.holes}
    old = sorted(offer.versions & {NAMES[number] for number in (SSL3, TLS1, TLS1_1)})
    newer = [s for v in (TLS1_1, TLS1_2) for s in offer.suites.get(NAMES[v], ())]
    strength = rsa_equivalent(server.key, server.key_bits)
    rules = (
        ("F", NAMES[SSL2] in offer.versions, "SSL 2 is accepted"),
        ("F", any(s.bits < WEAK_BITS for s in suites), "ciphers under 112 bits"),
        ("F", any(s.is_anonymous for s in suites), "ciphers without authentication"),
        ("F", server.signature_hash == "md5", "a certificate signed with MD5"),
        *(("F", name in attacks, name) for name in _FATAL),
        ("T", server.signature_hash == "sha1", "a certificate signed with SHA-1"),
        ("T", not server.is_trusted, "a certificate that is not trusted"),
        ("M", not server.covers_name, "a certificate for another name"),
        ("C", "POODLE" in attacks, "POODLE"),
        ("C", "CRIME" in attacks, "CRIME"),
        ("C", any(s.has_short_blocks for s in newer), "64-bit blocks in TLS 1.1 or newer"),
        ("C", not offer.versions & {NAMES[TLS1_2], NAMES[TLS1_3]}, "no TLS 1.2"),
        ("B", bool(old), f"accepts {', '.join(old)}"),
        ("B", "RC4 biases" in attacks, "RC4"),
        ("B", not any(s.has_forward_secrecy for s in suites), "no forward secrecy"),
        ("B", not any(s.is_aead for s in suites), "no authenticated encryption"),
        ("B", strength < WEAK_KEY_BITS, "a weak key"),
        ("B", 0 < offer.dh_bits < WEAK_KEY_BITS, "a weak Diffie-Hellman prime"),
    )
    return [(cap, why) for cap, holds, why in rules if holds]


_FATAL = ("Heartbleed", "CCS injection", "ROBOT", "DROWN", "Ticketbleed", "FREAK", "renegotiation")


def _warnings(server: Server) -> Iterable[tuple[str, str]]:
    """What keeps an A from being an A+ makes it an A-."""
    versions, hsts = server.offer.versions, server.hsts_s
    is_old_enough = bool(versions - {NAMES[TLS1_3]})
    rules = (
        (NAMES[TLS1_3] not in versions, "no TLS 1.3"),
        (hsts is None, "no valid Strict-Transport-Security"),
        (hsts is not None and hsts < HSTS_LEAST_S, "Strict-Transport-Security under 180 days"),
        (is_old_enough and not server.renegotiates_securely, "no secure renegotiation"),
    )
    return [("A-", why) for holds, why in rules if holds]
