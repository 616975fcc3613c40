"""Which probes have been seen red on a liar: `liars.json`, shipped in the package.

`make liars` writes it, signed with the key of whoever ran it; the key stands in the file. So the
signature tells that the list was not edited afterwards, and which key vouches for it; that the
liars were truly run is seen by running them again.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import troth
from troth.adapters import files
from troth.kernel.errors import Failure
from troth.kernel.evidence import canonical, key_id, stamp
from troth.kernel.model import Check
from troth.prove.digest import UNKNOWN
from troth.prove.keys import Key

NAME = "liars.json"
MAX_BYTES = 1024 * 1024
_DOMAIN = b"troth liars v1\n"  # so that the signature can stand for nothing else


class TestedError(Failure):
    """A list of tested probes that is not as `write` writes it."""


def shipped() -> Path:
    """Where the package has its list."""
    return Path(troth.__file__).parent / NAME


def write(
    red: Mapping[Check, tuple[str, datetime]],
    key: Key,
    digests: Mapping[str, str],
    path: Path | None = None,
) -> Path:
    """Write the list and return where.

    Args:
        red: by check, the liar on which it failed and when.
        key: of whoever ran the liars.
        digests: by check id, of the sources as they were when the run began (`probe_digests`).
        path: where; the package's own when None.
    """
    seen = [
        {"check": check.id, "probe": digests[check.id], "liar": liar, "at": stamp(at)}
        for check, (liar, at) in sorted(red.items(), key=lambda item: item[0].id)
        if digests[check.id] != UNKNOWN
    ]
    signature = key.signer.sign(_DOMAIN + canonical(seen))
    whole = {
        "seen": seen,
        "key": base64.b64encode(key.public).decode(),
        "keyid": key_id(key.public),
        "signature": base64.b64encode(signature).decode(),
    }
    target = path or shipped()
    files.write_atomic(target, json.dumps(whole, indent=1).encode() + b"\n")
    return target


def read(path: Path | None = None) -> frozenset[tuple[str, str]]:
    """Check ids with the digests of the probes that were seen red.

    Without the file nothing has been tested. Raises TestedError for a list that was altered.
    """
    source = path or shipped()
    try:
        raw = files.read_capped(source, MAX_BYTES)
    except FileNotFoundError:
        return frozenset()
    try:
        whole: dict[str, Any] = json.loads(raw)
        public = base64.b64decode(whole["key"], validate=True)
        signature = base64.b64decode(whole["signature"], validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(
            signature, _DOMAIN + canonical(whole["seen"])
        )
        if whole["keyid"] != key_id(public):
            raise TestedError("names another key than it carries", where=str(source))
        return frozenset((str(each["check"]), str(each["probe"])) for each in whole["seen"])
    except (ValueError, KeyError, TypeError, InvalidSignature) as error:
        raise TestedError(
            "was altered after it was signed", where=str(source), mend="run: make liars"
        ) from error
