"""The command line as a person sees it: `transcripts/*.txt`, command after `$`, then what it says.

`...` at a line's end stands for any rest, a line `...` for any lines. `[exit N]` closes a command
that does not end with 0. Each transcript runs in an empty folder of its own.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "transcripts"
LIMIT_S = 60


def commands(text: str) -> list[tuple[str, list[str], int]]:
    found: list[tuple[str, list[str], int]] = []
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        if line.startswith("$ "):
            found.append((line[2:], [], 0))
        elif ended := re.fullmatch(r"\[exit (\d+)\]", line):
            found[-1] = (*found[-1][:2], int(ended.group(1)))
        elif found:
            found[-1][1].append(line)
    return found


def pattern(expected: list[str]) -> str:
    lines = []
    for line in expected:
        if line == "...":
            lines.append(r"(?:.*\n)*?")
        elif line.endswith("..."):
            lines.append(re.escape(line[:-3]) + r".*\n")
        else:
            lines.append(re.escape(line) + r"\n")
    return "".join(lines)


@pytest.mark.parametrize("path", sorted(HERE.glob("*.txt")), ids=lambda path: path.stem)
def test_transcript(path: Path, tmp_path: Path):
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TERM": "dumb",
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
    }
    for command, expected, code in commands(path.read_text("utf-8")):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        said = done.stdout + done.stderr
        wanted = "\n".join(expected).rstrip("\n").split("\n") if any(expected) else []
        assert re.fullmatch(pattern(wanted), said), f"$ {command}\n{said}"
        assert done.returncode == code, f"$ {command}\n{said}"
