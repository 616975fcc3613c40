"""Handing resources to Envoy: validated first, written by rename, taken back when refused.

Envoy watches its files for renames and tells on its admin door what it made of them. A running
edge keeps its last good configuration: what is refused is undone, in the files as well, so that
the next start finds what was good.
"""

import contextlib
import json
import re
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from troth.adapters import clock, files, process
from troth.engines.envoy.admin import Admin
from troth.engines.envoy.errors import EnvoyError
from troth.engines.envoy.resources import Certificate, Json, Resources, sds_secret

MODE = 0o640
ACCEPTED_WITHIN = timedelta(seconds=10)
VALIDATED_WITHIN = timedelta(seconds=30)
_LOOK_AGAIN_S = 0.01
_LDS, _CDS = "lds.json", "cds.json"


def validate(binary: Path, bootstrap: Json, resources: Resources) -> None:
    """Let Envoy read it all without serving it (0.1 to 0.3 s). Raises EnvoyError with its words."""
    whole = {key: value for key, value in bootstrap.items() if key != "dynamic_resources"}
    whole["static_resources"] = {
        "listeners": [_untyped(each) for each in resources.listeners],
        "clusters": [_untyped(each) for each in resources.clusters],
    }
    with tempfile.TemporaryDirectory(prefix="troth-envoy-") as folder:
        path = Path(folder) / "bootstrap.json"
        path.write_text(json.dumps(whole))
        argv: list[str | Path] = [binary, "--mode", "validate", "-c", path, "--log-level", "error"]
        finished = process.run(argv, timeout=VALIDATED_WITHIN, ok=None)
    if finished.code != 0:
        raise refused(_reason(finished.err))


def write(folder: Path, resources: Resources) -> None:
    """Put the files in place, clusters first: a listener may name a new one."""
    _write(folder / _CDS, resources.clusters, resources.version)
    _write(folder / _LDS, resources.listeners, resources.version)


def write_certificate(host: str, certificate: Certificate) -> None:
    """The SDS file of one host. Writing it again makes Envoy read chain and key again."""
    _write(certificate.sds, (sds_secret(host, certificate),), host)


def push(
    folder: Path, admin: Admin, resources: Resources, *, within: timedelta = ACCEPTED_WITHIN
) -> None:
    """Replace a running Envoy's clusters and listeners, and wait until it took them.

    Raises:
        EnvoyError: refused, or not taken in time; files and Envoy are as before.
    """
    parts = (
        (folder / _CDS, "cluster_manager.cds", resources.clusters),
        (folder / _LDS, "listener_manager.lds", resources.listeners),
    )
    undo: list[tuple[Path, str, bytes]] = []
    try:
        for path, stats, several in parts:
            undo.append((path, stats, path.read_bytes()))
            _replace(path, _encoded(several, resources.version), stats, admin, within)
    except EnvoyError:
        for path, stats, before in reversed(undo):
            _take_back(path, before, stats, admin, within)
        raise


def _replace(path: Path, now: bytes, stats: str, admin: Admin, within: timedelta) -> None:
    """Write one file and wait for Envoy's word on it."""
    before = _counts(admin, stats)
    files.write_atomic(path, now, mode=MODE)
    wait_until(lambda: _counts(admin, stats) != before, within, f"{path} was not taken up")
    rejected = f"{stats}.update_rejected"
    if _counts(admin, stats).get(rejected) != before.get(rejected):
        raise refused(admin.rejected())


def _take_back(path: Path, old: bytes, stats: str, admin: Admin, within: timedelta) -> None:
    """Write the old file again, whatever Envoy says, and let it act on it when it still answers.

    A listener that was refused may have cost another its place, so the old ones are awaited.
    """
    before: dict[str, int | str] = {}
    with contextlib.suppress(EnvoyError):
        before = _counts(admin, stats)
    files.write_atomic(path, old, mode=MODE)
    with contextlib.suppress(EnvoyError):
        wait_until(lambda: _counts(admin, stats) != before, within, "")


def _counts(admin: Admin, stats: str) -> dict[str, int | str]:
    return admin.stats(f"^{stats}.update_(success|rejected)$")


def refused(reason: str) -> EnvoyError:
    """Envoy's reason in our words, where we know it."""
    taken = re.search(r"cannot bind '([^']+)': (Address already in use|Permission denied)", reason)
    if not taken:
        return EnvoyError(reason or "refused by Envoy", where="the edge's configuration")
    where, why = taken.groups()
    if why == "Permission denied":
        mend = "give the edge CAP_NET_BIND_SERVICE, or choose ports from 1024 on"
        return EnvoyError("may not be listened on", where=where, mend=mend)
    mend = "stop it, or set another [edge] port or http_port"
    return EnvoyError("the port is taken by another program", where=where, mend=mend)


def wait_until(is_true: Callable[[], bool], within: timedelta, otherwise: str) -> None:
    """Ask until it is true. Raises EnvoyError after `within`."""
    deadline = clock.monotonic_s() + within.total_seconds()
    while not is_true():
        if clock.monotonic_s() > deadline:
            raise EnvoyError(f"{otherwise} within {within.total_seconds():g} s")
        time.sleep(_LOOK_AGAIN_S)


def _write(path: Path, several: tuple[Json, ...], version: str) -> None:
    files.write_atomic(path, _encoded(several, version), mode=MODE)


def _encoded(several: tuple[Json, ...], version: str) -> bytes:
    whole = {"version_info": version, "resources": several}
    return json.dumps(whole).encode()


def _untyped(resource: Json) -> Json:
    return {key: value for key, value in resource.items() if key != "@type"}


def _reason(said: bytes) -> str:
    """The last thing that Envoy complains about, on one line."""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return " ".join(" ".join(lines)[-600:].split()) or "refused without a word"
