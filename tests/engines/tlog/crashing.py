"""A writer that dies: killed at a chosen system call, or at any instant. Run as a program.

`crashing.py sweep DIR` kills a forked writer before (and, of a write, in the middle of) each system
call that changes a disk, and after each death opens the log again and checks it. Then the same with
all thrown away that was not handed to the disk, as a power cut may.
`crashing.py random DIR ROUNDS SEED` kills forked writers at random instants instead.

It prints one line of JSON in the end; an assertion's traceback when the log was not whole.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.engines.tlog.checkpoint import open_checkpoint
from troth.engines.tlog.log import Log, Room
from troth.engines.tlog.merkle import leaf_hash, root_of
from troth.engines.tlog.note import NoteSigner
from troth.engines.tlog.read import read_log

KEY = NoteSigner.from_private("crash.example/log", Ed25519PrivateKey.from_private_bytes(b"k" * 32))
START = datetime(2026, 1, 1, tzinfo=UTC)
CALLS = ("open", "write", "fsync", "rename", "ftruncate", "mkdir", "unlink", "rmdir", "fchmod")
BATCHES = (3, 1, 1, 1, 1, 300, 260, 1)
REAL = {name: getattr(os, name) for name in CALLS}


def leaf(index: int) -> bytes:
    """The leaf that everybody expects at an index."""
    return b"%d " % index * (index % 13)


def write(directory: Path, batches: tuple[int, ...], acks: int, now: datetime = START) -> None:
    """Open the log and grow it from where it is; each acknowledged size goes down the pipe."""
    log = Log.open(directory, KEY, now=now, room=Room(kept_partials=2))
    for number, count in enumerate(batches):
        done = log.append([leaf(i) for i in range(log.size, log.size + count)], now)
        REAL["write"](acks, b"%d %s\n" % (done.stop, log.root.hex().encode()))
        if number == 2:
            log._rotate()
    log.close()


class Killer:
    """Counts the calls that change a disk and dies at one of them."""

    def __init__(self, directory: Path, at: int, *, is_half: bool) -> None:
        self.at, self.is_half, self.durable = at, is_half, Durable(directory)
        self.names: list[str] = []

    def install(self) -> None:
        for name in CALLS:
            setattr(os, name, self.wrap(name))

    def wrap(self, name: str):
        def call(*args, **kwargs):
            is_reading = name == "open" and not args[1] & os.O_CREAT
            if not is_reading and len(self.names) == self.at:
                if self.is_half:
                    REAL["write"](args[0], bytes(args[1])[: len(args[1]) // 2])
                self.die()
            self.names += [] if is_reading else [name]
            result = REAL[name](*args, **kwargs)
            if name == "fsync":
                self.durable.note(args[0])
            return result

        return call

    def die(self) -> None:
        self.durable.write()
        os.kill(os.getpid(), signal.SIGKILL)


class Durable:
    """What a disk is sure to hold: contents as of their fsync, names as of their folder's."""

    def __init__(self, where: Path) -> None:
        self.where = where
        self.contents: dict[int, bytes] = {}
        self.names: dict[int, dict[str, int]] = {}
        self.folders: set[int] = set()
        self.kept: list[int] = []  # open descriptors, so that no inode number is used twice

    def note(self, fd: int) -> None:
        self.kept.append(os.dup(fd))
        path = Path(f"/proc/self/fd/{fd}").resolve()
        inode = os.fstat(fd).st_ino
        if path.is_dir():
            self.names[inode] = {p.name: p.stat().st_ino for p in path.iterdir()}
            self.folders |= {p.stat().st_ino for p in path.iterdir() if p.is_dir()}
        else:
            self.contents[inode] = path.read_bytes()

    def begin(self) -> None:
        """The empty folder counts as durable."""
        fd = REAL["open"](self.where, os.O_RDONLY)
        self.note(fd)
        os.close(fd)

    def write(self) -> None:
        for name, real in REAL.items():
            setattr(os, name, real)
        self.rebuild(self.where.stat().st_ino, self.where.with_name("after-power-cut"))

    def rebuild(self, inode: int, target: Path) -> None:
        target.mkdir()
        for name, child in self.names.get(inode, {}).items():
            if child in self.contents:
                (target / name).write_bytes(self.contents[child])
            elif child in self.folders:
                self.rebuild(child, target / name)
            else:  # a name whose content never reached the disk
                (target / name).touch()


def forked(act, *, life_s: float | None = None) -> tuple[int, list[list[bytes]]]:
    """Run `act(pipe)` in a child; its exit status, and what it said: two words a line."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        status = 1
        try:
            act(writing)
            status = 0
        except BaseException:  # noqa: BLE001 -- told, then the child ends
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        if life_s is not None:
            time.sleep(life_s)  # not to wait for anything: the instant of death is the dice's
            os.kill(pid, signal.SIGKILL)
        lines = pipe.read().split(b"\n")[:-1]
    _, status = os.waitpid(pid, 0)
    return status, [line.rsplit(b" ", 1) for line in lines]


def check(directory: Path, acked: list[tuple[int, str]], now: datetime = START) -> int:
    """Open after a death: nothing acknowledged is lost, nothing said before is contradicted."""
    published = directory / "checkpoint"
    before = published.read_bytes() if published.exists() else None
    log = Log.open(directory, KEY, now=now, room=Room(kept_partials=2))
    hashes = [leaf_hash(leaf(i)) for i in range(log.size)]
    assert log.size >= max((size for size, _ in acked), default=0), "an acknowledged leaf was lost"
    assert log.root == root_of(hashes)
    for size, root in acked:
        assert root_of(hashes[:size]).hex() == root, "a fork"
    if before is not None:
        head = open_checkpoint(before, KEY.verifier())
        assert head.size <= log.size, "rolled back"
        assert root_of(hashes[: head.size]) == head.root, "a fork"
    leaves = [entry for _, entry in read_log(directory, KEY.verifier()).entries()]
    assert leaves == [leaf(i) for i in range(log.size)]
    size = log.size
    log.append([leaf(size)], now)
    assert log.root == root_of([*hashes, leaf_hash(leaf(size))])
    log.close()
    return size


def sweep(root: Path) -> dict[str, int]:
    plan, deaths = [(10**9, False)], 0
    while plan:
        at, is_half = plan.pop()
        directory = root / f"{at}-{is_half}" / "log"
        directory.mkdir(parents=True)
        killer = Killer(directory, at, is_half=is_half)

        def act(pipe: int, killer=killer, directory=directory) -> None:
            killer.durable.begin()
            killer.install()
            write(directory, BATCHES, pipe)
            REAL["write"](pipe, json.dumps(killer.names).encode() + b" calls\n")

        status, said = forked(act)
        if status == 0:
            names = json.loads(said.pop()[0])
            plan = [(at, False) for at in range(len(names))]
            plan += [(at, True) for at, name in enumerate(names) if name == "write"]
        else:
            assert status == signal.SIGKILL
            deaths += 1
            check(directory.with_name("after-power-cut"), acks(said))
        check(directory, acks(said))
        shutil.rmtree(directory.parent)
    return {"deaths": deaths}


def acks(said: list[list[bytes]]) -> list[tuple[int, str]]:
    return [(int(size), root.decode()) for size, root in said]


def killed_at_random(root: Path, rounds: int, seed: int) -> dict[str, int]:
    dice = random.Random(seed)
    directory, deaths = root / "log", 0
    acked: list[tuple[int, str]] = []
    for number in range(rounds):
        now = START + number * timedelta(hours=1)
        batches = tuple(dice.choice((1, 2, 40, 256, 300, 700)) for _ in range(40))
        life_s = dice.uniform(0, 0.05)

        def act(pipe: int, batches=batches, now=now) -> None:
            write(directory, batches, pipe, now)

        status, said = forked(act, life_s=life_s)
        assert status in (0, signal.SIGKILL), status
        deaths += status != 0
        acked += acks(said)
        size = check(directory, acked[-20:], now)
        if size > 3_000:
            shutil.rmtree(directory)
            acked.clear()
    return {"deaths": deaths, "rounds": rounds}


if __name__ == "__main__":
    started, place = time.monotonic(), Path(sys.argv[2])
    if sys.argv[1] == "sweep":
        result = sweep(place)
    else:
        result = killed_at_random(place, int(sys.argv[3]), int(sys.argv[4]))
    sys.stdout.write(json.dumps(result | {"seconds": round(time.monotonic() - started, 1)}))
