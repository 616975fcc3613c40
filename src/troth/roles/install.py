"""`troth install` and `uninstall`: systemd units, users, directories; and all of it away again.

What was written stands in `installed.json` in the data directory, so that uninstalling removes
exactly that. Data are kept unless the operator says otherwise.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from troth.adapters import files, process
from troth.adapters.process import Identity
from troth.catalogue import Settings
from troth.engines.postgres.binaries import first_closed
from troth.kernel.errors import Failure
from troth.roles import check, invite, plan, units
from troth.roles.places import Places

MANIFEST = "installed.json"
NOBODY = 65534  # Source: Debian policy 9.2.2: in no group of ours, as good as any other user
PATIENCE = timedelta(seconds=120)
MAX_MANIFEST_BYTES = 256 * 1024

Told = Callable[[str], None]


class InstallError(Failure):
    """The system could not be changed as wished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Where and what.

    Args:
        settings: checked.
        config: the absolute path that the units will read.
        data: the data directory.
        root: `/`, or a directory that stands for it (packaging, a rehearsal): nothing is started.
    """

    settings: Settings
    config: Path
    data: Path
    root: Path = Path("/")

    @property
    def is_rehearsal(self) -> bool:
        """Whether files are written elsewhere and nothing of the running system is touched."""
        return self.root != Path("/")

    def files(self) -> dict[Path, str]:
        """Every file, by its absolute place."""
        roles = plan.units(self.settings, self.config, Places(self.data))
        return {self.root / path: text for path, text in units.files(roles, self.data).items()}


def install(wanted: Installation, told: Told) -> Sequence[Path]:
    """Write the files, make users and directories, start everything. Fine to do again.

    Raises:
        InstallError: not root, no systemd, or a step that failed; what was written is named.
    """
    if not wanted.is_rehearsal:
        _require_root()
        check.check(wanted.config, wanted.data)
        _require_open(wanted.config)
    written = []
    for path, text in wanted.files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text("utf-8") != text:
            files.write_atomic(path, text.encode(), mode=0o644)
            told(f"wrote {path}")
        written.append(path)
    manifest = wanted.root / wanted.data.relative_to("/") / MANIFEST
    manifest.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    files.write_atomic(manifest, json.dumps([str(path) for path in written], indent=1).encode())
    if wanted.is_rehearsal:
        return written
    names = [path.name for path in written if path.suffix == ".service"]
    for argv in (
        ["systemd-sysusers", "/etc/sysusers.d/troth.conf"],
        ["systemd-tmpfiles", "--create", "/etc/tmpfiles.d/troth.conf"],
        ["systemctl", "daemon-reload"],
        ["systemctl", "enable", units.TARGET, *names],
        ["systemctl", "restart", units.TARGET, *names],
    ):
        _do(argv, told)
    return written


def uninstall(wanted: Installation, now: datetime, told: Told, *, purge: bool = False) -> None:
    """Stop everything and remove what `install` wrote; say what browsers still remember."""
    if not wanted.is_rehearsal:
        _require_root()
    data = wanted.root / wanted.data.relative_to("/")
    manifest = data / MANIFEST
    if not manifest.exists():
        raise InstallError("nothing is installed here", where=str(manifest))
    written = [Path(name) for name in json.loads(files.read_capped(manifest, MAX_MANIFEST_BYTES))]
    names = [path.name for path in written if path.suffix == ".service"]
    if not wanted.is_rehearsal:
        _do(["systemctl", "disable", "--now", units.TARGET, *names], told)
    for path in written:
        path.unlink(missing_ok=True)
        told(f"removed {path}")
    if not wanted.is_rehearsal:
        _do(["systemctl", "daemon-reload"], told)
    manifest.unlink()
    if purge:
        shutil.rmtree(data)
        told(f"removed {data} with log, keys and evidence: what was published can't be continued")
    else:
        told(f"kept {data}: log, keys and evidence (remove them with --purge)")
    told(what_hsts_binds(wanted.settings, now))


def what_hsts_binds(settings: Settings, now: datetime) -> str:
    """What browsers that came by will insist on after Troth is gone."""
    hsts = settings.edge.hsts
    if not hsts.max_age_s:
        return "no browser was told to insist on HTTPS"
    until = now + timedelta(seconds=hsts.max_age_s)
    hosts = settings.application.host + (
        " and all its subdomains" if hsts.include_subdomains else ""
    )
    preload = "; the preload list binds longer: hstspreload.org/removal" if hsts.preload else ""
    return (
        f"browsers that came by insist on HTTPS for {hosts} until {until:%Y-%m-%d %H:%M} UTC: "
        f"keep a certificate there, or serve max-age=0 over HTTPS first{preload}"
    )


def first_link(wanted: Installation, mail: str) -> str:
    """The first administrator's single-use link, as soon as the console has made its tables."""
    if wanted.is_rehearsal:
        raise InstallError("nothing runs in a rehearsal", mend="leave out --admin or --root")
    _do(["systemctl", "start", "troth-console.service"], lambda _: None)  # waits until it is ready
    return invite.invite(wanted.config, Places(wanted.data), mail)


def _require_open(config: Path) -> None:
    """Each role runs as a user of its own: program and settings must be readable by others."""
    nobody = Identity(NOBODY, NOBODY)
    for path in (Path(sys.executable), Path(sys.prefix), Path(__file__), config):
        closed = first_closed(path, nobody)
        if closed is not None:
            raise InstallError(
                "the roles' own users cannot enter it",
                where=str(closed),
                mend="install Troth below /opt or /usr/local, troth.toml in /etc/troth",
            )


def _require_root() -> None:
    if os.geteuid() != 0:
        raise InstallError(
            "only root can do this", mend="sudo troth install, or --root DIR to look"
        )
    if not Path("/run/systemd/system").is_dir():
        raise InstallError(
            "systemd does not run this machine",
            mend="troth up under a supervisor of yours, or --root DIR to see the files",
        )


def _do(argv: Sequence[str], told: Told) -> None:
    try:
        process.run(argv, timeout=PATIENCE)
    except process.ProcessError as error:
        raise InstallError(error.what, where=" ".join(argv)) from error
    told(" ".join(argv))
