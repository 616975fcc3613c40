"""The keys of the guard's cookies and tokens: made on first use, renewed every month, kept private.

One file in the spool, mode 0600, shared by the guard and its standby. Where guards share counters,
keys made of the operator's (`[counters] key`) come before: what one machine seals another opens,
and what is hashed is the same on all. Fails open: a file that is
damaged is replaced, and then every device is a stranger once and every form must be loaded again;
one that cannot be written leaves the guard with what it has, and that is told.
"""

import base64
import hmac
import time
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from troth.adapters import files
from troth.adapters.chance import Dice
from troth.adapters.config import ConfigError
from troth.catalogue import Settings
from troth.kernel.errors import Failure
from troth.promises.guard.enforce.secrets import Secrets
from troth.promises.guard.rules.tokens import Key, Keyring
from troth.roles import state

FILE = "guard-keys.json"
FRESH = timedelta(days=30)  # the newest seals for so long
KEPT = timedelta(days=430)  # a known device's longest life, and as long as a key seals
MAX_FILE_BYTES = 64 * 1024
SECRET_BYTES, NAME_BYTES = 32, 4
MIN_SHARED = 32  # characters
_TRIES, _PAUSE_S = 100, 0.05


class _Kept(msgspec.Struct, frozen=True):
    """One key as it is written."""

    name: str
    secret: str
    made: datetime


class Keys:
    """The keys of one process: those that last, one that dies with it, and the operator's.

    Args:
        settings: `[counters] key` is read once, at the start.
        path: of the file.
        rng: dice.

    Raises:
        ConfigError: the operator's key cannot be had, or is too short.
    """

    def __init__(self, settings: Settings, path: Path, rng: Dice) -> None:
        self._path, self._rng = path, rng
        self._shared = _shared(settings)
        self._passing = Key("passing", self.of("names") or rng.randbytes(SECRET_BYTES))

    def of(self, purpose: str) -> bytes:
        """A key for one purpose that all guards have; empty where they share nothing."""
        if not self._shared:
            return b""
        return hmac.digest(self._shared, f"troth {purpose}".encode(), "sha256")

    def secrets(self, now: datetime) -> Secrets:
        """As they are now; a new one is made where it is time. Raises FileError."""
        lasting = ring(self._path, now, self._rng)
        if self._shared:
            name = "s" + self.of("the seal's name")[:NAME_BYTES].hex()
            lasting = Keyring((Key(name, self.of("seals")), *lasting.keys))
        return Secrets(ring=lasting, passing=self._passing)


def _shared(settings: Settings) -> bytes:
    if not settings.counters.url:
        return b""
    said = state.secret(settings.counters.key, "[counters] key")
    if len(said) < MIN_SHARED:
        raise ConfigError(
            f"a key of {len(said)} characters", where="[counters] key",
            mend=f"{MIN_SHARED} random ones or more, as `openssl rand -hex 32` makes them",
        )  # fmt: skip
    return said.encode()


def ring(path: Path, now: datetime, rng: Dice) -> Keyring:
    """The keys in force, newest first; a new one is made when the newest is no longer fresh.

    Raises FileError when there is none and none can be written.
    """
    kept = _load(path)
    if not _is_due(kept, now):
        return _keyring(kept)
    lock = _locked(path.with_suffix(".lock"))
    try:
        kept = _load(path)
        if _is_due(kept, now):
            secret = base64.b64encode(rng.randbytes(SECRET_BYTES)).decode()
            made = _Kept(rng.randbytes(NAME_BYTES).hex(), secret, now)
            kept = [made, *(each for each in kept if each.made > now - KEPT)]
            files.write_atomic(path, msgspec.json.encode(kept), mode=files.PRIVATE)
    finally:
        lock.release()
    return _keyring(kept)


def _is_due(kept: list[_Kept], now: datetime) -> bool:
    return not kept or kept[0].made <= now - FRESH


def _keyring(kept: list[_Kept]) -> Keyring:
    return Keyring(tuple(Key(each.name, base64.b64decode(each.secret)) for each in kept))


def _load(path: Path) -> list[_Kept]:
    try:
        return msgspec.json.decode(files.read_capped(path, MAX_FILE_BYTES), type=list[_Kept])
    except (OSError, Failure, msgspec.MsgspecError):
        return []


def _locked(path: Path) -> files.Lock:
    """The lock, when the other guard is done. Raises FileError when it never is."""
    for _ in range(_TRIES if path.parent.is_dir() else 0):
        try:
            return files.Lock(path)
        except files.FileError:
            time.sleep(_PAUSE_S)
    return files.Lock(path)
