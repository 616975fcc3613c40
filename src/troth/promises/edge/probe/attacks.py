"""Named attacks, tried by a few harmless bytes, and the offer that others are judged from.

Heartbleed, CCS injection and Ticketbleed are our own bytes: sslyze takes a server of TLS 1.3 for
sound without asking. ROBOT, renegotiation and compression are sslyze's.
"""

from typing import Any

from troth.adapters.relay import relaying
from troth.adapters.tcp import LOOPBACK, TcpError
from troth.adapters.tls import TlsError, Version
from troth.adapters.vantage import Vantage, address_of
from troth.engines.sslyze.scan import Scanned, locate, scan
from troth.kernel.model import Observation
from troth.promises.edge.probe.tls import ANSWER_S, offer, published, say
from troth.promises.edge.rules.hello import (
    ENOUGH_BYTES,
    HEARTBEAT,
    RANDOM_BYTES,
    TLS1_2,
    alert_in,
    client_hello,
    early_change,
    heartbeat,
    read_ticket,
    records,
)
from troth.promises.edge.settings import EdgeSettings

CHANGE, ALERT, HANDSHAKE = 20, 21, 22  # Source: RFC 5246, 6.2.1
CLIENT_HELLO = b"\x01"
_HEADER_BYTES = 5
TAKEN_FOR_GARBAGE = ("bad_record_mac", "decryption_failed")
SESSION_BYTES = 16  # half of what a session id may have: a server that leaks fills it up
FULL_SESSION_BYTES = 32


def offers(vantage: Vantage, _settings: EdgeSettings) -> Observation:
    """Versions, suites and key exchange of every published host, by some ten hellos each."""
    hosts = [{"host": name, "offer": offer(vantage, url)} for name, url in published(vantage)]
    return _observed(hosts)


def tried(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """Every attack on every published host, and on a server that is open to two of them.

    Raises:
        ScanError: there is no sslyze here.
    """
    python = locate(settings.probe.sslyze)
    hosts = [
        attacked(vantage, name, url, scan(python, *address_of(url)))
        for name, url in published(vantage)
    ]
    return _observed(hosts, control=_control(vantage))


def attacked(vantage: Vantage, name: str, url: str, scanned: Scanned) -> dict[str, Any]:
    """One host, in the shape of `judge/attacks.py:Tried`."""
    host, port = address_of(url)
    own = {
        "Heartbleed": bleeds(vantage, host, f"tcp://{host}:{port}"),
        "CCS injection": takes_early_change(vantage, host, f"tcp://{host}:{port}"),
        "Ticketbleed": bleeds_tickets(vantage, url),
    }
    return {
        "host": name,
        "tried": {**scanned.tried, **own},
        "accepts": sorted(scanned.accepts),
    }


def bleeds(vantage: Vantage, server_name: str, address: str) -> bool:
    """Whether a heartbeat that brings nothing is answered (CVE-2014-0160)."""
    hello = _hello(vantage, server_name, beats=True)
    answer = _answer(vantage, address, hello + heartbeat())
    return any(kind == HEARTBEAT for kind, _ in records(answer))


def takes_early_change(vantage: Vantage, server_name: str, address: str) -> bool:
    """Whether a change of ciphers before its time is believed (CVE-2014-0224).

    Who believes it takes the next record for one that it cannot decrypt.
    """
    answer = _answer(vantage, address, _hello(vantage, server_name) + early_change())
    return alert_in(answer) in TAKEN_FOR_GARBAGE


def bleeds_tickets(vantage: Vantage, url: str) -> bool:
    """Whether a short session id comes back longer (CVE-2016-9244); False without tickets."""
    context = vantage.context(verify=False, minimum=Version.TLS1_2, maximum=Version.TLS1_2)
    try:
        ticket = read_ticket(vantage.transcript(url, context=context))
    except TlsError:
        return False  # no TLS 1.2, no such tickets
    if not ticket:
        return False
    session = vantage.rng.randbytes(SESSION_BYTES)
    hello = client_hello(
        version=TLS1_2,
        random=vantage.rng.randbytes(RANDOM_BYTES),
        server_name=address_of(url)[0],
        session=session,
        ticket=ticket,
    )
    back = say(vantage, url, hello).session
    return len(back) == FULL_SESSION_BYTES and back.startswith(session)


def _control(vantage: Vantage) -> list[str]:
    """The attacks that succeed on the application's host behind a relay that lets them."""
    host, port = address_of(vantage.site.app)
    with relaying(host, port, interfere=open_to_attack) as own:
        address = f"tcp://{LOOPBACK}:{own}"
        found = {
            "Heartbleed": bleeds(vantage, host, address),
            "CCS injection": takes_early_change(vantage, host, address),
        }
    return [name for name, succeeded in found.items() if succeeded]


def open_to_attack(said: bytes) -> tuple[bytes, bytes]:
    """What a relay does to be open to Heartbleed and CCS injection: answers what nobody should.

    Only what comes together with a client's hello is interfered with; all else passes as it is.
    """
    found = list(records(said))
    if not found or found[0][0] != HANDSHAKE or found[0][1][:1] != CLIENT_HELLO:
        return said, b""
    answer = b""
    for kind, _ in found[1:]:
        if kind == HEARTBEAT:
            answer += bytes((HEARTBEAT, 3, 3, 0, 19)) + b"\x02\0\x10" + bytes(16)
        elif kind == CHANGE:
            answer += bytes((ALERT, 3, 3, 0, 2, 2, 20))
    return (said[: _HEADER_BYTES + len(found[0][1])], answer) if answer else (said, b"")


def _hello(vantage: Vantage, server_name: str, *, beats: bool = False) -> bytes:
    return client_hello(
        version=TLS1_2,
        random=vantage.rng.randbytes(RANDOM_BYTES),
        server_name=server_name,
        beats=beats,
    )


def _answer(vantage: Vantage, address: str, said: bytes) -> bytes:
    """What comes back until an alert or a heartbeat; empty when the server hung up at once."""

    def is_enough(got: bytes) -> bool:
        return any(kind in {ALERT, HEARTBEAT} for kind, _ in records(got))

    try:
        return vantage.exchange(
            address, said, limit_bytes=ENOUGH_BYTES, timeout_s=ANSWER_S, is_enough=is_enough
        )
    except TcpError:
        return b""


def _observed(hosts: list[dict[str, Any]], **more: Any) -> Observation:
    facts = {"hosts": hosts, "looked_at": len(hosts), **more}
    return Observation(facts=facts, public=frozenset({"looked_at"}))
