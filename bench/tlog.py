"""The log's speed: durable leaves a second, and how long a stranger takes to check a large log.

    python bench/tlog.py [LEAVES] [BATCH]        1,000,000 leaves, 2,048 in a group commit

A leaf is a signed DSSE statement of about 1 KB, prepared beforehand (a tenth as many, ten times):
the log never signs leaves.
Aims: 50,000 durable leaves/s; a million leaves hashed again and parsed by verify.py in 20 s.
"""

import hashlib
import importlib.util
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from troth.engines.tlog.log import Log
from troth.engines.tlog.note import NoteSigner

HOUSE = Path(__file__).parent.parent


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def conditions(place: Path) -> None:
    argv = ["df", "--output=fstype", place]
    where = subprocess.run(argv, capture_output=True, text=True, check=True)
    start = time.perf_counter()
    fd = os.open(place / "probe", os.O_WRONLY | os.O_CREAT)
    for _ in range(50):
        os.write(fd, b"x" * 4096)
        os.fsync(fd)
    os.close(fd)
    fsync_ms = (time.perf_counter() - start) * 1000 / 50
    start = time.perf_counter()
    for _ in range(20):
        hashlib.sha256(bytes(1 << 20)).digest()
    sha_mb = 20 / (time.perf_counter() - start)
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(
        f"{where.stdout.split()[-1]}, fsync of 4 KiB {fsync_ms:.2f} ms, SHA-256 {sha_mb:.0f} MiB/s"
    )


def append(place: Path, published, made, batch: int) -> None:
    """Fill the log; nothing but `Log.append` is timed."""
    key = NoteSigner.from_private(published.ORIGIN, published.key("ledger"))
    log = Log.open(place / "log", key, now=published.NOW - timedelta(days=1))
    size = sum(map(len, made.leaves)) / len(made.leaves)
    spans = []
    for start in range(0, len(made.leaves), batch):
        leaves = made.leaves[start : start + batch]
        began = time.perf_counter()
        log.append(leaves, published.NOW)
        spans.append(time.perf_counter() - began)
    log.close()
    rate = len(made.leaves) / sum(spans)
    spans.sort()
    print(
        f"append: {rate:,.0f} durable leaves/s ({len(made.leaves):,} leaves of {size:.0f} bytes,"
        f" group commits of {batch:,}: median {spans[len(spans) // 2] * 1000:.1f} ms,"
        f" 99 % {spans[len(spans) * 99 // 100] * 1000:.1f} ms, longest {spans[-1] * 1000:.0f} ms)"
    )
    began = time.perf_counter()
    Log.open(place / "log", key, now=published.NOW).close()
    took = time.perf_counter() - began
    print(f"open again, every published byte checked: {took:.1f} s")


def main(count: int = 1_000_000, batch: int = 2048) -> int:
    published = load(HOUSE / "tests/publish/static/published.py")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        conditions(place)
        began = time.perf_counter()
        made = published.installation(filler=count // 10, again=9)
        print(f"prepared (signed, one process): {time.perf_counter() - began:.0f} s")
        append(place, published, made, batch)
        root = (place / "log/checkpoint").read_text("utf-8").split("\n")[2]
        root = published.base64.b64decode(root).hex()
        last = published.Installation(
            leaves=made.leaves, evidence=made.evidence[-400:], attested=made.attested
        )
        published.write_pages(place, published.document(last, root))
        rounds = b",".join(made.ring)
        (place / "api/v1/looks").write_bytes(b'{"generated":null,"rounds":[' + rounds + b"]}")
        del made, last
        program = [sys.executable, HOUSE / "src/troth/publish/static/verify.py", place]
        began = time.perf_counter()
        before = os.times()
        done = subprocess.run(program, capture_output=True, text=True, check=False)
        took, after = time.perf_counter() - began, os.times()
        cpu = after.children_user + after.children_system
        cpu -= before.children_user + before.children_system
        print(f"verify.py: {took:.1f} s ({cpu:.1f} s of one core), exit code {done.returncode}")
        print(done.stdout)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
