"""What parsing a body and transforming a value cost: ordinary ones, and hostile ones of 128 KB.

Run `python bench/values.py`. CPU time, best of several, one process; no rule is asked.
"""

import json
import platform
import sys
import time
from collections.abc import Callable

from troth.engines.seclang.bodies import PROCESSORS
from troth.engines.seclang.model import Limits
from troth.engines.seclang.transform import FUNCTIONS

SIZE = 128 << 10
TYPE = b"multipart/form-data; boundary=B"
FIELD = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
FILE = b'--B\r\nContent-Disposition: form-data; name="a"; filename="x"\r\n\r\n'
RECORDS = [{"id": n, "name": f"user {n}", "text": "some, text with words " * 7} for n in range(300)]
ORDINARY = {
    "64 KB form, 900 fields": (
        "URLENCODED",
        b"&".join(
            b"field%d=value+with+%%C3%%A9+and+some+more+text+in+it+%d" % (n, n) for n in range(900)
        )
        + b"&z="
        + b"x" * 16000,
    ),
    "64 KB form, one field": ("URLENCODED", b"a=" + b"Hello+w%C3%B6rld+" * 3900),
    "64 KB JSON, 900 leaves": ("JSON", json.dumps(RECORDS).encode()),
    "64 KB XML, 3000 elements": (
        "XML",
        b"<a>" + b"<i id='12'><name>some name</name><value>text</value></i>" * 1100 + b"</a>",
    ),
    "10 KB multipart, 190 fields": ("MULTIPART", FIELD * 190 + b"--B--\r\n"),
    "1 MB upload": ("MULTIPART", FILE + b"line of text\r\n" * 70_000 + b"\r\n--B--\r\n"),
}
HOSTILE = {
    "URLENCODED": [(b"a=", b"%41"), (b"a=", b"%4z"), (b"", b"&"), (b"", b"%00=%00&")],
    "JSON": [
        (b"[", b"1,"),
        (b"[", b'"",'),
        (b"", b"["),
        (b'{"', b'\\",'),
        (b'["', b"\\u0041"),
        (b"", b'"'),
        (b'["', b'","\\'),
    ],
    "XML": [
        (b"<a>", b"<a/>"),
        (b"", b"<a>"),
        (b"<a>", b"&lt;"),
        (b"<a ", b"b='c' "),
        (b"<a>", b"x\n"),
        (b"<", b"a"),
    ],
    "MULTIPART": [
        (b"", FIELD),
        (FIELD[:-3], b"\n--"),
        (FIELD[:-3], b"\n--Bx"),
        (FIELD[:-3], b"\n-- "),
        (b"--B\r\n", b"X: y\r\n"),
    ],
}
PIECES = [
    b"%41",
    b"%4z",
    b"%u0041",
    b"\\",
    b"\\x41",
    b"\\n",
    b"&",
    b"&lt;",
    b"&#x41;",
    b"/",
    b"/a/..",
    b"../",
    b"/./",
    b"/*",
    b"/**/",
    b" ",
    b" \t\n",
    "é".encode(),
    b"\xff",
    b"\xe2",
    b"\0",
    b"QUJD",
    b"=",
    b'"^',
    b"-",
    b"<!--",
    b"0x41",
    bytes(range(256)),
]
TEXT = b"A sentence of a hundred bytes as people write it: nothing in it has to be decoded, only looked at."


def cost_us(work: Callable[[], object]) -> float:
    """CPU microseconds a call, best of five runs of at least a millisecond."""
    began = time.process_time_ns()
    work()
    once = max(time.process_time_ns() - began, 200)
    times = max(1, min(2000, 1_000_000 // once))
    best = float("inf")
    for _ in range(5):
        began = time.process_time_ns()
        for _ in range(times):
            work()
        best = min(best, (time.process_time_ns() - began) / times / 1000)
    return best


def main() -> int:
    print(f"{platform.platform()}, Python {platform.python_version()}, CPU time, best of 5")
    limits = Limits()
    print("\nbodies, CPU ms")
    for name, (processor, body) in ORDINARY.items():
        parse = PROCESSORS[processor]
        print(
            f"    {name:34}{cost_us(lambda parse=parse, body=body: parse(body, TYPE, limits)) / 1000:8.2f}"
        )
    for processor, shapes in HOSTILE.items():
        parse = PROCESSORS[processor]
        found = []
        for head, piece in shapes:
            body = head + piece * ((SIZE - len(head)) // len(piece))
            found.append(
                (
                    cost_us(lambda parse=parse, body=body: parse(body, TYPE, limits)) / 1000,
                    piece[:12],
                )
            )
        worst, piece = max(found)
        print(f"    {f'128 KB hostile {processor}, the worst':34}{worst:8.2f}  {piece!r}")
    print(f"\ntransformations, CPU us    {len(TEXT)} bytes of text    128 KB, the worst")
    for name in sorted(set(FUNCTIONS) - {"none", "normalizepath", "normalizepathwin"}):
        function = FUNCTIONS[name]
        shapes = [(piece, piece * (SIZE // len(piece))) for piece in PIECES]
        worst, piece = max(
            (cost_us(lambda value=value, f=function: f(value)), piece[:6])
            for piece, value in shapes
        )
        print(f"    {name:22}{cost_us(lambda f=function: f(TEXT)):20.2f}{worst:20.0f}  {piece!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
