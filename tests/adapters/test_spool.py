"""Records on their way: what survives, what is bounded, and that nobody waits."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from troth.adapters import spool
from troth.adapters.spool import Bounds, Spool


def made(number: int) -> Callable[[], bytes]:
    return lambda: json.dumps({"n": number}).encode()


def numbers(folder: Path) -> list[int]:
    return [
        json.loads(line)["n"]
        for path in spool.segments(folder)
        for line, _ in spool.lines(path)
    ]  # fmt: skip


def ignored(*_: object) -> None:
    return


def test_records_come_out_in_order_and_are_whole(tmp_path: Path):
    way = Spool(tmp_path / "events", ignored)

    assert all(way.put(made(number)) for number in range(500))
    way.close()

    assert numbers(tmp_path / "events") == list(range(500))
    assert (way.written, way.lost) == (500, 0)


def test_nothing_is_begun_before_there_is_a_record(tmp_path: Path):
    before = threading.active_count()

    way = Spool(tmp_path / "events", ignored)
    way.close()

    assert threading.active_count() == before
    assert not (tmp_path / "events").exists()


def test_a_full_queue_drops_and_counts_and_tells(tmp_path: Path):
    told: list[tuple[str, dict[str, object]]] = []
    gate = threading.Event()

    def slow() -> bytes:
        gate.wait(20)
        return b"{}"

    way = Spool(tmp_path / "e", lambda *event: told.append(event), Bounds(queued=3))
    way.put(slow)
    while way.queue:  # the writer holds it
        os.sched_yield()

    taken = [way.put(made(number)) for number in range(5)]
    gate.set()
    way.close()

    assert taken == [True, True, True, False, False]
    assert way.lost == 2
    ((name, fields),) = told
    assert (name, fields["records"], fields["spool"]) == ("spool.lost", 2, "e")
    assert not way.put(made(1))  # closed


def test_segments_rotate_and_the_oldest_make_room(tmp_path: Path):
    bounds = Bounds(segment_bytes=1000, total_bytes=5000)
    way = Spool(tmp_path, ignored, bounds)

    for number in range(40):
        way.put(lambda number=number: json.dumps({"n": number, "x": "." * 480}).encode())
        while way.queue:
            os.sched_yield()
    way.close()

    found = numbers(tmp_path)
    assert found == list(range(found[0], 40))
    assert found[0] > 20
    assert sum(path.stat().st_size for path in spool.segments(tmp_path)) <= 5000


def test_what_is_too_old_goes(tmp_path: Path):
    old = tmp_path / f"{1:013d}-1-1.jsonl"
    old.write_bytes(b'{"n":1}\n')
    way = Spool(tmp_path, ignored, Bounds(keep=timedelta(days=7)))

    way.put(made(2))
    way.close()

    assert numbers(tmp_path) == [2]


def test_a_record_that_breaks_or_is_too_long_is_counted_and_the_others_go_on(tmp_path: Path):
    told = []
    way = Spool(tmp_path, lambda *event: told.append(event))

    way.put(lambda: b"%d" % (1 // 0))
    way.put(lambda: b"x" * (spool.MAX_RECORD_BYTES + 1))
    way.put(lambda: b"a\nb")
    way.put(made(1))
    way.close()

    assert numbers(tmp_path) == [1]
    assert way.lost == 3
    assert told[0][0] == "spool.failed"


def test_files_have_the_mode_they_were_given(tmp_path: Path):
    way = Spool(tmp_path, ignored, Bounds(mode=0o600))
    way.put(made(1))
    way.close()

    (path,) = spool.segments(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600


KILLED = """
import os, signal, sys, time
from pathlib import Path
from troth.adapters import spool
way = spool.Spool(Path(sys.argv[1]), lambda *_: None)
for number in range(200):
    way.put(lambda number=number: b'{"n":%d}' % number)
while way.written < 200:
    time.sleep(0.005)
(path,) = spool.segments(Path(sys.argv[1]))
fd = os.open(path, os.O_WRONLY | os.O_APPEND)
os.write(fd, b'{"n":')
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_written_survives_a_kill_and_a_torn_tail_is_cut(tmp_path: Path):
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert numbers(tmp_path) == list(range(200))
    told = []

    way = Spool(tmp_path, lambda *event: told.append(event))
    way.put(made(200))
    way.close()

    assert told == [("spool.recovered", {"spool": tmp_path.name, "cut_bytes": 5})]
    assert numbers(tmp_path) == list(range(201))


FULL = """
import resource, sys, time
from pathlib import Path
from troth.adapters import spool
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
told = []
way = spool.Spool(Path(sys.argv[1]), lambda *event: told.append(event))
for number in range(50):
    way.put(lambda number=number: b'{"n":%d,"x":"%s"}' % (number, b"." * 90))
    while way.queue:
        time.sleep(0.002)
way.close()
print(way.written, way.lost, told)
"""


def test_a_full_disk_loses_records_and_says_so_and_leaves_no_half_line(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", FULL, tmp_path],
        timeout=60, check=True, capture_output=True, text=True,
    )  # fmt: skip

    written, lost = map(int, done.stdout.split()[:2])
    assert written + lost == 50
    assert lost > 0
    assert "spool.lost" in done.stdout
    found = numbers(tmp_path)
    assert found == list(range(written))
    assert all(path.read_bytes().endswith(b"\n") for path in spool.segments(tmp_path))


def test_reading_goes_on_where_it_stopped(tmp_path: Path):
    path = tmp_path / "1-1-1.jsonl"
    path.write_bytes(b"a\nb\nc")

    first = list(spool.lines(path))
    path.write_bytes(b"a\nb\ncd\n")

    assert first == [(b"a", 2), (b"b", 4)]
    assert list(spool.lines(path, 4)) == [(b"cd", 7)]
    assert list(spool.lines(tmp_path / "gone")) == []
