"""Envoy's questions, answered: the HTTP form of ext_authz.

Envoy sends each request's line and headers (and its body, on routes where it is read) to this door.
200 lets the request through: headers of the answer are set on it, and those that are named in
`x-envoy-auth-headers-to-remove` are taken off it. Any other answer goes to the visitor as it is.

Fails closed: what cannot be read is 400, what cannot be decided is 503; both are told.
"""

import asyncio
from operator import itemgetter

from troth.enforce import wire
from troth.enforce.awaited import Waiting
from troth.enforce.decide import Decision
from troth.enforce.keeper import PASSED, Keeper, Ruling
from troth.kernel.request import CLIENT, Headers, Request

TO_REMOVE = b"x-envoy-auth-headers-to-remove"  # Source: Envoy, ext_authz, raw HTTP authorization

_NAME = itemgetter(0)


class Authz:
    """Answers one message after another.

    Args:
        keeper: decides.
        waiting: where the application's answers are waited for; without it nobody is told of them.
    """

    def __init__(self, keeper: Keeper, waiting: Waiting | None = None) -> None:
        self._keeper = keeper
        self._waiting = waiting
        self.counts = keeper.counts

    def answer(self, message: wire.Message) -> wire.Reply | asyncio.Future[wire.Reply]:
        """The reply to one question, or its future; never raises."""
        request = request_of(_in_one_order(message))
        if request is None:
            return self._said(self._keeper.refuse(400, "malformed", _unread(message)))
        request = self._keeper.recognised(request)
        return self._keeper.later(self._keeper.judging(request), self._said)

    def _said(self, ruling: Ruling) -> wire.Reply:
        if ruling.refused is not None:
            return ruling.refused
        if ruling is PASSED:
            return wire.OK
        decision = ruling.decision
        awaited = () if self._waiting is None else self._waiting.header(decision.awaits)
        headers = (*decision.add, *decision.answer, *awaited, *_removed(decision, awaited))
        return wire.Reply(status=200, headers=headers) if headers else wire.OK


def _in_one_order(message: wire.Message) -> wire.Message:
    """The message with its headers by name; those of one name stay in their order.

    Envoy keeps a question's headers in a map whose order differs from one question to the next (70
    orders of one visitor's): what is remembered of headers would be found as seldom.
    """
    return wire.Message(
        method=message.method,
        target=message.target,
        headers=tuple(sorted(message.headers, key=_NAME)),
        body=message.body,
    )


def _removed(decision: Decision, set_now: Headers) -> Headers:
    """What is taken off; not what is set, for Envoy would take off ours, after setting it."""
    if not decision.remove:
        return ()
    ours = {name for name, _ in set_now}
    names = b",".join(name for name in decision.remove if name not in ours)
    return ((TO_REMOVE, names),) if names else ()


def request_of(message: wire.Message) -> Request | None:
    """The request a message asks about; None when it is none that could be decided.

    A request has one host (a comma would be two of them to a door in a WSGI application), and a
    target that is a path (or `*`, for OPTIONS): whatever else an edge may send (`CONNECT`, an
    absolute address) is not understood, so not passed.
    """
    hosts, clients = [], []
    for name, value in message.headers:
        if name == b"host":
            hosts.append(value)
        elif name == CLIENT:
            clients.append(value)
    is_star = message.target == b"*" and message.method == b"OPTIONS"
    if (
        len(hosts) != 1
        or not hosts[0]
        or b"," in hosts[0]
        or not (message.target.startswith(b"/") or is_star)
    ):
        return None
    return Request(
        method=message.method,
        target=message.target,
        host=hosts[0].lower(),
        headers=message.headers,
        client=clients[0].decode("ascii", "replace") if len(clients) == 1 else "",
        body=message.body or None,
    )


def _unread(message: wire.Message) -> Request:
    """What is told of a message that asks about no request."""
    return Request(method=message.method, target=message.target, host=b"", headers=message.headers)
