"""Values made to keep a pattern busy, and public lists of attacks, read where they are."""

from pathlib import Path

import pytest

PAYLOADS = Path(__file__).parents[4].parent / "shared" / "corpora" / "payloads"

HOSTILE = (
    b";", b"; id x", b"|a", b"`", b"$(", b"${IFS}", b"c'a't ", b"\\", b"../",
    b"%c0%af", b"{{", b"${",
    b"${lower:a}",
    b"<!ENTITY ", b"eval(", b"\r\n", b"a\r\nX: ", b'O:1:"a":', b" /*a*b/c", b"c", b"'",

    b"java.lang.Runtime ", b"class.", b"#{", b"if a ", b"a1 select ", b"\xc0", b"0x2e", b"a=b;",
    b"(",
)  # fmt: skip


def attacks(topic: str) -> list[bytes]:
    return _lines(topic, "true-positives.txt")


def harmless(topic: str) -> list[bytes]:
    return _lines(topic, "false-positives.txt")


def _lines(topic: str, name: str) -> list[bytes]:
    path = PAYLOADS / topic / name
    if not path.is_file():
        pytest.skip(f"no public payloads: {path.parent.name}/{name}")
    return [line for line in path.read_bytes().split(b"\n") if line.strip()]
