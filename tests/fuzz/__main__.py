"""Coverage-guided fuzzing (`make fuzz`): each target in a process of its own, bounded in time.

What is found lies in the folder, as the bytes that did it: write them into a red test, then mend.
Values that reached new code are kept beside, and the next run begins with them.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

MOST_BYTES = 4096
ONE_S = 20  # for one value; libFuzzer ends it
GRACE_S = 120  # to start, and to look through what was kept
MEMORY_MB = 2048


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--only", default="", help="some targets: a,b")
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"))
    parser.add_argument("--child", default="")
    asked = parser.parse_args(argv)
    if asked.child:
        return child(asked.child, asked.seconds, asked.folder)
    from fuzz.targets import targets  # noqa: PLC0415 -- a child instruments before it imports

    names = [name for name in asked.only.split(",") if name] or list(targets())
    if unknown := set(names) - set(targets()):
        parser.error(f"no target: {', '.join(sorted(unknown))}")
    found = [name for name in names if not one(name, asked.seconds, asked.folder)]
    print(f"{len(names) - len(found)} of {len(names)} targets found nothing")  # noqa: T201
    return bool(found)


def one(name: str, seconds: int, folder: Path) -> bool:
    """Fuzz one target; whether nothing was found."""
    argv = [sys.executable, __file__, "--child", name, "--seconds", str(seconds)]
    log = folder / f"{name}.log"
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        try:
            code = subprocess.run(
                [*argv, "--folder", str(folder)], stdout=output, stderr=output,
                timeout=seconds + GRACE_S, check=False,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            code = -1
    text = log.read_text("utf-8", "replace")
    runs = re.findall(r"stat::number_of_executed_units:\s+(\d+)|Done (\d+) runs", text)
    reached = re.findall(r"cov: (\d+)", text)
    count = next((part for part in (runs[-1] if runs else ()) if part), "0")
    print(  # noqa: T201
        f"{name:16} {'nothing found' if code == 0 else 'FOUND'} in {count} runs, "
        f"{reached[-1] if reached else '0'} branches{'' if code == 0 else f'; see {log}'}",
        flush=True,
    )
    return code == 0


def child(name: str, seconds: int, folder: Path) -> int:
    import atheris  # noqa: PLC0415 -- only where it is installed (requirements/fuzz.txt)

    with atheris.instrument_imports(include=["troth", "fuzz"]):
        from fuzz.targets import seeds, targets  # noqa: PLC0415

        target = targets()[name]
    kept, bad = folder / name, folder / "found"
    for place in (kept, bad):
        place.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(name)):
        (kept / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}", f"-max_len={MOST_BYTES}", f"-timeout={ONE_S}",
        f"-rss_limit_mb={MEMORY_MB}", f"-artifact_prefix={bad}/{name}-", "-print_final_stats=1",
        "-len_control=20",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(kept)], target)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
