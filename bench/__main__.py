"""Every measurement in order: `make bench`, or `make bench ONLY=edge,guard`.

Each says its own conditions; at the end stand the lines that matter, together. A bench fails when
it could not measure or found a wrong answer, never for slowness: this is no test. Each has a time
after which its whole process group is ended.
"""

import argparse
import os
import platform
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import demo

HERE = Path(__file__).parent
FAILED = ("failed", "too long")


@dataclass(frozen=True, slots=True)
class Bench:
    """One measurement.

    Args:
        name: of its file here, or of its folder with a `run.py`.
        options: what it is run with.
        limit_s: its time.
        telling: which of its lines belong into the table.
        on_demo: it is given the ready file of a demo that was looked at once.
    """

    name: str
    options: tuple[str, ...]
    limit_s: float
    telling: str
    on_demo: bool = False

    @property
    def program(self) -> Path:
        folder = HERE / self.name
        return folder / "run.py" if folder.is_dir() else folder.with_suffix(".py")


BENCHES = (
    Bench("demo", ("--idle", "60"), 900, r"ready after|first round|states:|verify |^    all "),
    Bench("edge", (), 180, r"ratio to|skipped"),
    Bench("guard", (), 120, r"^guard, |^door alone"),
    Bench("agreement", (), 1800, r"^agreement"),
    Bench("values", (), 180, r"^    (?:64 KB|128 KB|1 MB)"),
    Bench("seclang", (), 600, r"^-- |^    (harmless|attacks), |^(64|128) KB|decided|skipped"),
    Bench("waf_edge", (), 420, r", (modsecurity|ours, )|skipped"),
    Bench("waf_rules", (), 900, r"all (attacks|harmless)|^text|^CRS 4|^booking|absent"),
    Bench("limits", (), 240, r"^in process|^counters of|^four|^ban |skipped"),
    Bench("tlog", (), 900, r"^append:|^verify\.py:|again"),
    Bench("tamper", (), 1200, r"changes detected|NOT DETECTED"),
    Bench("postgres", (), 300, r"median"),
    Bench("graders", (), 900, r"^[a-z.]+:\d+ |faults|left out", on_demo=True),
    Bench("red", (), 3600, r"red: median|green again|NOT ALLOWED"),
)


def measure(bench: Bench) -> tuple[str, float, list[str]]:
    """Run it, on a demo where it wants one."""
    if not bench.on_demo:
        return run(bench)
    with demo.running() as (ready, _):
        data = Path(ready["data"])
        if demo.wait_known(data, {"look", "scan", "attack"}, demo.KNOWN_S) is None:
            return "failed", demo.KNOWN_S, ["the demo was not looked at in time"]
        return run(bench, str(data.parent / "ready.json"))


def run(bench: Bench, *more: str) -> tuple[str, float, list[str]]:
    """How it ended, after how many seconds, and its telling lines. What it says is passed on."""
    began = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-u", str(bench.program), *bench.options, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    late = threading.Event()

    def end() -> None:
        late.set()
        os.killpg(child.pid, signal.SIGINT)
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)

    timer = threading.Timer(bench.limit_s, end)
    timer.start()
    found = []
    try:
        for line in child.stdout:
            print(line, end="", flush=True)
            if re.search(bench.telling, line):
                found.append(line.strip())
        code = child.wait()
    except KeyboardInterrupt:
        end()
        raise
    finally:
        timer.cancel()
    outcome = "too long" if late.is_set() else "failed" if code else "ok"
    if outcome == "ok" and any("skipped" in line for line in found):
        outcome = "skipped"
    return outcome, time.monotonic() - began, found


def main() -> int:
    """Run those asked for; 1 when one could not measure or found a wrong answer."""
    known = {bench.name: bench for bench in BENCHES}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help=f"some of {','.join(known)}")
    wanted = [name for name in parser.parse_args().only.split(",") if name]
    if unknown := sorted(set(wanted) - set(known)):
        parser.error(f"no such bench: {', '.join(unknown)}; there are {', '.join(known)}")
    print(
        f"{platform.platform()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}"
    )
    results = []
    for bench in BENCHES:
        if (wanted and bench.name not in wanted) or not bench.program.exists():
            continue
        print(f"\n== {bench.name} {' '.join(bench.options)}", flush=True)
        results.append((bench, *measure(bench)))
    print("\n== results")
    for bench, outcome, seconds, lines in results:
        print(f"{bench.name:10} {outcome:9} {seconds:6.0f} s")
        for line in lines:
            print(f"    {line}")
    return int(any(outcome in FAILED for _, outcome, _, _ in results))


if __name__ == "__main__":
    sys.exit(main())
