"""The guard's process with rules: attacked, explained, excluded; killed, full, out of memory."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
from click.testing import CliRunner

from troth.adapters import spool
from troth.cli.program import group
from troth.roles import rules_load
from troth.roles.places import Places

WITHIN_S = 60
TOML = """
[troth]
name = "Demo"
host = "troth.demo.localhost"
[application]
host = "demo.localhost"
upstream = "http://127.0.0.1:1"
[status]
host = "status.demo.localhost"
[guard]
fail_open_paths = ["/open/"]
"""
ATTACK = (
    b"GET /search?q=%3B+cat+%2Fetc%2Fpasswd&token=hunter2 HTTP/1.1\r\nHost: demo.localhost\r\n"
    b"User-Agent: Mozilla/5.0\r\nX-Troth-Client: 192.0.2.1\r\nConnection: close\r\n\r\n"
)
GUARD = """
import resource, sys
from troth.roles import guard
limit = int(sys.argv[3])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.exit(guard.main(["--config", sys.argv[1], "--data", sys.argv[2]]))
"""


class Guarded:
    """One guard and its data directory."""

    def __init__(self, folder: Path) -> None:
        self.places = Places(folder)
        self.places.prepare()
        self.config = folder / "troth.toml"
        self.config.write_text(TOML)
        self.child: subprocess.Popen[bytes] | None = None
        self.said: list[bytes] = []

    def start(self, file_limit: int = 0) -> None:
        """Start it; it may not write files longer than the limit."""
        self.child = subprocess.Popen(
            [sys.executable, "-c", GUARD, self.config, self.places.data, str(file_limit)],
            stdout=subprocess.PIPE,
        )  # fmt: skip
        threading.Thread(target=self._listen, args=(self.child.stdout,), daemon=True).start()
        until(lambda: self.log("guard.ready"))

    def _listen(self, output: IO[bytes]) -> None:
        with output:
            self.said.extend(output)

    def ask(self, raw: bytes) -> tuple[int, dict[str, str], str]:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(WITHIN_S)
            line.connect(str(self.places.socket("guard-0")))
            line.sendall(raw)
            answer = b""
            while part := line.recv(65536):
                answer += part
        head, _, body = answer.decode().partition("\r\n\r\n")
        headers = dict(re.findall(r"^([\w-]+): (.*)$", head, re.MULTILINE))
        return int(head.split()[1]), {k: v.strip() for k, v in headers.items()}, body

    def troth(self, *words: str, code: int = 0) -> str:
        """What a command prints."""
        done = CliRunner().invoke(
            group, [*words, "--config", str(self.config), "--data", str(self.places.data)],
            standalone_mode=False,
        )  # fmt: skip
        assert done.exception is None, done.exception
        assert done.return_value == code
        return done.output

    def log(self, name: str) -> list[dict]:
        return [line for line in map(json.loads, list(self.said)) if line["event"] == name]


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def guarded() -> Iterator[Guarded]:
    with tempfile.TemporaryDirectory(prefix="troth-") as place:
        made = Guarded(Path(place))
        yield made
        if made.child is not None and made.child.poll() is None:
            made.child.terminate()
            made.child.wait(WITHIN_S)


def stored(guarded: Guarded, folder: str) -> list[dict]:
    return [
        json.loads(line)
        for path in spool.segments(guarded.places.spool / folder)
        for line, _ in spool.lines(path)
    ]


def test_an_attack_is_refused_explained_and_excluded(guarded: Guarded):
    guarded.start()

    status, headers, page = guarded.ask(ATTACK)

    event = headers["troth-event"]
    assert (status, headers["troth-refused"]) == (403, "waf-owasp-top10")
    assert event in page
    until(lambda: any(each["id"] == event for each in stored(guarded, "requests")))
    until(lambda: stored(guarded, "events"))
    assert stored(guarded, "events")[0]["metadata"]["uid"] == event
    assert guarded.log("guard.refused")[0]["id"] == event
    assert event in guarded.troth("events")

    said = guarded.troth("rules", "explain", event)
    assert "; cat /etc/passwd" in said
    assert "ARGS:q" in said
    assert "hunter2" not in said

    written = guarded.troth("rules", "exclude", event, "--yes")
    assert "no longer looks at ARGS:q on /search" in written
    until(lambda: guarded.log("snapshot.swapped"))  # who asks on and on is banned
    assert guarded.ask(ATTACK)[0] == 200
    assert guarded.ask(ATTACK.replace(b"?q=", b"?p="))[0] == 403
    assert guarded.ask(ATTACK.replace(b"/search", b"/other"))[0] == 403
    assert "let it pass" in guarded.troth("rules", "explain", event)
    everything = b"".join(p.read_bytes() for p in guarded.places.data.rglob("*") if p.is_file())
    assert b"hunter2" not in everything

    # A set that does not parse is refused whole, the old one stays.
    bad = guarded.places.data / "bad"
    bad.mkdir()
    (bad / "crs-setup.conf").write_text("")
    (bad / "a.conf").write_text('SecRule ARGS "@nosuch x" "id:1,phase:2,deny"\n')
    digest = rules_load.digest_of(bad)
    beside = guarded.config.with_suffix(".new")
    beside.write_text(f'{TOML}\n[guard.rules]\nset = "{bad}"\nsha256 = "{digest}"\n')
    beside.rename(guarded.config)
    until(lambda: guarded.log("snapshot.kept"))
    assert "a.conf:1" in guarded.log("snapshot.kept")[0]["because"]
    assert guarded.ask(ATTACK)[0] == 200
    assert guarded.ask(ATTACK.replace(b"/search", b"/other"))[0] == 403

    # What was decided before a kill is there after it.
    guarded.child.send_signal(signal.SIGKILL)
    guarded.child.wait(WITHIN_S)
    guarded.config.write_text(TOML)
    assert event in guarded.troth("events")
    assert "cat /etc/passwd" in guarded.troth("rules", "explain", event)


def test_a_full_disk_loses_events_and_no_decision(guarded: Guarded):
    guarded.start(file_limit=8192)

    answers = [guarded.ask(ATTACK)[0] for _ in range(40)]

    assert answers == [403] * 40
    until(lambda: guarded.log("spool.lost"))
    harmless = ATTACK.replace(b"%3B+cat+%2Fetc%2Fpasswd", b"cats").replace(b"2.1\r", b"2.2\r")
    assert guarded.ask(harmless)[0] == 200
    found = stored(guarded, "events")
    assert 0 < len(found) < 40


OUT_OF_MEMORY = """
import os, resource, sys
from troth.kernel.request import FINE, Request
from troth.roles.within import Guard

guard = Guard(sys.argv[1], sys.argv[2])
def hungry(request, known):
    return FINE if b"small" in request.target else bytes(1 << 33) and FINE
from dataclasses import replace
guard.current.snapshot = replace(guard.current.snapshot, checks=(hungry,))
size = int(open("/proc/self/statm").read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (size + (1 << 28), size + (1 << 28)))

def ask(target):
    request = Request(method=b"GET", target=target, host=b"demo.localhost", headers=())
    ruling = guard.judge(request)
    return ruling.refused.status if ruling.refused else 200

print([ask(b"/large"), ask(b"/small"), ask(b"/open/large"), ask(b"/small")])
guard.recorder.close()
"""


def test_out_of_memory_refuses_one_request_and_goes_on(guarded: Guarded):
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_MEMORY, guarded.config, guarded.places.data],
        capture_output=True, text=True, timeout=WITHIN_S, check=False,
        env={**os.environ, "MALLOC_ARENA_MAX": "1"},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[503, 200, 200, 200]"
    assert "MemoryError" in done.stderr
    assert "guard.passed-unchecked" in done.stderr
