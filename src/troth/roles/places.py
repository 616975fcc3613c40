"""Where things lie inside the data directory."""

from dataclasses import dataclass
from pathlib import Path

PRIVATE = 0o750  # sockets and state: owner and group, nobody else
SECRET = 0o700


@dataclass(frozen=True, slots=True)
class Places:
    """The data directory's rooms. Paths only; `prepare` creates them."""

    data: Path

    @property
    def run(self) -> Path:
        """Sockets."""
        return self.data / "run"

    @property
    def edge(self) -> Path:
        """Envoy's configuration."""
        return self.data / "edge"

    @property
    def tls(self) -> Path:
        """Certificates and the local authority."""
        return self.data / "tls"

    @property
    def keys(self) -> Path:
        """Signing keys."""
        return self.data / "keys"

    @property
    def log(self) -> Path:
        """The transparency log: static files."""
        return self.data / "log"

    @property
    def looks(self) -> Path:
        """The newest rounds of looks, which the ledger keeps (`prove.ring`)."""
        return self.data / "looks"

    @property
    def public(self) -> Path:
        """What the publisher writes."""
        return self.data / "public"

    @property
    def private(self) -> Path:
        """Salts and details that are not yet public."""
        return self.data / "private"

    @property
    def spool(self) -> Path:
        """Events on their way."""
        return self.data / "spool"

    @property
    def uploads(self) -> Path:
        """Uploads while they are looked at; the desk's alone."""
        return self.data / "uploads"

    @property
    def logs(self) -> Path:
        """What the roles say."""
        return self.data / "logs"

    @property
    def cluster(self) -> Path:
        """PostgreSQL clusters: `state` and, in the demo, `app`."""
        return self.data / "pg"

    def socket(self, name: str) -> Path:
        """The unix socket of that name, such as `guard-0`."""
        return self.run / f"{name}.sock"

    def prepare(self) -> None:
        """Create every room that is missing, each with the mode it needs."""
        self.data.mkdir(mode=0o755, parents=True, exist_ok=True)
        for room in (self.run, self.edge, self.public, self.log, self.looks, self.spool, self.logs):
            room.mkdir(mode=PRIVATE, exist_ok=True)
        for room in (self.tls, self.keys, self.private, self.uploads):
            room.mkdir(mode=SECRET, exist_ok=True)
        self.cluster.mkdir(mode=0o755, exist_ok=True)
