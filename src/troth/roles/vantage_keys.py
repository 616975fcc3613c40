"""The public keys of this installation's vantages, in files that the guard may read.

Beside `keys/vantage-NAME.key`, which only its own role reads, lies `vantage-NAME.pub`: 64 hex
digits and a line break. Whoever can write there can name synthetic clients (`kernel.probing`), and
is one of our own roles already.
"""

from contextlib import suppress
from pathlib import Path

from troth.adapters import files
from troth.kernel.errors import Failure
from troth.kernel.evidence import Signer
from troth.prove.keys import Key, load_or_create
from troth.roles.places import Places

MAX_BYTES = 256
MOST = 64
FOR_THE_GROUP = 0o640


def tell(places: Places, name: str, key: Key) -> None:
    """Write the public half. Raises FileError."""
    path = places.keys / f"vantage-{name}.pub"
    files.write_atomic(path, f"{key.public.hex()}\n".encode(), mode=FOR_THE_GROUP)


def public(folder: Path) -> tuple[bytes, ...]:
    """Every public key there, 32 bytes each; a file that is none, or cannot be read, is left out.

    Fails closed: an unknown vantage has no synthetic clients.
    """
    found = []
    for path in sorted(folder.glob("vantage-*.pub"))[:MOST]:
        with suppress(OSError, Failure, ValueError):
            raw = bytes.fromhex(files.read_capped(path, MAX_BYTES).decode("ascii").strip())
            if len(raw) == 32:  # noqa: PLR2004 -- Source: RFC 8032, 5.1.5
                found.append(raw)
    return tuple(found)


def signer(places: Places) -> Signer | None:
    """The first vantage's key, where whoever asks may read it: for `troth prove`."""
    with suppress(OSError, Failure):
        for path in sorted(places.keys.glob("vantage-*.key"))[:1]:
            return load_or_create(path).signer
    return None
