"""Starts the roles in order, waits until each is ready, restarts what dies, stops all cleanly.

In production systemd does this with the units that `troth install` writes; the roles are the same.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from troth.adapters import clock, notify, process
from troth.kernel.errors import Failure
from troth.roles.outlet import Outlet

CONFIGURATION_ERROR = 2  # the exit code of a role whose settings are wrong: starting again is vain
KNOCK_S = 0.05
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
STEADY_S = 30.0  # a role that ran this long starts over with the first pause
VAIN_STARTS = 3  # that a role may die before it was ever ready, until we give up
TOLD_LINES = 5
RENEW = signal.SIGUSR2  # asks a role whose handover is `signal` for its next life


Handover = Literal["never", "stop", "overlap", "signal"]


class SupervisorError(Failure):
    """A role that could not be brought up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One process to keep running.

    Args:
        name: the role, also its log's name.
        argv: what is started.
        needs: units that must be ready before.
        env: added to the whitelisted environment.
        cwd: where it runs.
        identity: the user it runs as; the supervisor's own when None.
        listens_on: for a program that never says READY: the unix socket on which it answers.
        handover: how another life of it begins. `never`: not by `renew`. `stop`: it ends, then
            starts. `overlap`: a second one has taken over its door before. `signal`: it renews
            itself on SIGUSR2.
        ready_within: after this without READY it is killed and started again.
        stop_signal: how it is asked to end.
    """

    name: str
    argv: tuple[str, ...]
    needs: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    identity: process.Identity | None = None
    listens_on: Path | None = None
    handover: Handover = "never"
    ready_within: timedelta = timedelta(seconds=60)
    stop_signal: signal.Signals = signal.SIGTERM


Told = Callable[[str, str], None]  # role, what happened to it: "ready", "died: ...", "stopped"


class Supervisor:
    """Keeps a set of units running until it is told to stop.

    Args:
        units: in any order; `needs` decides.
        run: directory of the notification sockets.
        logs: directory of the roles' output, `<name>.log`, appended to.
        told: called in the event loop with each event of a role.
    """

    def __init__(self, units: Sequence[Unit], *, run: Path, logs: Path, told: Told) -> None:
        self._units = tuple(units)
        self._run = run
        self._logs = logs
        self._told = told
        self._ready = {unit.name: asyncio.Event() for unit in units}
        self._gone = {unit.name: asyncio.Event() for unit in units}
        self._said = {unit.name: asyncio.Event() for unit in units}  # READY, since it was cleared
        self._again = {unit.name: asyncio.Event() for unit in units}
        self._stop = asyncio.Event()
        self._children: dict[str, process.Child] = {}

    def stop(self) -> None:
        """Ask for a clean stop; `keep` returns when all have ended."""
        self._stop.set()

    async def ready(self) -> None:
        """Wait until every unit has been ready at least once."""
        for event in self._ready.values():
            await event.wait()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a running role (SIGHUP: read the settings again)."""
        if child := self._children.get(name):
            child.send(number)

    async def renew(self) -> None:
        """Another life for each unit, one at a time, the last first: new code, no gap in service.

        Raises SupervisorError at the first that is not ready again in its time; the rest stay as
        they were.
        """
        for unit in reversed(self._units):
            match unit.handover:
                case "never":
                    continue
                case "overlap":
                    await self._overlap(unit)
                case "signal":
                    await self._live_again(unit, partial(self.signal, unit.name, RENEW))
                case "stop":
                    await self._live_again(unit, self._again[unit.name].set)
            self._told(unit.name, "renewed")

    async def _overlap(self, unit: Unit) -> None:
        """A second one takes over its door; then it has another life and takes the door back."""
        path = self._run / f"notify-{unit.name}~.sock"
        is_ready = asyncio.Event()

        def heard(message: dict[str, str]) -> None:
            if message.get("READY") == "1":
                is_ready.set()

        ear = await notify.listen(path, heard)
        outlet = Outlet(self._logs / f"{unit.name}~.log")
        spare = self._start(unit, path, outlet)
        try:
            await asyncio.wait_for(is_ready.wait(), unit.ready_within.total_seconds())
            await self._live_again(unit, self._again[unit.name].set)
        except TimeoutError as error:
            raise SupervisorError("the new one is not ready", where=unit.name) from error
        finally:
            await _end(spare, unit.stop_signal)
            outlet.close()
            ear.close()
            path.unlink(missing_ok=True)

    async def _live_again(self, unit: Unit, begin: Callable[[], None]) -> None:
        """Begin another life and wait until it says READY."""
        said = self._said[unit.name]
        said.clear()
        begin()
        try:
            await asyncio.wait_for(said.wait(), unit.ready_within.total_seconds())
        except TimeoutError as error:
            raise SupervisorError("not ready again in its time", where=unit.name) from error

    async def keep(self) -> None:
        """Run all until `stop`. Raises SupervisorError when a role cannot be brought up."""
        try:
            async with asyncio.TaskGroup() as group:
                for unit in self._units:
                    group.create_task(self._keep_one(unit), name=unit.name)
        except* Failure as several:
            raise several.exceptions[0] from None

    async def _keep_one(self, unit: Unit) -> None:
        vain, pause = 0, FIRST_PAUSE_S
        try:
            for need in unit.needs:
                await self._unless_stopped(self._ready[need].wait())
            while not self._stop.is_set():
                began = clock.monotonic_s()
                code, was_ready = await self._one_life(unit)
                if self._stop.is_set():
                    return
                if self._again[unit.name].is_set():
                    self._again[unit.name].clear()
                    continue
                self._told(unit.name, f"died: {self._last_words(unit, code)}")
                vain = 0 if was_ready or self._ready[unit.name].is_set() else vain + 1
                if vain and (code == CONFIGURATION_ERROR or vain >= VAIN_STARTS):
                    raise SupervisorError(self._last_words(unit, code), where=unit.name)
                ran_long = clock.monotonic_s() - began > STEADY_S
                pause = FIRST_PAUSE_S if ran_long else min(pause * 2, LONGEST_PAUSE_S)
                await self._unless_stopped(asyncio.sleep(pause))
        finally:
            self._gone[unit.name].set()

    async def _one_life(self, unit: Unit) -> tuple[int, bool]:
        """Start it, wait for its end; the exit code and whether it said READY."""
        is_ready = asyncio.Event()

        def heard(message: dict[str, str]) -> None:
            if message.get("READY") == "1":
                self._said[unit.name].set()
            if message.get("READY") == "1" and not is_ready.is_set():
                is_ready.set()
                self._ready[unit.name].set()
                self._told(unit.name, "ready")

        path = self._run / f"notify-{unit.name}.sock"
        ear = await notify.listen(path, heard)
        outlet = Outlet(self._logs / f"{unit.name}.log")
        try:
            child = self._start(unit, path, outlet)
        except Failure:
            outlet.close()
            raise
        self._children[unit.name] = child
        try:
            return await self._watch(unit, child, is_ready, heard), is_ready.is_set()
        finally:
            if child.code() is None:
                child.stop(unit.stop_signal)
            del self._children[unit.name]
            outlet.close()
            ear.close()
            path.unlink(missing_ok=True)

    async def _watch(
        self,
        unit: Unit,
        child: process.Child,
        is_ready: asyncio.Event,
        heard: Callable[[dict[str, str]], None],
    ) -> int:
        async with asyncio.TaskGroup() as group:
            knocking = group.create_task(_knock(unit.listens_on, heard))
            ended = group.create_task(child.exited())
            stopping = group.create_task(self._stop_in_turn(unit))
            late = group.create_task(self._too_late(unit, is_ready))
            again = group.create_task(self._once_more(unit))
            done, rest = await asyncio.wait(
                (ended, stopping, late, again), return_when=asyncio.FIRST_COMPLETED
            )
            if ended not in done:
                child.send(unit.stop_signal)
                grace = asyncio.get_running_loop().call_later(
                    process.GRACE.total_seconds(), child.send, signal.SIGKILL
                )
                await ended
                grace.cancel()
            for task in (*(rest - {ended}), knocking):
                task.cancel()
        return ended.result()

    async def _stop_in_turn(self, unit: Unit) -> None:
        """After a stop was asked: first those that need this one, then this one."""
        await self._stop.wait()
        for other in self._units:
            if unit.name in other.needs:
                await self._gone[other.name].wait()

    async def _once_more(self, unit: Unit) -> None:
        """After another life was asked for."""
        await self._again[unit.name].wait()

    async def _too_late(self, unit: Unit, is_ready: asyncio.Event) -> None:
        """Return when it did not become ready in its time; otherwise never."""
        try:
            await asyncio.wait_for(is_ready.wait(), unit.ready_within.total_seconds())
        except TimeoutError:
            self._told(unit.name, f"not ready after {unit.ready_within}")
            return
        await asyncio.Event().wait()

    async def _unless_stopped(self, waiting: Coroutine[object, object, object]) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = (group.create_task(waiting), group.create_task(self._stop.wait()))
            _, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()

    def _start(self, unit: Unit, path: Path, outlet: Outlet) -> process.Child:
        try:
            return process.start(
                unit.argv,
                output=outlet.descriptor,
                env={**unit.env, "NOTIFY_SOCKET": str(path)},
                cwd=unit.cwd,
                identity=unit.identity,
            )
        finally:
            outlet.hand_over()

    def _last_words(self, unit: Unit, code: int) -> str:
        log = self._logs / f"{unit.name}.log"
        lines = log.read_text("utf-8", "replace")[-4000:].strip().splitlines()[-TOLD_LINES:]
        said = lines[-1] if code == CONFIGURATION_ERROR and lines else " / ".join(lines)
        ending = f"signal {-code}" if code < 0 else f"code {code}"
        return f"{said or 'it said nothing'} [{ending}; {log}]"


async def _knock(door: Path | None, heard: Callable[[dict[str, str]], None]) -> None:
    """Hear READY for a program that does not say it: when its socket takes a connection."""
    while door is not None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_unix_connection(door)
            writer.close()
            heard({"READY": "1"})
            return
        await asyncio.sleep(KNOCK_S)  # nobody tells when another program begins to listen


async def _end(child: process.Child, number: signal.Signals) -> None:
    """Ask it to end, kill it after the grace, return when it is gone."""
    child.send(number)
    loop = asyncio.get_running_loop()
    grace = loop.call_later(process.GRACE.total_seconds(), child.send, signal.SIGKILL)
    try:
        await child.exited()
    finally:
        grace.cancel()
