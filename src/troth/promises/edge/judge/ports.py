"""The judge of open ports."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.edge.settings import EdgeSettings
from troth.promises.judging import Unseen, judging, shaped

EVERY_PORT = 65_535  # Source: RFC 9293, 3.1: ports are 16 bits; 0 is none
OURS, FOREIGN = "ours", "foreign"


class OpenPort(Struct, frozen=True):
    """A port of the service's address that accepts connections.

    `owner`: `ours` when a process of this installation listens there, `foreign` when a process of
    somebody else does, `unknown` when the vantage cannot tell (it sees no processes).
    """

    port: int
    owner: str


class Sweep(Struct, frozen=True):
    """What the sweep brings.

    Args:
        swept: how many TCP ports of the address were tried.
        is_shared: the address is a loopback one, which other programs of the machine share.
        declared: ports the installation may have open: public, redirect, status, `other_ports`.
        public: the public port.
        open: what accepted.
        listening: ports at which our own processes listen for others, by the machine's own books.
        quic: whether UDP on the public port answered as QUIC.
        has_books: whether the machine's books could be read.
    """

    swept: int
    is_shared: bool
    declared: list[int]
    public: int
    open: list[OpenPort]
    listening: list[int]
    quic: bool
    has_books: bool


@judging
def only_declared(facts: Mapping[str, Any], settings: EdgeSettings) -> Judgement:
    """Nothing is open but what is declared.

    On an address of its own every open port counts. A loopback address belongs to the whole
    machine: there the ports of this installation count, others must be told apart or the verdict
    is `error` (docs/why/0010-ports-of-a-shared-address.md).
    """
    sweep = shaped(facts, Sweep)
    found = {item.port: item.owner for item in sweep.open}
    if sweep.swept < EVERY_PORT:
        raise Unseen("not every port was tried")
    if sweep.public not in found or sweep.public not in sweep.declared:
        raise Unseen("the public port was not seen open in the same run")
    undeclared = {port: owner for port, owner in found.items() if port not in sweep.declared}
    if sweep.is_shared:
        if not sweep.has_books or not set(undeclared.values()) <= {OURS, FOREIGN}:
            raise Unseen("on a shared address somebody's port cannot be told from ours")
        undeclared = {port: owner for port, owner in undeclared.items() if owner == OURS}
    hidden = set(sweep.listening) - set(sweep.declared)
    many = len(set(undeclared) | hidden) + (sweep.quic and not settings.http3)
    if many:
        return Judgement(Verdict.FAIL, f"{many} ports are open that nobody declared")
    if sweep.has_books and sweep.public not in sweep.listening:
        raise Unseen("the machine's books do not show the public port")
    return Judgement(Verdict.PASS, "the declared ports are open and no other")
