"""The guard: `--index 0` decides, `--index 1` is its warm standby (the edge's priorities say so).

Both answer alike; only the first has the guard's own address (`run/guard-http.sock`). A new process
takes the sockets over when it is warm, and the old one finishes what it has begun, so a restart
loses nothing. SIGHUP, or a change of troth.toml, swaps the snapshot.
"""

import asyncio
import gc
import signal
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from troth.adapters import chance, clock, files, notify
from troth.adapters.log import Log
from troth.enforce import authz, awaited, direct, judged, reports, sink, wire
from troth.enforce.answers import Answers
from troth.enforce.awaited import Waiting
from troth.enforce.clients import Clients
from troth.enforce.keeper import Keeper, Means
from troth.enforce.snapshot import Current, Snapshot, Told
from troth.kernel.errors import Failure
from troth.roles import guard_keys, rules_cache, running, start, up, vantage_keys
from troth.roles.guard_standing import Standing
from troth.roles.learn import Watch
from troth.roles.places import Places
from troth.roles.policy import Programs, build
from troth.roles.recorder import Recorder

ACTIVE = 0  # the index that decides
LOOK_AT_CONFIG_S = 1.0
LOOK_AT_KEYS_S = 3600.0
SAVE_EVERY_S = 2.0
COUNT_EVERY_S = 60.0
QUICKEN_AFTER_S = 5.0  # after the start, which has enough to do
QUICKEN_LATER_S = 20.0  # the standby
LEARNT, SINK = "csp.json", "sink.json"  # in the spool

T = TypeVar("T")
_Kept = reports.Learnt | sink.Sink | Watch


def main(argv: Sequence[str]) -> int:
    """Run until SIGTERM."""
    return start.guarded(_main, argv)


def _main(argv: Sequence[str]) -> int:
    parser = start.arguments("guard")
    parser.add_argument("--index", type=int, choices=range(16), default=0)
    known = parser.parse_args(argv)
    _, places = start.given(known)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(known.config, places, known.index))
    return 0


async def _run(path: Path, places: Places, index: int) -> None:
    log, rng = Log(f"guard-{index}", clock.now), chance.system()

    refused = ""

    def told(name: str, fields: dict[str, object]) -> None:
        nonlocal refused
        if name == "snapshot.kept":
            refused = str(fields["because"])
        log.event(name, **fields)

    settings = up.read(path)
    keys = guard_keys.Keys(settings, places.spool / guard_keys.FILE, rng)
    programs = Programs(places.spool / rules_cache.FOLDER)

    def built() -> Snapshot:
        return build(path, keys.secrets(clock.now()), programs)

    current = Current(built(), told)
    recorder = Recorder(places, settings.guard, told)
    standing = Standing(settings, places, index, told, keys, _ids(rng, 128)())
    means = recorder.means(
        Means(
            now=clock.now,
            new_id=_ids(rng, 64),
            told=told,
            recognised=Clients(lambda: vantage_keys.public(places.keys)).recognised,
        )
    )
    keeper = Keeper(current, standing.means(means))
    waiting = Waiting(keeper, index=index, now=clock.now, new_id=_ids(rng, 128))
    learnt, drain = reports.Learnt(places.spool / LEARNT), sink.Sink(places.spool / SINK)
    kept: list[_Kept] = [learnt, drain]
    own = direct.Direct(current, learnt, drain, now=clock.now, new_id=_ids(rng, 128))
    asking = wire.Door(places.socket(f"guard-{index}"), authz.Authz(keeper, waiting).answer, told)
    doors = [
        asking,
        wire.Door(places.socket(f"guard-leaks-{index}"), Answers(keeper).answer, told),
        wire.Door(
            places.socket(f"guard-seen-{index}"), waiting.answer, told, limits=awaited.LIMITS
        ),
        wire.Door(
            places.socket(f"guard-uploads-{index}"),
            judged.Judged(keeper).answer,
            told,
            limits=judged.LIMITS,
        ),
    ]

    def tell(*, is_taken: bool) -> None:
        running.tell(
            places.spool / f"guard-{index}.json",
            config=current.snapshot.config,
            now=clock.now(),
            refused="" if is_taken else refused,
        )
        size = current.snapshot.max_body_bytes
        asking.limits = replace(asking.limits, body_bytes=size)

    async def renew() -> None:
        """Build beside the loop, for rules take seconds; swap in it."""
        made = await asyncio.to_thread(_attempt, built)
        is_taken = current.renew(lambda: _or_raise(made))
        await asyncio.to_thread(standing.reread, path, is_taken=is_taken)
        if is_taken:
            recorder.renew(up.read(path).guard)
        tell(is_taken=is_taken)
        quicken.set()

    tell(is_taken=True)
    if index == ACTIVE:
        doors.append(wire.Door(places.socket("guard-http"), own.answer, told, limits=direct.LIMITS))
        kept.append(recorder.watch)
        recorder.ban_events(standing.bans, means)
    stop, again, quicken = _listen()
    await standing.open()
    await asyncio.gather(*(door.open() for door in doors))
    log.event("guard.ready", config=current.snapshot.config)
    notify.ready()
    work = (
        standing.run(),
        _watch(path, again, renew),
        _quicken(quicken, programs, told, QUICKEN_AFTER_S + QUICKEN_LATER_S * index),
        _renew_keys(again, LOOK_AT_KEYS_S),
        _save(kept, told),
        _count((keeper.counts, own.counts), told, COUNT_EVERY_S),
    )
    await _until(stop, work, doors)
    _save_once(kept, told)
    await asyncio.to_thread(recorder.close)
    log.event("guard.stopped", **keeper.counts, **own.counts)


def _ids(rng: chance.Dice, bits: int) -> Callable[[], str]:
    """So many random bits in hex at each call."""
    return lambda: f"{rng.getrandbits(bits):0{bits // 4}x}"


def _set_aside() -> None:
    """Take what lasts (rules: tens of thousands of objects) out of the garbage collector's rounds.

    Each round over all of it would hold up the requests under way for tens of milliseconds. What
    the last snapshot left behind is collected first.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def _until(
    stop: asyncio.Event, work: Sequence[Coroutine[Any, Any, None]], doors: Sequence[wire.Door]
) -> None:
    """Work until it is time to stop, then let every door finish."""
    async with asyncio.TaskGroup() as group:
        lasting = [group.create_task(each) for each in work]
        await stop.wait()
        for task in lasting:
            task.cancel()
        for door in doors:
            group.create_task(door.close())


def _quickened(programs: Programs) -> tuple[str, dict[str, object]]:
    """What came of it, as an event."""
    try:
        return ("rules.quick" if programs.quicken() else "rules.slow"), {}
    except Failure as failure:
        return "rules.slow", {"because": failure.hint()}


async def _beside(work: Callable[[], T]) -> T:
    """What `work` gives, from a thread that nobody waits for when it is time to stop."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T) -> None:
        if not done.done():
            done.set_result(result)

    def run() -> None:
        result = work()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result)

    threading.Thread(target=run, daemon=True).start()
    return await done


async def _quicken(wanted: asyncio.Event, programs: Programs, told: Told, after_s: float) -> None:
    """Have Hyperscan's databases built whenever the rules are others; RE2 serves until then.

    The standby waits, so that it finds them built. Fails open to slowness, and that is told.
    """
    while True:
        if not programs.is_quick:
            await asyncio.sleep(after_s)
            told(*await _beside(lambda: _quickened(programs)))
        _set_aside()
        await wanted.wait()
        wanted.clear()


def _listen() -> tuple[asyncio.Event, asyncio.Event, asyncio.Event]:
    """What is set when it is time to stop, to read the settings again, to look at the rules."""
    loop, stop, again = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    loop.add_signal_handler(signal.SIGHUP, again.set)
    return stop, again, asyncio.Event()


def _attempt(make: Callable[[], Snapshot]) -> Snapshot | Failure | ValueError:
    """What was made, or why it was not."""
    try:
        return make()
    except (Failure, ValueError) as error:
        return error


def _or_raise(made: Snapshot | Failure | ValueError) -> Snapshot:
    if isinstance(made, Snapshot):
        return made
    raise made


async def _count(counts: Sequence[Counter[str]], told: Told, every_s: float) -> None:
    """Tell now and then how much there was of everything since the last time, if anything was."""
    before: Counter[str] = Counter()
    while True:
        await asyncio.sleep(every_s)
        now = sum(counts, Counter())
        if now != before:
            told("guard.counted", dict(now - before))
        before = now


async def _save(kept: Sequence[_Kept], told: Told) -> None:
    while True:
        await asyncio.sleep(SAVE_EVERY_S)
        _save_once(kept, told)


def _save_once(kept: Sequence[_Kept], told: Told) -> None:
    """Fails open: proposals for a policy are no reason to stop a guard."""
    try:
        for each in kept:
            each.save()
    except files.FileError as error:
        told("reports.unsaved", {"because": str(error)})


async def _renew_keys(again: asyncio.Event, every_s: float) -> None:
    """Build the snapshot anew now and then, so that a key that is due is made and taken up."""
    while True:
        await asyncio.sleep(every_s)
        again.set()


async def _watch(path: Path, again: asyncio.Event, renew: Callable[[], Awaitable[None]]) -> None:
    """Swap the snapshot when told to, or when the file is another one."""
    seen = _state(path)
    while True:
        try:
            await asyncio.wait_for(again.wait(), LOOK_AT_CONFIG_S)
        except TimeoutError:
            if _state(path) == seen:
                continue
        again.clear()
        seen = _state(path)
        await renew()


def _state(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return found.st_ino, found.st_size, found.st_mtime_ns


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
