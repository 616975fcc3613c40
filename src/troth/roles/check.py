"""`troth config check`: everything that can be known of a troth.toml before it serves anybody.

Parsed strictly, the catalogue declared, certificates looked at, the edge compiled and validated by
Envoy itself, the guard's snapshot built, the application asked. Nothing that runs is touched.
"""

import hashlib
import os
import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from troth.adapters import clock, files, sockets
from troth.adapters import config as configuration
from troth.adapters.config import ConfigError
from troth.adapters.log import Log
from troth.catalogue import Settings, declared
from troth.enforce.envoy import compile_edge
from troth.engines.envoy import binary, push
from troth.engines.envoy.resources import bootstrap
from troth.kernel.errors import Failure
from troth.roles import edge_plan, init, policy
from troth.roles.edge_certificates import Certificates
from troth.roles.places import Places

NOT_REACHED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A configuration that can be served.

    Args:
        config: the file.
        digest: SHA-256 hex of its bytes: what edge and guards say they run.
        promises: how many it declares.
        envoy: version that validated it.
        warning: why it would still not work now (the application is away, a port is taken).
    """

    config: str
    digest: str
    promises: int
    envoy: str
    warning: str = ""

    def as_json(self) -> dict[str, object]:
        """As `--json` prints it."""
        return {"ok": not self.warning, **asdict(self)}


def check(path: Path, data: Path | None = None) -> Checked:
    """Check a troth.toml.

    Args:
        path: the file.
        data: the data directory of the installation that runs on it, if one does.

    Raises:
        Failure: it cannot be served; names file and line where it is the file's fault.
    """
    raw = _read(path)
    try:
        settings = configuration.parse(raw, Settings, where=str(path))
        promises = declared(settings)
        policy.build(path)
        version = _validate(settings)
    except ValueError as error:
        raise ConfigError(str(error), where=str(path)) from error
    except Failure as failure:
        raise placed(failure, path, raw) from failure
    running = (data or Path(settings.troth.data)) / "run" / "edge-admin.sock"
    return Checked(
        config=str(path.absolute()),
        digest=hashlib.sha256(raw).hexdigest(),
        promises=len(promises),
        envoy=version,
        warning=_away(settings) or ("" if running.exists() else _taken(settings)),
    )


def placed(failure: Failure, path: Path, raw: bytes) -> Failure:
    """The failure with file and line, where it names a table such as `[edge.tls]`."""
    named = re.match(r"\[([\w.]+)\](?: (\w+))?", failure.where)
    if not named:
        return failure
    key = ".".join(part for part in named.groups() if part)
    line = configuration.line_of(raw, key) or configuration.line_of(raw, named.group(1))
    where = f"{path}:{line}" if line else str(path)
    return ConfigError(f"{failure.where} {failure.what}", where=where, mend=failure.mend)


def _read(path: Path) -> bytes:
    try:
        return files.read_capped(path, configuration.MAX_BYTES)
    except FileNotFoundError as error:
        raise ConfigError("does not exist", where=str(path), mend="troth init") from error


def _validate(settings: Settings) -> str:
    """Have Envoy read what the settings compile to, with certificates of the same names."""
    found = binary.identify(binary.locate(settings.edge.binary))
    with tempfile.TemporaryDirectory(prefix="troth-check-") as folder:
        places = Places(Path(folder))
        places.prepare()
        plan = edge_plan.plan(settings, places)
        silence = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        try:
            log = Log("check", clock.now, silence)
            Certificates(places, log).keep(settings, plan.certificates, clock.now())
        finally:
            os.close(silence)
        admin = places.socket("edge-admin")
        push.validate(
            found.path,
            bootstrap(places.edge, admin, max_connections=plan.max_connections),
            compile_edge(plan, edge_plan.fragments(settings)),
        )
    return found.version


def _away(settings: Settings) -> str:
    """Why the application cannot be asked; empty when it answers anything at all."""
    wish = init.Wish(
        upstream=settings.application.upstream, host=settings.application.host, config=Path()
    )
    try:
        init.ask(wish, "/")
    except init.InitError as failure:
        return failure.hint().replace("--upstream", "[application] upstream")
    return ""


def _taken(settings: Settings) -> str:
    """Which port cannot be listened on, while nothing of ours runs."""
    edge = settings.edge
    for name, port in (
        ("[edge] port", edge.port),
        ("[edge] http_port", edge.http_port),
        ("[status] port", settings.status.port),
    ):
        for address in edge_plan.addresses(edge.addresses):
            if not sockets.is_free(address, port):
                return f"{name}: {port} on {address} is taken or not allowed"
    return ""
