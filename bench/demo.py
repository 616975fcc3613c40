"""The demo from start to a verified page, measured: `bench/demo.py [--idle SECONDS] [--kill]`.

Starts `troth up --demo` on free ports in a folder of its own, waits until it is ready and until
every check has been made once, verifies the page with its own verify.py online and on a copy, then
watches what it costs to do nothing. Exits 1 when a promise fails or the page does not verify; with
`--kill` also when a green word outlives those who look (`bench/kill.py`).
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import kill

READY_S = 120
KNOWN_S = 240
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def free_ports(count: int) -> list[int]:
    """Ports that are free now."""
    doors = [socket.socket() for _ in range(count)]
    for door in doors:
        door.bind(("127.0.0.1", 0))
    ports = [door.getsockname()[1] for door in doors]
    for door in doors:
        door.close()
    return ports


def wait(path: Path, child: subprocess.Popen, limit_s: float) -> float:
    """Seconds until the file is there."""
    began = time.monotonic()
    while not path.exists():
        if child.poll() is not None:
            sys.exit(
                f"troth up ended with {child.returncode}:\n{(path.parent / 'up.log').read_text()}"
            )
        if time.monotonic() - began > limit_s:
            sys.exit(f"not ready after {limit_s} s")
        time.sleep(0.05)
    return time.monotonic() - began


def promises(data: Path) -> list[dict]:
    """What is published, as the file says."""
    try:
        return json.loads((data / "public/api/v1/promises.json").read_text())["promises"]
    except (OSError, ValueError):
        return []


def wait_known(data: Path, method: set[str], limit_s: float) -> float | None:
    """Seconds until every check of these methods has a look; None when that never came."""
    began = time.monotonic()
    while time.monotonic() - began < limit_s:
        checks = [c for p in promises(data) for c in p["checks"] if c["method"] in method]
        applicable = [p for p in promises(data) if p["state"] != "not-applicable"]
        wanted = [c for p in applicable for c in p["checks"] if c["method"] in method]
        if checks and all(
            any(look["verdict"] != "error" for look in check["looks"]) for check in wanted
        ):
            return time.monotonic() - began
        time.sleep(0.2)
    return None


def tree(pid: int) -> dict[int, str]:
    """The process and all below it, each with its role."""
    found = {pid: "supervisor"}
    changed = True
    while changed:
        changed = False
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) in found:
                continue
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if parent in found:
                role = next(
                    (w.removeprefix("troth.roles.") for w in words if "troth.roles." in w), ""
                )
                index = "-".join(words[-2:-1]) if role in {"guard", "postgres"} else ""
                found[int(entry.name)] = f"{role} {index}".strip() or found[parent]
                changed = True
    return found


def cost(pids: dict[int, str]) -> tuple[dict[str, float], dict[str, int]]:
    """CPU seconds used so far and resident bytes (proportional), by role."""
    cpu: dict[str, float] = defaultdict(float)
    memory: dict[str, int] = defaultdict(int)
    for pid, role in pids.items():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            cpu[role] += sum(map(int, fields[11:15])) / TICK
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            memory[role] += next(
                int(line.split()[1]) * 1024 for line in rollup.splitlines() if line[:4] == "Pss:"
            )
        except (OSError, StopIteration):
            continue
    return dict(cpu), dict(memory)


def verify(target: str, ready: dict, *, offline: bool) -> bool:
    """Run the published verify.py, and nothing of ours beside it."""
    script = Path(ready["data"]) / "public/now/current/verify.py"
    argv = [sys.executable, "-I", str(script), target]
    if offline and os.geteuid() == 0 and shutil.which("unshare"):
        argv = ["unshare", "--net", *argv]
    done = subprocess.run(
        argv,
        env={"SSL_CERT_FILE": ready["ca"], "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    print(f"  verify {'offline' if offline else 'online'}: exit {done.returncode}")
    print("   ", "\n    ".join((done.stdout + done.stderr).strip().splitlines()[-6:]))
    return done.returncode == 0


def copy_public(ready: dict, target: Path) -> None:
    """What a stranger would mirror: the published tree and the log."""
    shutil.copytree(Path(ready["data"]) / "public/now/current", target, dirs_exist_ok=True)
    shutil.copytree(Path(ready["data"]) / "log", target / "log", dirs_exist_ok=True)


@contextmanager
def running(*, keep: bool = False) -> Iterator[tuple[dict, subprocess.Popen]]:
    """A demo of its own on free ports: what its ready file says, and its supervisor.

    Ends it with Ctrl-C; exits when that did not end it cleanly.
    """
    folder = Path(tempfile.mkdtemp(prefix="troth-demo-"))
    folder.chmod(0o755)  # PostgreSQL's user enters; else its cluster would stand elsewhere
    ready_file = folder / "ready.json"
    ports = ",".join(map(str, free_ports(3)))
    troth = Path(sys.executable).parent / "troth"
    argv = [str(troth), "up", "--demo", "--data", str(folder / "data"), "--ports", ports]
    with (folder / "up.log").open("w") as said:
        child = subprocess.Popen([*argv, "--ready", str(ready_file)], stdout=said, stderr=said)
    try:
        print(f"  ready after {wait(ready_file, child, READY_S):.1f} s")
        yield json.loads(ready_file.read_text()), child
    finally:
        child.send_signal(signal.SIGINT)
        began = time.monotonic()
        try:
            code = child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            code = -9
        print(f"  Ctrl-C: exit {code} after {time.monotonic() - began:.1f} s")
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    if code:
        sys.exit(1)


def main() -> int:
    """Run it all; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=float, default=0, help="seconds to watch it do nothing")
    parser.add_argument("--kill", action="store_true", help="kill worker and publisher, see stale")
    parser.add_argument("--keep", action="store_true", help="leave the data directory behind")
    known = parser.parse_args()
    print(f"conditions: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python", end=" ")
    print(sys.version.split()[0])
    with running(keep=known.keep) as (ready, child):
        good = prove(ready)
        if known.idle:
            watch(child.pid, known.idle)
        if known.kill:
            good &= kill.blackout(ready, child.pid, tree(child.pid))
    return 0 if good else 1


def prove(ready: dict) -> bool:
    """Wait for the first verdicts, verify online and on a copy; whether all is well."""
    data = Path(ready["data"])
    took = wait_known(data, {"look", "scan", "attack"}, KNOWN_S)
    print("  first round of looks and scans:", f"{took:.1f} s" if took else "NOT COMPLETE")
    drilled = wait_known(data, {"drill"}, KNOWN_S)
    print("  first drills:", f"{drilled:.1f} s more" if drilled is not None else "NOT COMPLETE")
    time.sleep(3)
    states = Counter(p["state"] for p in promises(data))
    print("  states:", dict(states))
    for promise in promises(data):
        if promise["state"] not in {"proven", "attested"}:
            print(f"    {promise['slug']}: {promise['state']} ({promise['reason']})")
    good = took is not None and states["failing"] == 0 and states["proven"] > 0
    good &= verify(ready["troth"], ready, offline=False)
    with tempfile.TemporaryDirectory(prefix="troth-copy-") as copy:
        copy_public(ready, Path(copy))
        good &= verify(copy, ready, offline=True)
    return good


def watch(pid: int, seconds: float) -> None:
    """What doing nothing costs, by role."""
    before, _ = cost(tree(pid))
    time.sleep(seconds)
    after, memory = cost(tree(pid))
    print(f"  idle, {seconds:.0f} s, by role: CPU in % of one core, memory in MB")
    for role in sorted(memory):
        used = after.get(role, 0) - before.get(role, 0)
        print(f"    {role:16} {100 * used / seconds:5.1f} %  {memory[role] / 1e6:6.1f}")
    total = 100 * (sum(after.values()) - sum(before.values())) / seconds
    print(f"    {'all':16} {total:5.1f} %  {sum(memory.values()) / 1e6:6.1f}")


if __name__ == "__main__":
    sys.exit(main())
