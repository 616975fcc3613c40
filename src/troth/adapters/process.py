"""The one door for child processes: a list and no shell, a whitelisted environment, bounds.

`run` is for a command that ends by itself, `start` for a process that somebody watches. Both give
the child a session of its own, close every descriptor that is not named, and ask the kernel to kill
it when the thread that started it dies (Linux `PR_SET_PDEATHSIG`): a supervisor that is killed
leaves nothing behind. So start long-lived children from a thread that lives as long as they do.

Fails closed: what cannot be started, ends with an unexpected code, says too much or takes too long
raises `ProcessError`, and its process group is killed before the error is raised.
"""

import asyncio
import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from troth.kernel.errors import Failure

INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "TZ")
DEFAULT_CAP_BYTES = 4 * 1024 * 1024
GRACE = timedelta(seconds=10)
_CHUNK_BYTES = 65536
_TOLD_BYTES = 400  # how much of a failed command's last words goes into the error
_PR_SET_PDEATHSIG = 1  # Source: linux/prctl.h


class ProcessError(Failure):
    """A child process that could not be started, failed, took too long or said too much."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The user a child runs as. Supplementary groups are exactly `groups`."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A command that ended. `code` is negative when a signal ended it, as in `subprocess`."""

    argv: tuple[str, ...]
    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        """What it wrote to standard output, without surrounding white space."""
        return self.out.decode("utf-8", "replace").strip()


class Child:
    """A long-lived process with a session and process group of its own.

    `fileno()` is a pidfd: readable when the process has ended, so that a selector or an event loop
    can wait for it together with everything else.
    """

    def __init__(self, popen: "subprocess.Popen[bytes]") -> None:
        self._popen = popen
        self._code: int | None = None
        try:
            self._pidfd = os.pidfd_open(popen.pid)
        except OSError:
            _kill_group(popen.pid)
            popen.wait()
            raise

    @property
    def pid(self) -> int:
        """The process id; also the id of its group."""
        return self._popen.pid

    def fileno(self) -> int:
        """The pidfd, until the exit code has been collected; then -1."""
        return self._pidfd

    def code(self) -> int | None:
        """The exit code (negative: the signal that ended it), or None while it runs."""
        if self._code is None and self._has_ended(0):
            self._collect()
        return self._code

    def wait(self, timeout: timedelta) -> int:
        """Wait for the end and return the code. Raises ProcessError after `timeout`."""
        if self._code is None:
            if not self._has_ended(timeout.total_seconds()):
                raise ProcessError(f"still runs after {timeout}", where=f"process {self.pid}")
            self._collect()
        assert self._code is not None  # noqa: S101 -- _collect sets it
        return self._code

    async def exited(self) -> int:
        """As `wait`, in an event loop and without a timeout."""
        if self._code is None:
            loop = asyncio.get_running_loop()
            ended = asyncio.Event()
            loop.add_reader(self._pidfd, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(self._pidfd)
        return self.wait(timedelta(seconds=1))

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process (not to its group); nothing happens when it has ended."""
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def stop(self, number: signal.Signals = signal.SIGTERM, grace: timedelta = GRACE) -> int:
        """Ask it to end, kill the whole group after `grace`, return the code."""
        self.send(number)
        with contextlib.suppress(ProcessError):
            return self.wait(grace)
        _kill_group(self.pid)
        return self.wait(GRACE)

    def _has_ended(self, timeout_s: float) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self._pidfd, selectors.EVENT_READ)
            return bool(selector.select(timeout_s))

    def _collect(self) -> None:
        # The group goes before its leader is reaped: until then its number is nobody else's.
        _kill_group(self.pid)
        self._code = self._popen.wait()
        os.close(self._pidfd)
        self._pidfd = -1


def run(  # noqa: PLR0913 -- each is one bound or one right of the child
    argv: Sequence[str | Path],
    *,
    timeout: timedelta,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    identity: Identity | None = None,
    cap_bytes: int = DEFAULT_CAP_BYTES,
    ok: Collection[int] | None = (0,),
) -> Finished:
    """Run a command to its end.

    Args:
        argv: program and arguments; the program is looked up in PATH when it has no slash.
        timeout: after it the whole process group is killed.
        stdin: what it reads; it sees the end of the file after that.
        env: added to the variables of `INHERITED`, the only ones a child gets from us.
        cwd: where it runs; the root directory when not said.
        identity: the user it runs as; only root can choose another than its own.
        cap_bytes: the most it may write to either stream.
        ok: the exit codes that are no failure; None accepts any.

    Raises:
        ProcessError: not startable, an exit code outside `ok`, over the cap, over the time.
    """
    deadline = time.monotonic() + timeout.total_seconds()
    popen = _spawn(
        argv,
        env=env,
        cwd=cwd,
        identity=identity,
        death_signal=signal.SIGKILL,
        streams=(subprocess.PIPE, subprocess.PIPE, subprocess.PIPE),
    )
    name = str(argv[0])
    try:
        out, err = _talk(popen, stdin, cap_bytes, deadline)
        popen.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise ProcessError(f"not finished after {timeout}", where=name) from error
    except OverflowError as error:
        raise ProcessError(f"wrote more than {cap_bytes} bytes", where=name) from error
    finally:
        if popen.poll() is None:
            _kill_group(popen.pid)
        popen.wait()
        for stream in (popen.stdin, popen.stdout, popen.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
    finished = Finished(argv=tuple(map(str, argv)), code=popen.returncode, out=out, err=err)
    if ok is not None and finished.code not in ok:
        last = (err.strip() or out.strip())[-_TOLD_BYTES:].decode("utf-8", "replace")
        raise ProcessError(f"{_ending(finished.code)}: {last or 'it said nothing'}", where=name)
    return finished


def start(  # noqa: PLR0913 -- each is one bound or one right of the child
    argv: Sequence[str | Path],
    *,
    output: int,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    identity: Identity | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
    pass_fds: Sequence[int] = (),
) -> Child:
    """Start a process that runs until it is told to end.

    Args:
        argv: as in `run`.
        output: descriptor that gets its standard output and error; stays the caller's to close.
        env: as in `run`.
        cwd: as in `run`.
        identity: as in `run`.
        death_signal: what the kernel sends it when the starting thread dies. Programs with file
            capabilities do not get it (prctl(2)).
        pass_fds: descriptors it inherits under the same numbers (listening sockets).

    Raises:
        ProcessError: not startable.
    """
    return Child(
        _spawn(
            argv,
            env=env,
            cwd=cwd,
            identity=identity,
            death_signal=death_signal,
            streams=(subprocess.DEVNULL, output, subprocess.STDOUT),
            pass_fds=pass_fds,
        )
    )


def _spawn(  # noqa: PLR0913 -- each is one bound or one right of the child
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None,
    cwd: Path | None,
    identity: Identity | None,
    death_signal: signal.Signals,
    streams: tuple[int, int, int],
    pass_fds: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    drop = {} if identity is None or _is_ours(identity) else _drop(identity)
    words = [str(word) for word in argv]
    try:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # drop is a mapping
            words,
            stdin=streams[0],
            stdout=streams[1],
            stderr=streams[2],
            env=environment(env or {}),
            cwd=cwd or "/",
            start_new_session=True,
            pass_fds=tuple(pass_fds),
            preexec_fn=_die_with_parent(death_signal),  # noqa: PLW1509 -- takes no lock
            **drop,
        )
    except FileNotFoundError as error:
        missing = str(error.filename or words[0])
        raise ProcessError("no such program or directory", where=missing) from error
    except (OSError, subprocess.SubprocessError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProcessError(f"could not be started: {reason}", where=words[0]) from error


def environment(added: Mapping[str, str]) -> dict[str, str]:
    """What a child sees: the variables of `INHERITED` that we have, then `added`."""
    return {k: os.environ[k] for k in INHERITED if k in os.environ} | dict(added)


def _is_ours(identity: Identity) -> bool:
    return os.geteuid() == identity.uid and os.getegid() == identity.gid and not identity.groups


def _drop(identity: Identity) -> dict[str, object]:
    if os.geteuid() != 0:
        raise ProcessError(
            f"cannot become user {identity.uid}", mend="start as that user, or as root"
        )
    return {"user": identity.uid, "group": identity.gid, "extra_groups": list(identity.groups)}


def _die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """What the child does between fork and exec; changing user clears the setting, so it is last.

    The library is opened here, in the parent: after the fork nothing may wait for a lock.
    """
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def arrange() -> None:
        if prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(127)

    return arrange


def _kill_group(pid: int) -> None:
    """SIGKILL to a group whose leader we have not yet reaped."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _talk(
    popen: "subprocess.Popen[bytes]", stdin: bytes, cap_bytes: int, deadline: float
) -> tuple[bytes, bytes]:
    """Feed `stdin`, gather both streams. Raises OverflowError, subprocess.TimeoutExpired."""
    assert popen.stdin and popen.stdout and popen.stderr  # noqa: S101, PT018 -- all are pipes
    gathered = {popen.stdout: bytearray(), popen.stderr: bytearray()}
    rest = memoryview(stdin)
    os.set_blocking(popen.stdin.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(popen.stdin, selectors.EVENT_WRITE)
        for stream in gathered:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise subprocess.TimeoutExpired(popen.args, 0)
            for key, _ in selector.select(left):
                if key.fileobj is popen.stdin:
                    rest = _feed(popen.stdin.fileno(), rest)
                    if not rest:
                        selector.unregister(popen.stdin)
                        with contextlib.suppress(BrokenPipeError):
                            popen.stdin.close()
                    continue
                stream = popen.stdout if key.fileobj is popen.stdout else popen.stderr
                piece = os.read(stream.fileno(), _CHUNK_BYTES)
                if not piece:
                    selector.unregister(stream)
                gathered[stream] += piece
                if len(gathered[stream]) > cap_bytes:
                    raise OverflowError
    return bytes(gathered[popen.stdout]), bytes(gathered[popen.stderr])


def _feed(descriptor: int, rest: memoryview) -> memoryview:
    """Write what the pipe takes; a reader that has gone wants nothing more."""
    try:
        return rest[os.write(descriptor, rest[:_CHUNK_BYTES]) :] if rest else rest
    except BlockingIOError:
        return rest
    except BrokenPipeError:
        return rest[:0]


def _ending(code: int) -> str:
    return f"ended with code {code}" if code >= 0 else f"ended by {signal.Signals(-code).name}"


def become(argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> NoReturn:
    """Replace this process by another program: it gets our terminal and our exit code is its own.

    Args:
        argv: as in `run`.
        env: added to our own environment, all of which it keeps.

    Raises:
        ProcessError: not startable.
    """
    words = [str(word) for word in argv]
    try:
        os.execvpe(words[0], words, {**os.environ, **(env or {})})  # noqa: S606 -- a list and no shell, as everywhere here
    except OSError as error:
        raise ProcessError(f"could not be started: {error.strerror}", where=words[0]) from error
