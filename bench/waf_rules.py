"""What our own rules find and what they let people write: detection and false alarms, by source.

Run `python bench/waf_rules.py [--texts N] [--day N] [--rules DIR]`. Attacks and harmless lines come from the
corpora beside the repository, natural text from Debian's packages (`texts`); what is absent is said,
never counted as fine. A booking application's day is recorded here (`booking_day`) and
replayed through `decide` with that application's own settings.

- payloads: each line of `*/true-positives.txt` (and `false-positives.txt`) as a form's field, and as
  a query's, in JSON and so on with `--place`.
- GoTestWAF: each payload in every encoder and placeholder that its file names.
- CRS 4: each test's whole request; one that expects a rule to match is an attack.
- text: all fortunes and manual pages' paragraphs, handbooks, programs' messages and READMEs, each
  once, as a query's field, a form's and in JSON (or a deterministic sample of N each).

The texts are judged by as many processes as there are CPUs: 440,000 of them three times over take
five minutes on two. Prints the misses of each source, the first ten. Exits 0: whoever runs it judges the numbers.
"""

import argparse
import base64
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Self
from urllib.parse import quote

import booking_day
import texts
import yaml

from troth.adapters import config, files
from troth.catalogue import Settings
from troth.enforce.decide import decide
from troth.engines.seclang import Message, Program, ftw, wire
from troth.engines.seclang.scan import Scanner, database
from troth.engines.seclang.transform import FUNCTIONS
from troth.kernel.errors import Failure
from troth.kernel.request import Known, Request
from troth.promises.guard.settings.waf import Rules
from troth.roles import policy, rules_load
from troth.roles.rules import sources_of
from troth.roles.score import PLACES, Place, request

CORPORA = Path(__file__).parents[2] / "shared" / "corpora"
BROWSER = (
    (b"Host", b"app.example"),
    (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    (b"Accept", b"*/*"),
)


@dataclass(slots=True)
class Count:
    """How many of a kind there were, how many were refused, and which were not as they should be."""

    total: int = 0
    refused: int = 0
    odd: list[str] = field(default_factory=list)

    def add(self, program: Program, message: Message, text: str, *, is_attack: bool) -> None:
        verdict = program.inspect(message)
        is_refused = verdict.is_disrupted or bool(verdict.limits)
        self.total += 1
        self.refused += is_refused
        if is_refused != is_attack:
            self.odd.append(f"{text[:100]!r} {' '.join(map(str, verdict.rules[:6]))}")

    def __iadd__(self, other: "Count") -> Self:
        self.total, self.refused = self.total + other.total, self.refused + other.refused
        self.odd += other.odd
        return self


def said(name: str, count: Count, *, shown: int = 10) -> None:
    """One line, and the first that were not as they should be."""
    rate = f"{count.refused / count.total:9.3%}" if count.total else "        -"
    print(f"{name:44}{count.refused:6} of {count.total:6} refused {rate}", flush=True)
    for line in count.odd[:shown]:
        print(f"      {line}")


def rules_of(folder: Path | None) -> Program:
    """Our rules as they are by default, or a folder's, on Hyperscan as in a guard that is warm."""
    rules, data = Rules(), {}
    if folder is not None:
        digest = rules_load.digest_of(folder)
        rules, data = Rules(set=str(folder.resolve()), sha256=digest), sources_of(folder)[1]
    program = rules_load.program_of(rules)
    scanner = Scanner(program.tests, FUNCTIONS, data)
    for job in scanner.jobs:
        scanner.adopt(job, database.compile(job))
    return program.with_scan(scanner)


def lines(path: Path) -> Iterator[bytes]:
    yield from (line for line in path.read_bytes().splitlines() if line.strip())


def payloads(program: Program, places: Iterable[Place]) -> None:
    folder = CORPORA / "payloads"
    if not folder.is_dir():
        print("payloads: absent (../shared/corpora/payloads)")
        return
    for place in places:
        for kind, is_attack in (("true-positives", True), ("false-positives", False)):
            whole = Count()
            for path in sorted(folder.glob(f"*/{kind}.txt")):
                count = Count()
                for line in lines(path):
                    text = line.decode("utf-8", "replace")
                    count.add(program, request(line, place), text, is_attack=is_attack)
                whole += count
                if is_attack:
                    said(f"payloads, {place}: {path.parent.name}", count)
            name = "attacks" if is_attack else "harmless"
            said(f"payloads, {place}: all {name}", whole, shown=0 if is_attack else 10)


# -- GoTestWAF: its encoders and placeholders, as its README describes them ------------------------

ENCODERS = {
    "Plain": lambda text: text,
    "URL": lambda text: quote(text, safe="-_.~$&+=:@"),  # Go's url.PathEscape
    "Base64": lambda text: base64.b64encode(text.encode()).decode(),
    "Base64Flat": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
}


def _post(kind: bytes, body: bytes) -> Message:
    more = ((b"Content-Type", kind), (b"Content-Length", b"%d" % len(body)))
    return Message(method=b"POST", uri=b"/", headers=(*BROWSER, *more), body=body)


def _get(target: str, *more: tuple[bytes, bytes]) -> Message:
    raw = quote(target, safe="".join(map(chr, range(33, 127))))  # what no client sends raw
    return Message(method=b"GET", uri=raw.encode(), headers=(*BROWSER, *more))


def _multipart(text: str) -> Message:
    body = (
        f'--c0ffee\r\nContent-Disposition: form-data; name="a1b2"\r\n\r\n{text}\r\n--c0ffee--\r\n'
    )
    return _post(b"multipart/form-data; boundary=c0ffee", body.encode())


PLACEHOLDERS = {
    "URLParam": lambda text: _get(f"/?a1b2={text}"),
    "URLPath": lambda text: _get(f"/{text}"),
    "Header": lambda text: _get("/", (b"X-a1b2", text.encode())),
    "UserAgent": lambda text: Message(
        method=b"GET", uri=b"/", headers=(BROWSER[0], (b"User-Agent", text.encode()), BROWSER[2])
    ),
    "HTMLForm": lambda text: _post(
        b"application/x-www-form-urlencoded", f"a1b2={text}".encode()
    ),
    "HTMLMultipartForm": _multipart,
    "JSONBody": lambda text: _post(b"application/json", text.encode()),
    "JSONRequest": lambda text: _post(
        b"application/json", json.dumps({"test": True, "a1b2": text}).encode()
    ),
    "XMLBody": lambda text: _post(b"text/xml", text.encode()),
}  # fmt: skip


def gotestwaf(program: Program) -> None:
    folder = CORPORA / "gotestwaf"
    if not folder.is_dir():
        print("GoTestWAF: absent (../shared/corpora/gotestwaf)")
        return
    whole, unknown = Count(), set()
    for path in sorted(folder.glob("*.yml")):
        text = path.read_text("utf-8").replace("\\'", "'")  # Go's reader knows this escape
        document = yaml.safe_load(text)
        for encoder in document["encoder"]:
            for place in document["placeholder"]:
                if encoder not in ENCODERS or place not in PLACEHOLDERS:
                    unknown.add(f"{encoder} in {place}")
                    continue
                count = Count()
                for payload in document["payload"]:
                    message = PLACEHOLDERS[place](ENCODERS[encoder](str(payload)))
                    count.add(program, message, str(payload), is_attack=True)
                said(f"GoTestWAF, {path.stem}: {encoder}, {place}", count)
                whole += count
    said("GoTestWAF: all attacks", whole, shown=0)
    if unknown:
        print(f"      not tried: {', '.join(sorted(unknown))}")
    print("GoTestWAF: its harmless lists are not among the files here; `payloads`' are, above")


def crs4(program: Program) -> None:
    """Whole requests of CRS's tests. What expects no match may still be an attack of other kinds."""
    folder = CORPORA / "crs-4"
    if not folder.is_dir():
        print("CRS 4 tests: absent (../shared/corpora/crs-4)")
        return
    for family in sorted(path for path in folder.iterdir() if path.is_dir()):
        attacks, harmless = Count(), Count()
        for path in sorted(family.rglob("*.yaml")):
            for case in ftw.cases(yaml.safe_load(path.read_text("utf-8")), path.name):
                for stage in case.stages:
                    message = wire.read(
                        stage.raw, client=stage.client, server_port=stage.port
                    ).message
                    if message is None:
                        continue
                    is_attack = bool(stage.expects.ids or stage.expects.patterns)
                    count = attacks if is_attack else harmless
                    count.add(program, message, f"{case.name} {message.uri.decode('latin-1')}",
                              is_attack=is_attack)  # fmt: skip
        said(f"CRS 4 tests, {family.name[8:]}: attacks", attacks, shown=3)
        said(f"CRS 4 tests, {family.name[8:]}: no match expected", harmless, shown=3)


# -- natural text ----------------------------------------------------------------------------------

PIECE = 500  # texts that a process takes at once
_JUDGE: list[Program] = []  # set before the processes are forked: compiled once


def judged(texts: list[str], place: Place) -> Count:
    count = Count()
    for text in texts:
        raw = text.encode("utf-8", "replace")
        count.add(_JUDGE[0], request(raw, place), text, is_attack=False)
    return count


def sources() -> Iterator[tuple[str, list[str] | None]]:
    for language in texts.CODES:
        yield f"{language} fortunes", texts.fortunes(language)
        yield f"{language} manual pages", texts.manuals(language)
        yield f"{language} handbooks", texts.books(language)
        yield f"{language} messages of programs", texts.messages(language)
    yield "READMEs, prose", texts.readmes()
    yield "READMEs, with their code", texts.fenced()


def natural(program: Program, size: int | None) -> None:
    """All of each source in each place; what was refused anywhere is shown once."""
    _JUDGE[:] = [program]
    with ProcessPoolExecutor(os.cpu_count(), get_context("fork")) as processes:
        for name, found in sources():
            if found is None:
                print(f"text, {name}: absent (no such Debian package)")
                continue
            chosen = found
            if size is not None:
                chosen = random.Random(1).sample(found, min(size, len(found)))
            pieces = [chosen[start : start + PIECE] for start in range(0, len(chosen), PIECE)]
            shown = set[str]()
            for place in ("query", "form", "json"):
                count = Count()
                for part in processes.map(judged, pieces, [place] * len(pieces)):
                    count += part
                count.odd = [line for line in count.odd if line not in shown]
                shown.update(count.odd)
                said(f"text, {name}: {place}", count)


# -- the example application's day -----------------------------------------------------------------


def day(size: int) -> None:
    """Recorded traffic through the whole decision, as the demo is set up."""
    try:
        recorded = booking_day.record(size)
    except Failure as failure:
        print(f"booking: absent, no PostgreSQL to run it on: {failure.hint()}")
        return
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as name:
        text = (booking_day.BOOKING / "troth.toml").read_text("utf-8")
        filled = {"data": name, "port": "8443", "http_port": "8080", "status_port": "8444",
                  "canary": "0123456789abcdef"}  # fmt: skip
        for key, value in filled.items():
            text = text.replace("{" + key + "}", value)
        path = Path(name) / "troth.toml"
        files.write_atomic(path, text.encode())
        config.load(path, Settings)
        snapshot = policy.build(path)
    known, count = Known(now=datetime.now(UTC)), Count()
    for one in recorded:
        headers = tuple((key.encode(), value.encode("latin-1")) for key, value in one.headers)
        asked = Request(
            method=one.method.encode(), target=one.target.encode(), host=b"demo.localhost:8443",
            headers=tuple((k, v.replace(b"demo.localhost", b"demo.localhost:8443")) for k, v in headers),
            client="127.0.0.1", body=one.body or None,
        )  # fmt: skip
        if b"multipart/" in dict(headers).get(b"content-type", b""):
            asked = Request(method=asked.method, target=asked.target, host=asked.host,
                            headers=asked.headers, client=asked.client)  # fmt: skip
        decision = decide(asked, snapshot, known, lambda _: {})
        count.total += 1
        if decision.refusal is not None:
            count.refused += 1
            hits = " ".join(hit.rule for hit in decision.hits)
            count.odd.append(
                f"{one.method} {one.target} {one.body[:60]!r} {decision.refusal.code} {hits}"
            )
        elif decision.hits:
            print(
                f"      told, not refused: {one.target} {' '.join(h.rule for h in decision.hits)}"
            )
    said("booking application's day, through decide", count)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, help="of each source; all where it is not said")
    parser.add_argument("--day", type=int, default=2000, help="requests")
    parser.add_argument("--place", choices=[*PLACES, "all"], default="form")
    parser.add_argument("--rules", type=Path, help="another set, as a folder; then without the day")
    known = parser.parse_args()
    began = time.monotonic()
    program = rules_of(known.rules)
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} CPUs, load "
          f"{os.getloadavg()[0]:.1f}; {known.rules or 'our own'}: {len(program.ruleset.rules)} rules, paranoia 1, "
          f"threshold 5, compiled in {time.monotonic() - began:.1f} s")  # fmt: skip
    payloads(program, PLACES if known.place == "all" else (known.place,))
    gotestwaf(program)
    crs4(program)
    natural(program, known.texts)
    if known.rules is None:
        day(known.day)
    print(f"in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
