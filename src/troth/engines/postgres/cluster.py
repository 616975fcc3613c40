"""One PostgreSQL cluster: create it, start it in the foreground, know when it is ready, stop it.

Whoever supervises calls `create` once (it may be called always), then `start`, `wait_ready` and in
the end `stop`. Nothing here runs by itself and nothing is kept in memory: the truth is the
directory. A lock beside it is held by the server's own processes, so that it is free exactly when
the last of them is gone, however they died.
"""

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from troth.adapters import process
from troth.adapters.process import Child, Identity, ProcessError
from troth.engines.postgres import configuration
from troth.engines.postgres.binaries import Binaries, PostgresError, first_closed

SUPERUSER = "postgres"
READY = timedelta(seconds=60)  # crash recovery reads up to max_wal_size again
STOP = timedelta(seconds=30)
_CREATE = timedelta(seconds=120)
_POLL = timedelta(milliseconds=5)
_TAIL_BYTES = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster by its place; it need not exist yet.

    Args:
        directory: the data directory. Its parent is ours: lock and half-made clusters stand there.
        binaries: PostgreSQL's programs, readable by `identity`.
        socket_directory: gets mode 0750; short, because a socket's path has 107 bytes at most.
        name: what processes and logs call it.
        identity: the user it runs as; None is our own. Root must name one.
        socket_group: group whose members may connect; None leaves it to `identity`'s own.
        members: for each user of the system the database roles it may take; empty means that the
            user who starts it may take any.
    """

    directory: Path
    binaries: Binaries
    socket_directory: Path
    name: str
    identity: Identity | None = None
    socket_group: int | None = None
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def url(self, database: str, role: str) -> str:
        """Where clients of this machine connect. Holds no secret: the kernel says who they are."""
        host = quote(str(self.socket_directory), safe="")
        return f"postgresql://{quote(role)}@/{quote(database)}?host={host}"

    def argv(self) -> list[str]:
        """The server in the foreground."""
        return [str(self.binaries.directory / "postgres"), "-D", str(self.directory)]

    def environment(self) -> dict[str, str]:
        """What the server needs beside the whitelist."""
        return {"LC_ALL": "C", "TZ": "UTC", "HOME": str(self.directory)}

    def create(self) -> bool:
        """Make the cluster if it is not there yet; an interrupted attempt is begun again.

        Returns:
            Whether it was made now.

        Raises:
            PostgresError: the place is closed, foreign, full, or holds another version.
        """
        self._check_place()
        if self._exists():
            return False
        partial = self.directory.with_name(f".{self.directory.name}.creating")
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(partial)
        partial.mkdir(parents=True, mode=0o700)
        self._give(partial)
        argv = [str(self.binaries.directory / "initdb"), "--pgdata", str(partial)]
        argv += ["--username", SUPERUSER, "--auth", "peer", "--no-locale", "--encoding", "UTF8"]
        argv += ["--data-checksums", "--no-instructions"]
        try:
            process.run(argv, timeout=_CREATE, env=self.environment(), identity=self.identity)
            partial.rename(self.directory)
        except (ProcessError, OSError) as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise _explained("cannot create a cluster", self.directory, str(error)) from error
        _sync(self.directory.parent)
        return True

    def start(self, output: int, timeout: timedelta = READY) -> Child:
        """Start the server and return at once. It outlives neither `stop` nor this thread.

        Args:
            output: descriptor that gets what the server says.
            timeout: how long to wait for the processes of a former server to go.
        """
        lock = self.prepare(timeout)
        try:
            return process.start(
                self.argv(),
                output=output,
                env=self.environment(),
                identity=self.identity,
                death_signal=signal.SIGINT,  # a killed supervisor leaves a clean shutdown behind
                pass_fds=(lock,),
            )
        finally:
            os.close(lock)

    def prepare(self, timeout: timedelta = READY) -> int:
        """Make the directory ready for a server: alone, configured, without a dead one's traces.

        Returns:
            A descriptor that holds the lock. The server inherits it under the same number
            (`pass_fds`), then the caller closes it.

        Raises:
            PostgresError: no cluster here, it is in use, or it is another version's.
        """
        self._check_place()
        if not self._exists():
            raise PostgresError("no cluster here", where=str(self.directory), mend="create it")
        lock = self._lock(timeout)
        try:
            self._sweep()
            self._write_configuration()
        except BaseException:
            os.close(lock)
            raise
        return lock

    def wait_ready(self, child: Child, output: int, timeout: timedelta = READY) -> None:
        """Return when the server accepts connections. Raises PostgresError with its last words."""
        deadline = time.monotonic() + timeout.total_seconds()
        while not self._is_ready(child.pid):
            with contextlib.suppress(ProcessError):
                child.wait(_POLL)  # wakes at once when it dies
            if child.code() is not None:
                raise _explained("the server ended", self.directory, _last_words(output))
            if time.monotonic() > deadline:
                raise _explained(f"not ready after {timeout}", self.directory, _last_words(output))

    def stop(self, child: Child, grace: timedelta = STOP) -> int:
        """Fast shutdown: open transactions are rolled back, all is written. Returns the code.

        After `grace` it is stopped as by a power cut; the next start recovers.
        """
        child.send(signal.SIGINT)
        with contextlib.suppress(ProcessError):
            return child.wait(grace)
        return child.stop(signal.SIGQUIT)

    def _check_place(self) -> None:
        socket = self.socket_directory / f".s.PGSQL.{configuration.PORT}"
        if len(os.fsencode(socket)) > configuration.LONGEST_SOCKET_BYTES:
            raise PostgresError(
                f"a socket's path has {configuration.LONGEST_SOCKET_BYTES} bytes at most",
                where=str(socket),
                mend="choose a data directory with a shorter path",
            )
        if "," in str(socket):  # server and clients both read a list there
            raise PostgresError(
                "a comma in a socket's path",
                where=str(socket),
                mend="choose a data directory without one",
            )
        if self.identity is None and os.geteuid() == 0:
            raise PostgresError("PostgreSQL does not run as root", mend="name another user")
        for path in (self.directory.parent, self.socket_directory.parent, self.binaries.directory):
            if closed := first_closed(path, self.identity):
                raise PostgresError(
                    "closed to the user that PostgreSQL runs as",
                    where=str(closed),
                    mend=f"choose another data directory, or chmod o+x {closed}",
                )

    def _exists(self) -> bool:
        """Whether a cluster that we can run is here. Raises PostgresError for anything else."""
        try:
            version = (self.directory / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            if self.directory.is_dir() and any(self.directory.iterdir()):
                raise PostgresError(
                    "not empty, and no PostgreSQL cluster", where=str(self.directory)
                ) from None
            return False
        except OSError as error:
            raise PostgresError(
                f"cannot be read: {error.strerror}", where=str(self.directory)
            ) from error
        if version != str(self.binaries.major):
            raise PostgresError(
                f"made by PostgreSQL {version}, but the programs are {self.binaries.major}",
                where=str(self.directory),
                mend=f"set [database] bindir to a PostgreSQL {version}, or run pg_upgrade",
            )
        owner = self.directory.stat().st_uid
        wanted = os.geteuid() if self.identity is None else self.identity.uid
        if owner != wanted:
            raise PostgresError(
                f"belongs to user {owner}, but PostgreSQL would run as user {wanted}",
                where=str(self.directory),
                mend=f"start as user {owner}, or chown -R {wanted} {self.directory}",
            )
        return True

    def _lock(self, timeout: timedelta) -> int:
        path = self.directory.with_name(f"{self.directory.name}.lock")
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise PostgresError(f"cannot be opened: {error.strerror}", where=str(path)) from error
        deadline = time.monotonic() + timeout.total_seconds()
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(lock)
                    raise PostgresError(
                        "in use by another server",
                        where=str(self.directory),
                        mend="stop the other, or choose another data directory",
                    ) from None
                time.sleep(_POLL.total_seconds())  # the kernel tells nobody that a lock is free
            else:
                return lock

    def _sweep(self) -> None:
        """Remove a dead server's pid files where their number is somebody else's by now.

        PostgreSQL removes them itself when the number is free; after a restart of a container or
        machine it often is not, and it would refuse to start.
        """
        socket = self.socket_directory / f".s.PGSQL.{configuration.PORT}.lock"
        for path in (self.directory / "postmaster.pid", socket):
            try:
                lines = path.read_text().splitlines()
                pid, home = abs(int(lines[0])), lines[1]
            except (FileNotFoundError, ValueError, IndexError):
                continue
            if _works_in(pid, home):
                raise PostgresError(
                    f"in use by process {pid}",
                    where=str(path),
                    mend=f"stop the server of {home}, or choose another data directory",
                )
            path.unlink(missing_ok=True)

    def _write_configuration(self) -> None:
        self.socket_directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        self.socket_directory.chmod(0o750)
        self._give(self.socket_directory, self.socket_group)
        starter = pwd.getpwuid(os.geteuid()).pw_name
        members = self.members or {starter: (configuration.ANY_ROLE,)}
        texts = {
            "postgresql.conf": configuration.postgresql_conf(
                major=self.binaries.major,
                socket_directory=self.socket_directory,
                socket_group=self.socket_group,
                name=self.name,
            ),
            "pg_hba.conf": configuration.hba_conf(),
            "pg_ident.conf": configuration.ident_conf(members),
        }
        for name, text in texts.items():
            self._write(self.directory / name, text)

    def _write(self, path: Path, text: str) -> None:
        """Replace a file in a directory that the server's user can write: follow no link there."""
        fresh = path.with_suffix(".new")
        try:
            fresh.unlink(missing_ok=True)
            file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(file, "w") as stream:
                stream.write(text)
                if self.identity is not None:
                    os.fchown(file, self.identity.uid, self.identity.gid)
            fresh.replace(path)
        except OSError as error:
            raise _explained("cannot be written", path, str(error)) from error

    def _give(self, path: Path, group: int | None = None) -> None:
        if self.identity is not None:
            os.chown(path, self.identity.uid, self.identity.gid if group is None else group)
        elif group is not None:
            os.chown(path, -1, group)

    def _is_ready(self, pid: int) -> bool:
        """Whether the server of that pid says so in its own file, as pg_ctl reads it."""
        try:
            lines = (self.directory / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        # Source: PostgreSQL, miscadmin.h, LOCK_FILE_LINE_PM_STATUS and PM_STATUS_READY.
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004


def _works_in(pid: int, home: str) -> bool:
    """Whether a process of that number is a server of that directory: it makes it its own place."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == Path(home).resolve()
    except (FileNotFoundError, ProcessLookupError):
        return False
    except PermissionError:
        return False  # another user's process is not a server of a directory that is ours


def _last_words(output: int) -> str:
    """The last complaint in the file that the server writes to; empty when it is no file."""
    try:
        with Path(f"/proc/self/fd/{output}").open("rb") as file:
            file.seek(max(0, os.fstat(output).st_size - _TAIL_BYTES))
            lines = file.read(_TAIL_BYTES).decode("utf-8", "replace").splitlines()
    except (OSError, ValueError):
        return ""
    bad = [line for line in lines if any(word in line for word in ("FATAL:", "PANIC:", "ERROR:"))]
    return (bad or lines or [""])[-1]


_MENDS = {
    "No space left on device": "free some space there",
    "Permission denied": "give the directory to the user that PostgreSQL runs as",
    "could not create shared memory": "raise kernel.shmmax, or lower shared_buffers",
    "Read-only file system": "choose a data directory that can be written",
}


def _explained(what: str, where: Path, reason: str) -> PostgresError:
    mend = next((mend for sign, mend in _MENDS.items() if sign in reason), "")
    return PostgresError(f"{what}: {reason}" if reason else what, where=str(where), mend=mend)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
