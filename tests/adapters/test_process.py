"""Real child processes: bounds, privileges, and dying with the parent."""

import asyncio
import os
import select
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from troth.adapters import process
from troth.adapters.process import Identity, ProcessError

TEN_S = timedelta(seconds=10)
PYTHON = sys.executable


def test_output_code_and_input_come_back():
    finished = process.run(
        ["sh", "-c", "cat; echo oops >&2; exit 3"], timeout=TEN_S, stdin=b"hello\n", ok=(3,)
    )

    assert (finished.code, finished.out, finished.err) == (3, b"hello\n", b"oops\n")
    assert finished.text == "hello"


def test_input_larger_than_a_pipe_passes_whole():
    sent = os.urandom(300_000)

    assert process.run(["cat"], timeout=TEN_S, stdin=sent).out == sent


def test_a_reader_that_stops_early_is_no_error():
    assert process.run(["true"], timeout=TEN_S, stdin=b"x" * 300_000).code == 0


def test_an_unexpected_code_raises_with_the_last_words():
    with pytest.raises(ProcessError, match="ended with code 4: no luck"):
        process.run(["sh", "-c", "echo no luck >&2; exit 4"], timeout=TEN_S)


def test_any_code_is_an_answer_when_asked_for():
    assert process.run(["sh", "-c", "kill -9 $$"], timeout=TEN_S, ok=None).code == -9


def test_a_missing_program_is_named():
    with pytest.raises(ProcessError) as caught:
        process.run(["no-such-program-anywhere"], timeout=TEN_S)

    assert caught.value.where == "no-such-program-anywhere"


def test_a_file_that_is_no_program_is_refused(tmp_path: Path):
    (tmp_path / "text").write_text("not a program")

    with pytest.raises(ProcessError, match="could not be started"):
        process.run([tmp_path / "text"], timeout=TEN_S)


def test_no_shell_reads_the_arguments():
    assert process.run(["printf", "%s", "$(id);*"], timeout=TEN_S).out == b"$(id);*"


def test_time_out_kills_the_whole_group(tmp_path: Path):
    fifo = tmp_path / "held"
    os.mkfifo(fifo)
    held = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)

    with pytest.raises(ProcessError, match="not finished after"):
        process.run(
            ["sh", "-c", f"exec 3>{fifo}; sleep 600 & wait"], timeout=timedelta(milliseconds=300)
        )
    # Every writer is dead when the pipe ends: the `sleep` too.
    assert _ends(held)


def test_too_much_output_is_cut_off():
    with pytest.raises(ProcessError, match="more than 1000 bytes"):
        process.run(["yes"], timeout=TEN_S, cap_bytes=1000)


def test_the_environment_is_a_whitelist(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("A_SECRET", "hunter2")

    seen = process.run(["env"], timeout=TEN_S, env={"GIVEN": "yes"}).text

    assert "hunter2" not in seen
    assert "GIVEN=yes" in seen.splitlines()
    assert "PATH=" in seen


def test_no_descriptor_leaks():
    inside, outside = os.pipe()
    os.set_inheritable(inside, True)
    try:
        seen = process.run(["ls", "/proc/self/fd"], timeout=TEN_S).text.split()
    finally:
        os.close(inside)
        os.close(outside)

    assert str(inside) not in seen


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_drops_user_group_and_groups():
    seen = process.run(["id"], timeout=TEN_S, identity=Identity(65534, 65534)).text

    assert seen.startswith("uid=65534")
    assert "groups=65534" in seen
    assert "(root)" not in seen


@pytest.mark.skipif(os.geteuid() == 0, reason="root may become anybody")
def test_who_is_not_root_cannot_become_another():
    with pytest.raises(ProcessError, match="cannot become user 1"):
        process.run(["true"], timeout=TEN_S, identity=Identity(1, 1))


def test_a_child_is_watched_and_stopped(tmp_path: Path):
    with (tmp_path / "log").open("wb") as log:
        child = process.start(["sh", "-c", "echo up; exec sleep 600"], output=log.fileno())

    assert child.code() is None
    assert os.getsid(child.pid) == child.pid
    assert child.stop() == -signal.SIGTERM
    assert child.code() == -signal.SIGTERM
    assert child.stop() == -signal.SIGTERM  # once more is harmless


def test_who_ignores_the_signal_is_killed_with_its_group(tmp_path: Path):
    script = "trap '' TERM; echo ready; while :; do sleep 600; done"
    inside, outside = os.pipe()
    child = process.start(["sh", "-c", script], output=outside)
    os.close(outside)
    assert os.read(inside, 10) == b"ready\n"

    assert child.stop(grace=timedelta(milliseconds=100)) == -signal.SIGKILL
    # Every holder of the other end is dead when the pipe ends: the `sleep` too.
    assert _ends(inside)


def test_waiting_has_an_end():
    child = process.start(["sleep", "600"], output=2)

    with pytest.raises(ProcessError, match="still runs"):
        child.wait(timedelta(milliseconds=50))
    child.stop(signal.SIGKILL)


def test_an_event_loop_can_wait_for_it():
    child = process.start(["sh", "-c", "exit 5"], output=2)

    assert asyncio.run(child.exited()) == 5
    assert asyncio.run(child.exited()) == 5
    assert child.fileno() == -1


@pytest.mark.parametrize(
    "identity",
    [
        None,
        pytest.param(
            "Identity(65534, 65534)",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can drop privileges"),
        ),
    ],
)
def test_children_die_with_their_killed_parent(identity: str | None):
    inside, outside = os.pipe()
    source = (
        "import signal; from troth.adapters import process; from troth.adapters.process import *;"
        f"process.start(['sh', '-c', 'echo up; exec sleep 600'], output={outside},"
        f"identity={identity}); signal.pause()"
    )
    parent = process.start([PYTHON, "-c", source], output=2, pass_fds=(outside,))
    os.close(outside)
    assert os.read(inside, 10) == b"up\n"
    parent.stop(signal.SIGKILL)

    assert _ends(inside)


def _ends(descriptor: int) -> bool:
    """Whether the pipe reaches its end within ten seconds."""
    try:
        ready, _, _ = select.select([descriptor], [], [], 10)
        return bool(ready) and os.read(descriptor, 1) == b""
    finally:
        os.close(descriptor)
