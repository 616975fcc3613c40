"""The drill of floods: a crowd of bad clients while a good one goes on asking. On one machine.

Bounded: some hundred connections, some thousand requests, half a minute. Every flood comes from a
synthetic client of its own; what is asked for is a page that does not exist, so nothing is written.
Source of the kinds: OWASP ASVS 5.0 V15.2.2; CVE-2023-44487 (rapid reset); CWE-409 (bombs).
"""

import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from troth.adapters import crowd, http2
from troth.adapters.vantage import Vantage, address_of
from troth.kernel.errors import Failure
from troth.kernel.model import Observation
from troth.kernel.request import MARKER
from troth.promises.edge.settings import EdgeSettings

NAME = "ddos-mitigation"
NOWHERE = "/no-such-page-5f1c"
CONNECTIONS, SLOW = 500, 40
RESETS = 2_000  # four times what a browser that closes a heavy page might cancel
HEADERS, ARGUMENTS, DEPTH = 300, 5_000, 100_000
BOMB_BYTES = 64 * 1024 * 1024  # unpacked; on the wire it is a thousandth
SLOW_FOR_S = 20.0  # the edge gives a header 15 s
EACH_S = 0.25
CONTROLS = 5
TOO_LARGE, TOO_MANY = 413, 429
REFUSALS = frozenset({400, 413, 414, 415, 431})  # that no application says of a missing page

_FORM = ("Content-Type", "application/x-www-form-urlencoded")
_JSON = ("Content-Type", "application/json")


def drill(vantage: Vantage, _settings: EdgeSettings) -> Observation:
    """Every flood, and how the good client fared before and meanwhile."""
    if not vantage.is_here:
        return Observation(facts={"is_elsewhere": True})
    good = vantage.as_client(f"{NAME}.good")
    before = [_answers(good) for _ in range(CONTROLS)]
    with _asking(good) as meanwhile:
        floods = [*_crowds(vantage), *_messages(vantage), _resets(vantage)]
    return Observation(
        facts={
            "is_elsewhere": False,
            "before": {"asked": len(before), "answered": sum(before)},
            "meanwhile": {"asked": len(meanwhile), "answered": sum(meanwhile)},
            "floods": floods,
        },
        public=frozenset({"is_elsewhere", "before", "meanwhile", "floods"}),
    )


def _answers(vantage: Vantage) -> bool:
    """Whether a page comes: a status that is neither an error of the edge nor of the server."""
    try:
        return vantage.fetch(f"{vantage.site.app}/", fresh=True).status < TOO_MANY
    except (Failure, TimeoutError):
        return False


@contextmanager
def _asking(good: Vantage) -> Iterator[list[bool]]:
    """The good client asks four times a second, in a thread, until the end of the `with`."""
    heard: list[bool] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.wait(EACH_S):
            heard.append(_answers(good))

    asking = threading.Thread(target=ask, name="good client", daemon=True)
    asking.start()
    try:
        yield heard
    finally:
        stop.set()
        asking.join(10)


def _crowds(vantage: Vantage) -> Iterator[dict[str, Any]]:
    """Idle connections, headers and bodies that never end: all at once."""
    host, port = address_of(vantage.site.app)
    context = vantage.context(alpn=("http/1.1",))
    head = f"POST {NOWHERE} HTTP/1.1\r\nHost: {host}:{port}\r\n".encode()
    body = b"Content-Type: text/plain\r\nContent-Length: 100000\r\n\r\n"
    crowds = (
        crowd.Crowd(name="connections", source=_source(vantage, "connections"), count=CONNECTIONS),
        crowd.Crowd(
            name="slow headers", source=_source(vantage, "slow headers"), count=SLOW,
            opening=head, drip=b"x", context=context,
        ),
        crowd.Crowd(
            name="slow bodies", source=_source(vantage, "slow bodies"), count=SLOW,
            opening=head + body, drip=b"x", context=context,
        ),
    )  # fmt: skip
    for name, met in crowd.gather(host, port, crowds, for_s=SLOW_FOR_S).items():
        yield {
            "name": name,
            "sent": met.opened + met.refused,
            "stopped": met.ended + met.refused,
            "status": 0,
        }


def _source(vantage: Vantage, name: str) -> str:
    return vantage.as_client(f"{NAME}.{name}").source


def _messages(vantage: Vantage) -> Iterator[dict[str, Any]]:
    """One request each that is too much."""
    many = tuple((f"X-Flood-{number}", "1") for number in range(HEADERS))
    arguments = b"&".join(b"a%d=1" % number for number in range(ARGUMENTS))
    deep = b"[" * DEPTH + b"]" * DEPTH
    yield _message(vantage, "many headers", many, b"")
    yield _message(vantage, "long header", (("X-Flood", "x" * 80_000),), b"")
    yield _message(vantage, "many arguments", (_FORM,), arguments)
    yield _message(vantage, "deep JSON", (_JSON,), deep)
    packed = _bomb()
    yield _message(vantage, "bomb", (_JSON, ("Content-Encoding", "gzip")), packed)
    yield _announced(vantage)


def _message(
    vantage: Vantage, name: str, headers: tuple[tuple[str, str], ...], body: bytes
) -> dict[str, Any]:
    client = vantage.as_client(f"{NAME}.{name}")
    own = (("Origin", vantage.site.app), *headers)
    method = "POST" if body else "GET"
    try:
        answer = client.fetch(
            vantage.site.app + NOWHERE, method=method, headers=own, body=body, fresh=True
        )
        status = answer.status
    except TimeoutError:
        return {"name": name, "sent": 1, "stopped": 0, "status": 0}
    except Failure:  # the connection was ended instead of an answer
        return {"name": name, "sent": 1, "stopped": 1, "status": 0}
    is_stopped = status in REFUSALS or bool(answer.all(MARKER.decode()))
    return {"name": name, "sent": 1, "stopped": int(is_stopped), "status": status}


def _bomb() -> bytes:
    """Zeros, packed by gzip: a thousandth of its size."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1024 * 1024)
    pieces = [packer.compress(block) for _ in range(BOMB_BYTES // len(block))]
    return b"".join((*pieces, packer.flush()))


def _announced(vantage: Vantage) -> dict[str, Any]:
    """A body of a terabyte is announced."""
    client = vantage.as_client(f"{NAME}.huge body")
    host, port = address_of(vantage.site.app)
    raw = (
        f"POST {NOWHERE} HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {vantage.site.app}\r\n"
        "Content-Type: text/plain\r\nContent-Length: 1099511627776\r\n\r\nx"
    )
    try:
        answer = client.exchange(
            vantage.site.app, raw.encode(), is_enough=lambda got: b"\r\n" in got
        )
    except (Failure, TimeoutError):
        return {"name": "huge body", "sent": 1, "stopped": 0, "status": 0}
    status = int(answer[9:12]) if answer[9:12].isdigit() else 0
    return {"name": "huge body", "sent": 1, "stopped": int(status == TOO_LARGE), "status": status}


def _resets(vantage: Vantage) -> dict[str, Any]:
    host, port = address_of(vantage.site.app)
    flooded = None
    try:
        with http2.session(
            host, port, context=vantage.context(alpn=("h2",)), authority=f"{host}:{port}",
            source=_source(vantage, "rapid reset"),
        ) as session:  # fmt: skip
            flooded = session.reset_flood(NOWHERE, RESETS)
    except (Failure, TimeoutError):
        pass
    return {
        "name": "rapid reset",
        "sent": flooded.sent if flooded else 0,
        "stopped": int(flooded.is_ended) if flooded else 0,
        "status": 0,
    }
