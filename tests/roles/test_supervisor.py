"""The supervisor with real child processes: order, readiness, restart, clean stop."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from troth.roles.supervisor import Supervisor, SupervisorError, Unit

ROLE = """
import os, signal, socket, sys, pathlib
name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
with open(folder / "order", "a") as f: f.write(f"+{name}\\n")
def end(*_):
    with open(folder / "order", "a") as f: f.write(f"-{name}\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
door.sendto(b"READY=1\\n", os.environ["NOTIFY_SOCKET"])
while True: signal.pause()
"""


def unit(tmp_path: Path, name: str, *needs: str, body: str = ROLE) -> Unit:
    argv = (sys.executable, "-c", body, name, str(tmp_path))
    return Unit(name=name, argv=argv, needs=needs)


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


def supervisor(tmp_path: Path, told: list[tuple[str, str]], *units: Unit) -> Supervisor:
    return Supervisor(units, run=tmp_path, logs=tmp_path, told=lambda *event: told.append(event))


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def started(one: Supervisor, work) -> None:
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(one.keep())
        try:
            await one.ready()
            await work()
        finally:
            one.stop()


def test_starts_in_order_and_stops_in_reverse(tmp_path, told):
    one = supervisor(
        tmp_path, told, unit(tmp_path, "c", "b"), unit(tmp_path, "b", "a"), unit(tmp_path, "a")
    )

    async def nothing() -> None:
        return

    asyncio.run(started(one, nothing))

    assert (tmp_path / "order").read_text().split() == ["+a", "+b", "+c", "-c", "-b", "-a"]
    assert not list(tmp_path.glob("notify-*"))


def test_restarts_a_role_that_dies(tmp_path, told):
    one = supervisor(tmp_path, told, unit(tmp_path, "a"))

    async def kill_it() -> None:
        one.signal("a", signal.SIGKILL)
        await until(lambda: told.count(("a", "ready")) == 2)

    asyncio.run(started(one, kill_it))

    assert any(what.startswith("died") for _, what in told)


def test_a_wrong_setting_ends_everything_with_the_roles_own_words(tmp_path, told):
    bad = unit(tmp_path, "bad", "a", body="import sys; print('troth.toml:3: no'); sys.exit(2)")
    one = supervisor(tmp_path, told, unit(tmp_path, "a"), bad)

    with pytest.raises(SupervisorError, match=r"bad: troth\.toml:3: no"):
        asyncio.run(one.keep())

    pids = [line for line in (tmp_path / "order").read_text().split() if line == "-a"]
    assert pids == ["-a"]


def test_a_role_that_never_becomes_ready_is_given_up(tmp_path, told):
    crash = unit(tmp_path, "crash", body="raise SystemExit(7)")
    one = supervisor(tmp_path, told, crash)

    with pytest.raises(SupervisorError, match="code 7"):
        asyncio.run(one.keep())

    assert sum(name == "crash" for name, _ in told) == 3


def test_another_life_for_each_the_last_first(tmp_path, told):
    first = unit(tmp_path, "a")
    over = replace(unit(tmp_path, "b", "a"), handover="overlap")
    again = replace(unit(tmp_path, "c", "b"), handover="stop")
    one = supervisor(tmp_path, told, first, over, again)

    async def renew() -> None:
        await one.renew()

    asyncio.run(started(one, renew))

    order = (tmp_path / "order").read_text().split()
    assert order[:3] == ["+a", "+b", "+c"]
    # c ends, then begins; of b a second one is there before the first one ends, until it is back.
    assert order[3:9] == ["-c", "+c", "+b", "-b", "+b", "-b"]
    assert sorted(order[9:]) == ["-a", "-b", "-c"]
    assert [name for name, what in told if what == "renewed"] == ["c", "b"]
    assert not any(what.startswith("died") for _, what in told)


def test_a_second_one_that_fails_leaves_the_first(tmp_path, told):
    once = ROLE.replace(
        "door = socket", 'import os.path\nif os.path.exists(folder / "seen"): sys.exit(3)\n'
        '(folder / "seen").touch()\ndoor = socket'
    )  # fmt: skip
    unlucky = replace(unit(tmp_path, "a", body=once), handover="overlap")
    one = supervisor(tmp_path, told, replace(unlucky, ready_within=timedelta(seconds=1)))

    async def renew() -> None:
        with pytest.raises(SupervisorError, match="not ready"):
            await one.renew()

    asyncio.run(started(one, renew))

    assert [name for name, what in told if what == "renewed"] == []
    assert not any(what.startswith("died") for _, what in told)


def test_what_a_role_says_is_kept_whole(tmp_path, told):
    loud = ROLE.replace("door = socket", 'print("x" * 99_999, flush=True)\ndoor = socket', 1)
    one = supervisor(tmp_path, told, unit(tmp_path, "a", body=loud))

    async def nothing() -> None:
        return

    asyncio.run(started(one, nothing))

    assert (tmp_path / "a.log").read_text() == "x" * 99_999 + "\n"


def test_children_die_with_a_killed_supervisor(tmp_path):
    program = f"""
import asyncio, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_supervisor import ROLE
from troth.roles.supervisor import Supervisor, Unit
here = Path({str(tmp_path)!r})
u = Unit(name="a", argv=(sys.executable, "-c", ROLE, "a", str(here)))
one = Supervisor([u], run=here, logs=here, told=lambda *e: None)
async def main():
    async with asyncio.TaskGroup() as g:
        g.create_task(one.keep())
        await one.ready()
        print(one._children["a"].pid, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""

    async def play() -> int:
        parent = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
        )
        assert parent.stdout is not None
        child = int(await parent.stdout.readline())
        os.kill(child, 0)
        parent.kill()
        await parent.wait()
        return child

    child = asyncio.run(play())

    asyncio.run(until(lambda: not Path(f"/proc/{child}").exists()))
