"""The systemd units of an installation: a user for each role, and no right more than it needs.

Pure: from settings to files. `install.py` writes them. Sources: systemd.exec(5), systemd.unit(5).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from troth.roles.supervisor import Unit

GROUP = "troth"
TLS_GROUP = "troth-tls"  # who may read the certificates' keys: edge and status
TARGET = "troth.target"

HARDENED = """NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
PrivateDevices=yes
PrivateTmp=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
UMask=0027"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What one role may do beyond reading its configuration.

    Args:
        writes: directories below the data directory that it may write.
        groups: beside `GROUP`.
        network: address families.
        capabilities: kept and given; none for every role but the edge.
        is_compiling: it makes executable memory (Envoy's LuaJIT).
    """

    writes: tuple[str, ...]
    groups: tuple[str, ...] = ()
    network: str = "AF_UNIX"
    capabilities: str = ""
    is_compiling: bool = False


INTERNET = "AF_UNIX AF_INET AF_INET6"
RIGHTS: Mapping[str, Rights] = {
    "postgres": Rights(writes=("pg",)),
    "ledger": Rights(writes=("log", "looks", "keys", "run")),
    "guard": Rights(writes=("run", "spool")),
    "uploads": Rights(writes=("run", "uploads")),
    "console": Rights(writes=("run",)),
    "publisher": Rights(writes=("public",)),
    "findings": Rights(writes=("run",)),
    "status": Rights(writes=("run",), groups=(TLS_GROUP,), network=INTERNET),
    "edge": Rights(
        writes=("edge", "tls", "run", "logs"),
        groups=(TLS_GROUP,),
        network=f"{INTERNET} AF_NETLINK",
        capabilities="CAP_NET_BIND_SERVICE",
        is_compiling=True,
    ),
    "worker": Rights(writes=("keys", "private", "run"), network=f"{INTERNET} AF_NETLINK"),
}


def role_of(unit: Unit) -> str:
    """The role behind a unit: `guard-1` is a guard."""
    return unit.name.partition("-")[0]


def user_of(role: str) -> str:
    """The system user of a role."""
    return f"troth-{role}"


def unit_name(unit: Unit) -> str:
    """The name of its unit file."""
    return f"troth-{unit.name}.service"


def service(unit: Unit, data: Path) -> str:
    """The unit file of one role."""
    role = role_of(unit)
    rights = RIGHTS[role]
    after = " ".join(f"troth-{name}.service" for name in unit.needs)
    lines = [
        "[Unit]",
        f"Description=Troth: {unit.name}",
        "Documentation=man:troth(1)",
        f"PartOf={TARGET}",
        f"After=network-online.target {after}".rstrip(),
        *([f"Wants={after}"] if after else []),
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=notify",
        "NotifyAccess=main",
        f"ExecStart={_command(unit)}",
        "ExecReload=/bin/kill -HUP $MAINPID",
        f"User={user_of(role)}",
        f"Group={GROUP}",
        *([f"SupplementaryGroups={' '.join(rights.groups)}"] if rights.groups else []),
        "Restart=always",
        "RestartSec=200ms",
        "RestartPreventExitStatus=2",
        "TimeoutStartSec=60",
        "TimeoutStopSec=30",
        "LimitNOFILE=65536",
        "OOMScoreAdjust=-500" if role in {"edge", "guard", "ledger"} else "OOMScoreAdjust=0",
        HARDENED,
        f"MemoryDenyWriteExecute={'no' if rights.is_compiling else 'yes'}",
        f"RestrictAddressFamilies={rights.network}",
        f"CapabilityBoundingSet={rights.capabilities}",
        f"AmbientCapabilities={rights.capabilities}",
        "ReadWritePaths=" + " ".join(str(data / name) for name in rights.writes),
        "",
        "[Install]",
        f"WantedBy={TARGET}",
        "",
    ]
    return "\n".join(lines)


def _command(unit: Unit) -> str:
    """The command line, quoted as systemd.service(5) reads it."""

    def quoted(word: str) -> str:
        escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
        escaped = escaped.replace("$", "$$")
        return escaped if escaped and " " not in escaped else f'"{escaped}"'

    return " ".join(quoted(word) for word in unit.argv)


def target() -> str:
    """What starts and stops them all."""
    return (
        "[Unit]\nDescription=Troth\nAfter=network-online.target\nWants=network-online.target\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )


def sysusers(roles: tuple[str, ...], data: Path) -> str:
    """Users and groups, for systemd-sysusers(8)."""
    lines = [f"g {GROUP} -", f"g {TLS_GROUP} -"]
    for role in roles:
        lines.append(f'u {user_of(role)} - "Troth {role}" {data} /usr/sbin/nologin')
        lines.append(f"m {user_of(role)} {GROUP}")
        lines += [f"m {user_of(role)} {group}" for group in RIGHTS[role].groups]
    return "\n".join([*lines, ""])


def tmpfiles(data: Path) -> str:
    """Directories with owner and mode, for systemd-tmpfiles(8).

    `run`, `keys` and `looks` are shared: sticky, so that no role removes another's file. Keys are
    made 0600 by the role that signs with them. The authority's certificate in `tls` is for anybody
    who looks; the keys beside it are for their group.
    """
    rooms = {
        "": ("0755", "root", GROUP),
        "run": ("3770", "root", GROUP),
        "keys": ("3770", "root", GROUP),
        "looks": ("2750", user_of("ledger"), GROUP),
        "log": ("2750", user_of("ledger"), GROUP),
        "public": ("2750", user_of("publisher"), GROUP),
        "spool": ("2750", user_of("guard"), GROUP),
        "uploads": ("0700", user_of("uploads"), GROUP),
        "private": ("0700", user_of("worker"), GROUP),
        "edge": ("2750", user_of("edge"), GROUP),
        "tls": ("2751", user_of("edge"), TLS_GROUP),
        "logs": ("2770", user_of("edge"), GROUP),
        "pg": ("0755", user_of("postgres"), GROUP),
    }
    lines = [
        f"d {data / name if name else data} {mode} {user} {group} -"
        for name, (mode, user, group) in rooms.items()
    ]
    return "\n".join([*lines, f"f {data}/.troth-data 0644 root {GROUP} -", ""])


def files(units: tuple[Unit, ...], data: Path) -> dict[Path, str]:
    """Every file of an installation, by its place below the root directory."""
    roles = tuple(dict.fromkeys(role_of(unit) for unit in units))
    systemd = Path("etc/systemd/system")
    made = {systemd / unit_name(unit): service(unit, data) for unit in units}
    return {
        **made,
        systemd / TARGET: target(),
        Path("etc/sysusers.d/troth.conf"): sysusers(roles, data),
        Path("etc/tmpfiles.d/troth.conf"): tmpfiles(data),
    }
