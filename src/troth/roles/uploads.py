"""The upload desk as a process: holds named uploads until they were looked at, then lets them on.

It needs no rules, no keys and no network: what it may do is to write in its own folder and to speak
on unix sockets. A new process takes the socket over, and the old one finishes what it has begun.
SIGHUP, or a change of troth.toml, swaps its policy.
"""

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from troth.adapters import chance, clock, notify
from troth.adapters.log import Log
from troth.adapters.scratch import Room, sweep
from troth.catalogue import Settings
from troth.enforce.desk import Desk, Policy
from troth.enforce.incoming import Bounds
from troth.kernel.errors import Failure
from troth.promises.guard.enforce import uploads
from troth.roles import scanner, start, up
from troth.roles.guards import guards
from troth.roles.places import Places

LOOK_AT_CONFIG_S = 1.0
COUNT_EVERY_S = 60.0


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM."""
    return start.guarded(_main, argv)


def _main(argv: Sequence[str]) -> int:
    known = start.arguments("uploads").parse_args(argv)
    _, places = start.given(known)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(known.config, places))
    return 0


async def _run(path: Path, places: Places) -> None:
    log, rng = Log("uploads", clock.now), chance.system()
    settings = up.read(path)
    room = Room(0, 0)
    left = sweep(places.uploads)
    desk = Desk(
        places.socket("uploads"),
        guards=tuple(
            places.socket(name.replace("guard-", "guard-uploads-")) for name in guards(settings)
        ),
        released=places.socket("released"),
        folder=places.uploads,
        room=room,
        policy=policy(settings, room),
        told=lambda name, fields: log.event(name, **fields),
        new_id=lambda: f"{rng.getrandbits(64):016x}",
    )
    loop, stop, again = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, again.set)
    await desk.open()
    log.event("uploads.ready", left=left)
    notify.ready()
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(_watch(path, again, desk, log))
        counting = group.create_task(_count(desk, log))
        await stop.wait()
        watching.cancel()
        counting.cancel()
        await desk.close()
    log.event("uploads.stopped", **desk.counts)


def policy(settings: Settings, room: Room) -> Policy:
    """What these settings ask of the desk; what there is room for is changed in place."""
    given = settings.guard.uploads
    room.at_once, room.total_bytes = given.at_once, given.total_bytes
    asked = uploads.Desk(given, settings.guard.rules.body_bytes, scanner.of(given))
    most = settings.edge.max_upload_bytes
    return Policy(
        look=asked.look,
        max_bytes=lambda path: min(asked.rules(path).max_bytes, most),
        bounds=Bounds(receive_s=given.receive_s, idle_s=given.idle_s),
        passes_unlooked=given.when_gone == "pass",
        prefix=settings.troth.prefix,
    )


async def _watch(path: Path, again: asyncio.Event, desk: Desk, log: Log) -> None:
    """Swap the policy when told to, or when the file is another one; a bad one changes nothing."""
    seen = _mark(path)
    while True:
        try:
            async with asyncio.timeout(LOOK_AT_CONFIG_S):
                await again.wait()
        except TimeoutError:
            if _mark(path) == seen:
                continue
        again.clear()
        seen = _mark(path)
        try:
            desk.policy = policy(await asyncio.to_thread(up.read, path), desk.room)
            log.event("uploads.renewed")
        except Failure as failure:
            log.event("uploads.kept", because=failure.hint())


async def _count(desk: Desk, log: Log) -> None:
    before = dict(desk.counts)
    while True:
        await asyncio.sleep(COUNT_EVERY_S)
        if dict(desk.counts) != before:
            log.event("uploads.counted", **desk.counts)
            before = dict(desk.counts)


def _mark(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return found.st_ino, found.st_mtime_ns


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
