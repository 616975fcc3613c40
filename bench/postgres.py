"""How long the embedded PostgreSQL takes to be there: made, started, restarted, recovered.

Run: .venv/bin/python bench/postgres.py [ROUNDS]. Prints the median and the worst of each, in
seconds, with the conditions. The goals: fresh in 3 s, again in 1 s.
"""

import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

from troth.adapters.process import Child
from troth.engines.postgres.binaries import find, readable, unprivileged
from troth.engines.postgres.cluster import Cluster

SOON = timedelta(seconds=30)


def memory_mb(postmaster: int) -> float:
    """Proportional memory of the server and its children."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    total = 0
    for pid in (str(postmaster), *children):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def one_round(place: Path, spans: dict[str, list[float]]) -> None:
    identity = unprivileged()
    cluster = Cluster(
        directory=place / "data",
        binaries=readable(find(), identity, place / "programs"),
        socket_directory=place / "run",
        name="bench",
        identity=identity,
    )
    log = os.open(place / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def up() -> Child:
        child = cluster.start(log)
        cluster.wait_ready(child, log)
        return child

    def measured(name: str, began: float) -> None:
        spans[name].append(time.monotonic() - began)

    began = time.monotonic()
    cluster.create()
    child = up()
    measured("fresh: create and start", began)
    spans["memory when idle, MB"].append(memory_mb(child.pid))
    began = time.monotonic()
    cluster.stop(child)
    measured("stop", began)
    began = time.monotonic()
    child = up()
    measured("start again", began)
    child.send(signal.SIGKILL)
    child.wait(SOON)
    began = time.monotonic()
    child = up()
    measured("start after kill -9", began)
    cluster.stop(child)
    os.close(log)


def main(rounds: int) -> None:
    spans: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        place = Path(tempfile.mkdtemp(prefix="troth-bench-"))
        place.chmod(0o755)
        try:
            one_round(place, spans)
        finally:
            shutil.rmtree(place)
    load = os.getloadavg()[0]
    print(f"{rounds} rounds, {os.cpu_count()} cores, load {load:.1f}, in {tempfile.gettempdir()}")
    for name, values in spans.items():
        print(f"{name:26} median {statistics.median(values):7.3f}  worst {max(values):7.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
