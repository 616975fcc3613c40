"""Which client a request is decided about: who sent it, or the one that our own vantage names.

Fails closed: a header that is not whole, fresh, new and signed by a vantage of this installation
changes nothing; the request is then its sender's, like any other. Either way no rule, no event and
no application sees it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from troth.kernel.evidence import key_id
from troth.kernel.probing import FRESH, HEADER, Pass, read
from troth.kernel.request import Request

MOST = 65_536  # passes remembered; more within a minute are not recognised
KEYS_EVERY_S = 5.0  # how often a key that is not known may be looked for
_FORGOTTEN_S = 2 * FRESH.total_seconds()  # one may be dated ahead by FRESH


class Clients:
    """Recognises synthetic clients; from any thread.

    Args:
        keys: the public keys (32 bytes each) of this installation's vantages, as they are now.
    """

    def __init__(self, keys: Callable[[], tuple[bytes, ...]]) -> None:
        self._read_keys = keys
        self._keys: Mapping[str, bytes] = {}
        self._looked_s = float("-inf")
        self._spent: OrderedDict[str, float] = OrderedDict()
        self._spending = threading.Lock()

    def recognised(self, request: Request, now: datetime) -> Request:
        """The request without the header; about the client that it names, where it is good."""
        values = request.values(HEADER)
        if not values:
            return request
        headers = tuple(pair for pair in request.headers if pair[0] != HEADER)
        found = read(values[0]) if len(values) == 1 else None
        if found is None or not self._is_good(*found, request.host, now):
            return replace(request, headers=headers)
        return replace(request, headers=headers, client=found[0].client)

    def _is_good(self, said: Pass, signature: bytes, host: bytes, now: datetime) -> bool:
        public = self._key(said.key, now.timestamp())
        if public is None or not said.is_fresh(now) or said.nonce in self._spent:
            return False
        try:
            statement = said.statement(host.decode("ascii"))
            Ed25519PublicKey.from_public_bytes(public).verify(signature, statement)
        except (InvalidSignature, ValueError):
            return False
        return self._is_new(said.nonce, now.timestamp())

    def _key(self, name: str, now_s: float) -> bytes | None:
        if name not in self._keys and not 0 <= now_s - self._looked_s < KEYS_EVERY_S:
            self._looked_s = now_s
            self._keys = {key_id(raw).partition(":")[2]: raw for raw in self._read_keys()}
        return self._keys.get(name)

    def _is_new(self, nonce: str, now_s: float) -> bool:
        with self._spending:
            while self._spent and next(iter(self._spent.values())) < now_s - _FORGOTTEN_S:
                self._spent.popitem(last=False)
            if nonce in self._spent or len(self._spent) >= MOST:
                return False
            self._spent[nonce] = now_s
            return True
