"""What the rules cost a request: the SecLang engine against libmodsecurity, same rules, one process.

Run `python bench/seclang.py [--rounds N] [--paranoia N]`. Needs the OWASP CRS of Debian's package
`modsecurity-crs`. Engines take turns on each request, so that what else the machine does hits them
alike: trust the ratios, not the digits. A request's figure is its best of the rounds, in CPU time.

- cold: nothing is remembered, every value is scanned.
- warm: headers, cookies, names and paths came before; every argument is new, and with it the URI,
  the query and the body.
- again: the very same request came before.
"""

import argparse
import gc
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import quote

import traffic
from traffic import Request

from troth.engines.seclang import Message, Source, Verdict
from troth.engines.seclang.compile import Program
from troth.engines.seclang.compile import compile as compile_rules
from troth.engines.seclang.parse import parse
from troth.engines.seclang.scan import Scanner, database
from troth.engines.seclang.transform import FUNCTIONS
from troth.roles.rules import sources_of
from troth.roles.rules_load import PACK

RULES = Path("/usr/share/modsecurity-crs/rules")
SETUP = Path("/etc/modsecurity/crs/crs-setup.conf")
PAYLOADS = Path(__file__).parents[2] / "shared" / "corpora" / "payloads"
FIRST = """
SecRuleEngine On
SecRequestBodyAccess On
SecRule REQUEST_HEADERS:Content-Type "^application/json" \\
  "id:100,phase:1,pass,nolog,t:none,t:lowercase,ctl:requestBodyProcessor=JSON"
SecAction "id:101,phase:1,pass,nolog,t:none,setvar:tx.paranoia_level={paranoia}"
SecAction "id:102,phase:1,pass,nolog,t:none,setvar:tx.allowed_methods=GET HEAD POST OPTIONS PUT PATCH DELETE"
"""


class Fresh:
    """A scanner for arguments that never came before, another for all else."""

    def __init__(self, remembering: Scanner, forgetting: Scanner) -> None:
        self.remembering, self.forgetting = remembering, forgetting

    def space(self, name: str):
        return self._of(name).space(name)

    def sift(self, name: str):
        return self._of(name).sift(name)

    def _of(self, name: str) -> Scanner:
        is_value = name.removeprefix("1:").startswith(
            (
                "ARGS",
                "REQUEST_URI",
                "REQUEST_LINE",
                "REQUEST_BODY",
                "QUERY",
                "XML",
                "FILES",
                "MULTIPART",
            )
        )
        is_new = is_value and "NAMES" not in name
        return self.forgetting if is_new else self.remembering


def message(request: Request) -> Message:
    return Message(
        method=request.method,
        uri=request.target,
        headers=request.headers,
        body=request.body,
        client="192.0.2.1",
        port=40000,
    )


def crs(paranoia: int, rules: Path) -> tuple[list[Source], dict[str, bytes]]:
    files = (SETUP, *sorted(rules.glob("*.conf")))
    read = (Source(str(path), path.read_text("utf-8", "surrogateescape")) for path in files)
    data = {path.name: path.read_bytes() for path in rules.glob("*.data")}
    return [Source("first.conf", FIRST.format(paranoia=paranoia)), *read], data


def programs(
    sources: Sequence[Source], data: Mapping[str, bytes], paranoia: int
) -> dict[str, Program]:
    """Ours: remembering nothing, what repeats, and all."""
    began = time.perf_counter()
    program = compile_rules(parse(sources, data), paranoia=paranoia)
    print(f"rules: {len(program.steps)} heads, {len(program.tests)} scanned, "
          f"{time.perf_counter() - began:.1f} s to parse and compile")  # fmt: skip
    scanners = [Scanner(program.tests, FUNCTIONS, data, entries=n) for n in (0, 2048)]
    began, size = time.perf_counter(), 0
    for job in scanners[0].jobs:
        made = database.compile(job)
        size += len(made.blob)
        for scanner in scanners:
            scanner.adopt(job, made)
    print(
        f"databases: {len(scanners[0].jobs)} of {size / 1e6:.1f} MB in {time.perf_counter() - began:.1f} s"
    )
    forgetting, remembering = scanners
    return {
        "cold": program.with_scan(forgetting, is_recalling=False),
        "warm": program.with_scan(Fresh(remembering, forgetting)),
        "again": program.with_scan(remembering),
    }


def _quiet(_line: str) -> None:
    """Without it, the library writes each match to the standard error."""


class Peer:
    """libmodsecurity with the same files."""

    def __init__(self, paranoia: int, rules: Path, folder: Path) -> None:
        from libmodsecurity import ModSecurity, RulesSet  # noqa: PLC0415 -- of the tests alone

        first = folder / "first.conf"
        first.write_text(FIRST.format(paranoia=paranoia), "utf-8")
        self.engine, self.rules = ModSecurity(), RulesSet()
        self.engine.set_log_callback(_quiet)
        for path in (first, SETUP, *sorted(rules.glob("*.conf"))):
            # The wheel was built without maps of countries; the rule concerned is off by default.
            copy = folder / path.name
            copy.write_bytes(path.read_bytes().replace(b"@geoLookup", b"@noMatch"))
        for path in rules.glob("*.data"):
            (folder / path.name).write_bytes(path.read_bytes())
        for path in sorted(
            folder.glob("*.conf"),
            key=lambda path: (path.name != "first.conf", path.name != SETUP.name, path.name),
        ):
            if self.rules.load_from_uri(str(path)) < 0:
                raise SystemExit(f"{path}: {self.rules.get_parser_error()}")

    def decide(self, request: Request) -> bool:
        path = request.target.decode("latin-1")
        with self.engine.transaction(self.rules) as asked:
            asked.process_connection("192.0.2.1", 40000, "127.0.0.1", 80)
            asked.process_uri(path, request.method.decode(), "1.1")
            for name, value in request.headers:
                asked.add_request_header(name.decode(), value.decode("latin-1"))
            asked.process_request_headers()
            if request.body:
                asked.append_request_body(request.body)
            asked.process_request_body()
            found = asked.intervention()
            asked.process_logging()
            return found is not None and found.disruptive


def timed(run: Callable[[], object]) -> tuple[float, object]:
    began = time.process_time_ns()
    said = run()
    return (time.process_time_ns() - began) / 1000, said


def quantile(costs: list[float], part: float) -> float:
    return sorted(costs)[min(len(costs) - 1, int(len(costs) * part))]


def compare(
    kind: str, requests: list[Request], ours: dict[str, Program], peer: Peer | None, rounds: int
) -> None:
    names = [*(["peer"] if peer else []), *ours]
    gc.collect()
    gc.freeze()  # as the guard does once it has built what lasts
    best = {name: [float("inf")] * len(requests) for name in names}
    differ: list[str] = []
    blocked = 0
    for turn in range(rounds + 1):  # the first, in which automata are built, is not counted
        for at, request in enumerate(requests):
            asked = message(request)
            said: dict[str, object] = {}
            for name in names:
                is_peer = peer is not None and name == "peer"
                run = (
                    partial(peer.decide, request) if is_peer else partial(ours[name].inspect, asked)
                )
                cost, said[name] = timed(run)
                best[name][at] = min(best[name][at], cost) if turn else best[name][at]
            if not turn:
                verdicts = [said[name] for name in ours]
                expected = said["peer"] if peer else verdicts[0].is_disrupted
                blocked += bool(expected)
                if any(verdict.is_disrupted != expected for verdict in verdicts):
                    differ.append(
                        f"{request.method.decode()} {request.target[:60].decode()} {verdicts[0].rules}"
                    )
    by = "by libmodsecurity" if peer else "by ours"
    print(
        f"\n{kind}: {len(requests)} requests, {blocked} blocked {by}, {len(differ)} decided differently"
    )
    for line in differ[:10]:
        print(f"    differs: {line}")
    head = f"{'ratio of medians':>18}{'of sums':>9}" if peer else ""
    print(f"    {'CPU us/request':24}{'median':>9}{'mean':>9}{'p99':>9}{head}")
    for name in names:
        costs = best[name]
        label = f"{kind}, {'libmodsecurity' if name == 'peer' else name}"
        ratio = (
            f"{statistics.median(best['peer']) / statistics.median(costs):18.1f}{sum(best['peer']) / sum(costs):9.1f}"
            if peer
            else ""
        )
        print(
            f"    {label:24}{statistics.median(costs):9.0f}{statistics.mean(costs):9.0f}{quantile(costs, 0.99):9.0f}{ratio}"
        )


def big(ours: dict[str, Program], peer: Peer | None) -> None:
    """Bodies of 64 KB that mean no harm, and of 128 KB that mean to cost."""
    text = "The court is wet after the rain, so we play indoors (hall 2). "
    words = quote(text)
    headers = (
        (b"Host", b"app.example.com"),
        (b"User-Agent", traffic.FIREFOX.encode()),
        (b"Accept", b"*/*"),
    )
    form = ((b"Content-Type", b"application/x-www-form-urlencoded"),)
    json_ = ((b"Content-Type", b"application/json"),)
    sets = {
        "64 KB form, one field": (form, b"text=" + (words * 700).encode()[: 64 << 10]),
        "64 KB form, 400 fields": (
            form,
            "&".join(f"f{i}={words}" for i in range(800)).encode()[: 64 << 10],
        ),
        "64 KB JSON, one text": (
            json_,
            ('{"text": "' + text * 1040 + '"}').encode()[-(64 << 10) :],
        ),
        "64 KB JSON, 900 numbers": (
            json_,
            (
                "["
                + ",".join(
                    f'{{"id":{i},"name":"Member {i}","x":"y{i}@example.org"}}' for i in range(300)
                )
                + "]"
            ).encode(),
        ),
    }
    sets["64 KB JSON, one text"] = (json_, ('{"text": "' + (text * 1060)[:65500] + '"}').encode())
    hostile = {
        "quotes": b"'" * (128 << 10),
        "open parentheses": b"(" * (128 << 10),
        "semicolons and spaces": b"; " * (64 << 10),
        "percent signs": b"%25" * (43 << 10),
        "entities": b"&#x3c;" * (21 << 10),
        "backslashes": b"\\u0027" * (21 << 10),
        "comment openings": b"/*" * (64 << 10),
        "select from": b"select from union " * (7 << 10),
        "angle brackets": b"<a " * (43 << 10),
        "dollars and braces": b"${" * (64 << 10),
        "slashes and dots": b"../" * (43 << 10),
        "high bytes": bytes(range(128, 256)) * 1024,
        "equal signs": b"a=1 or " * (18 << 10),
        "words in quotes": b"'a'='a' " * (16 << 10),
    }
    harmless_names = set(sets)
    sets |= {
        f"128 KB of {name}": (form, b"a=" + text_.replace(b"&", b"%26").replace(b"+", b"%2b"))
        for name, text_ in hostile.items()
    }
    sets["128 KB of fields"] = (form, b"&".join(b"a%d=1" % i for i in range(17_000)))
    sets["128 KB of brackets (JSON)"] = (json_, b"[" * (128 << 10))
    sets["128 KB of pairs (JSON)"] = (
        json_,
        b"{" + b",".join(b'"k%d":1' % i for i in range(13_000)) + b"}",
    )
    print(f"\n{'large bodies, CPU ms':34}{'ours':>8}{'peer':>8}   limits")
    for name, (more, body) in sets.items():
        request = Request(
            b"POST", b"/a", (*headers, *more, (b"Content-Length", b"%d" % len(body))), body
        )
        asked = message(request)
        costs = [timed(partial(ours["cold"].inspect, asked)) for _ in range(3)]
        # A hostile body keeps the peer busy for minutes.
        theirs = (
            "-"
            if peer is None or name not in harmless_names
            else f"{timed(partial(peer.decide, request))[0] / 1000:.1f}"
        )
        verdict = costs[0][1]
        assert isinstance(verdict, Verdict)
        print(
            f"{name:34}{min(cost for cost, _ in costs) / 1000:8.1f}{theirs:>8}   {' '.join(verdict.limits)}",
            flush=True,
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--paranoia", type=int, default=1, choices=range(1, 5))
    parser.add_argument("--rules", type=Path, default=RULES)
    parser.add_argument("--attacks", type=int, default=100)
    known = parser.parse_args()
    if not known.rules.is_dir():
        print(f"skipped: no {known.rules} (Debian's modsecurity-crs)")
        return 0
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, "
          f"paranoia {known.paranoia}, best of {known.rounds}")  # fmt: skip
    print("\n-- the OWASP CRS of Debian's package, against libmodsecurity")
    with tempfile.TemporaryDirectory() as folder:
        ours = programs(*crs(known.paranoia, known.rules), known.paranoia)
        peer = Peer(known.paranoia, known.rules, Path(folder))
        compare("harmless", traffic.harmless(), ours, peer, known.rounds)
        if PAYLOADS.is_dir():
            compare("attacks", traffic.attacks(PAYLOADS, known.attacks), ours, peer, known.rounds)
        big(ours, peer)
    print("\n-- our own rules")
    sources, data = sources_of(PACK)
    ours = programs(sources, data, known.paranoia)
    compare("harmless", traffic.harmless(), ours, None, known.rounds)
    if PAYLOADS.is_dir():
        compare("attacks", traffic.attacks(PAYLOADS, known.attacks), ours, None, known.rounds)
    big(ours, None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
