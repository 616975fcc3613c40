#!/usr/bin/env python3
"""Check a trust page that Troth publishes, with nothing but Python (3.9 or newer).

    python3 verify.py https://troth.example.com [--key ed25519:...] [--all]
    python3 verify.py DIRECTORY         the same of a copy of the published files, without network

It hashes the whole log again and checks its signed head; checks the signatures of the evidence
behind every state, of the ring of looks and of 500 other leaves (--all: of every leaf); works out
every state from that evidence, and compares with promises.json and the pages. Exit code 0: all of
it agrees; 1: something does not; 2: could not look.
A signature proves who said a thing and that it did not change, not that it is true. So compare the
key (--key) with the one in security.txt or DNS, and repeat a check with the command beside it.
"""
# ruff: noqa: T201, TID251, D102, D103, PLR2004, B905, RUF007, S311, TRY301 -- one file for strangers:
# it prints, has its own sockets, clock and dice, runs on older Pythons, and stays short.

from __future__ import annotations

import argparse
import base64
import hashlib
import html
import http.client
import json
import random
import re
import socket
import ssl
import sys
import time
from binascii import a2b_base64
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

MAX_LEAVES, MAX_JSON, MAX_PAGE, MAX_NOTE, MAX_BUNDLE = 1 << 26, 1 << 26, 1 << 23, 1 << 16, 1 << 25
SAMPLE, SLACK, RING = 500, timedelta(minutes=2), timedelta(hours=3)
UTC = timezone.utc  # noqa: UP017 -- Python 3.9 has no datetime.UTC


class Disagreement(Exception):  # noqa: N818 -- what it is
    """Something is not what it must be."""


def need(truth: object, what: str) -> None:
    if not truth:
        raise Disagreement(what)


@lru_cache(maxsize=1)
def line_to(host: str) -> http.client.HTTPSConnection:
    """A connection that is kept; it trusts the system's roots, or SSL_CERT_FILE's."""
    return http.client.HTTPSConnection(host, timeout=20, context=ssl.create_default_context())


def get(where: str, path: str, limit: int) -> bytes:
    """A published file, from the address or of a copy in a directory."""
    if where.startswith("https://"):
        data = ask(urlsplit(where), path, limit)
    else:
        files = [Path(where, path + end) for end in ("", ".html", "index.html")]
        file = next((file for file in files if file.is_file()), None)
        need(file and file.stat().st_size <= limit, f"{path}: missing, or over {limit} bytes")
        data = file.read_bytes() if file else b""
    need(len(data) <= limit, f"{path}: over {limit} bytes")
    return data


def ask(where: SplitResult, path: str, limit: int) -> bytes:
    line = line_to(where.netloc)
    for is_last in (False, True):
        try:
            line.request("GET", f"{where.path}/{path}", headers={"User-Agent": "verify.py"})
            answer = line.getresponse()
            if answer.status != 200:
                raise OSError(f"the server answers {answer.status}")
            return answer.read(limit + 1)
        except (http.client.HTTPException, OSError) as error:
            line.close()  # the server may have closed a line that was kept: once more
            if is_last:
                raise OSError(f"{path}: {error}") from error
    return b""


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def when(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


# --- Ed25519 (RFC 8032) --------------------------------------------------------------------------
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, ...]


def add(a: Point, n: Point) -> Point:
    """The sum of a point in extended coordinates and one given as (y+x, y-x, 2z, 2dt)."""
    x, y, z, t = a
    e, f, c, d = (y - x) * n[1], (y + x) * n[0], t * n[3], z * n[2]
    g, h, u, v = f - e, f + e, d - c, d + c
    return g * u % P, h * v % P, u * v % P, g * h % P


@lru_cache(maxsize=64)
def doublings(public: bytes, sign: int) -> list[Point]:
    """The key times 1, 2, 4, ... 2**255; with sign -1 of its negative."""
    y = int.from_bytes(public, "little") & (2**255 - 1)
    u, v = y * y - 1, D * y * y + 1
    x = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    x = x if (v * x * x - u) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    need(len(public) == 32 and y < P and (v * x * x - u) % P == 0, "a key that is none")
    x = sign * (P - x if x & 1 != public[31] >> 7 else x) % P
    row: list[Point] = []
    at: Point = (x, y, 1, x * y % P)
    for _ in range(256):
        row.append((at[1] + at[0], at[1] - at[0], 2 * at[2], 2 * D * at[3] % P))
        at = add(at, row[-1])
    return row


def check(public: bytes, signature: bytes, message: bytes, what: str) -> None:
    """Disagree unless the key signed the message."""
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little") % L
    at: Point = (0, 1, 1, 0)
    for scalar, powers in ((s, doublings(b"X" + b"f" * 31, 1)), (h, doublings(public, -1))):
        for bit, power in enumerate(powers):
            at = add(at, power) if scalar >> bit & 1 else at
    inverse = pow(at[2], -1, P)
    found = at[1] * inverse % P | (at[0] * inverse % P & 1) << 255
    is_right = len(signature) == 64 and s < L and found.to_bytes(32, "little") == r
    need(is_right, f"{what}: the signature is wrong")


# --- the log: RFC 6962 hashes in c2sp.org/tlog-tiles, its head a c2sp.org/tlog-checkpoint ---------
NOTE = rb"(([^\x00-\x20\x7f+]+)\n(0|[1-9]\d{0,15})\n([\w+/]{43}=)\n)\n((?:\xe2\x80\x94 [^\n]+\n)+)"


class Log:
    """The log, to be read once from its first leaf to its last; its head is not verified yet."""

    def __init__(self, where: str) -> None:
        raw = get(where, "log/checkpoint", MAX_NOTE)
        found = re.fullmatch(NOTE, raw)
        self.text, origin, size, root, lines = found.groups() if found else (b"",) * 5
        need(found and int(size) <= MAX_LEAVES, "checkpoint: none, or of too large a log")
        self.origin, self.head, self.signed = origin, int(size), base64.b64decode(root)
        words = [line.split(b" ") for line in lines.splitlines()]
        self.lines = [base64.b64decode(word[2]) for word in words if word[1:2] == [origin]]
        self.where, self.size = where, 0
        self.rows: list[list[bytes]] = [[]]  # of each level the hashes of its unfinished tile

    def check_head(self, public: bytes) -> datetime:
        """Both signatures by the log's key, of which the second binds a time: that time."""
        short = [self.origin + b"\n" + kind + public for kind in (b"\x01", b"\x04")]
        ids = [hashlib.sha256(text).digest()[:4] for text in short]
        found = [[raw[4:] for raw in self.lines if raw[:4] == each] for each in ids]
        need([len(each) for each in found] == [1, 1], "checkpoint: not signed by the log's key")
        (plain,), (timed,) = found
        seconds = int.from_bytes(timed[:8], "big")
        check(public, plain, self.text, "checkpoint")
        text = b"cosignature/v1\ntime %d\n" % seconds + self.text
        check(public, timed[8:], text, "checkpoint's time")
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=min(seconds, 1 << 37))

    def leaves(self, at_size: int, root: str) -> Iterator[tuple[int, bytes]]:
        """Every leaf; what they make is compared only in the end: believe nothing of them before.

        At `at_size` leaves the root must have been `root` (hex).
        """
        sha256 = hashlib.sha256
        need(at_size or root in ("", self.root().hex()), "the page names another root")
        for index in range((self.head + 255) // 256):
            width = min(256, self.head - 256 * index)
            data, at, row = self.tile("entries", index, width, MAX_BUNDLE), 0, self.rows[0]
            for _ in range(width):
                start = at + 2
                at = start + int.from_bytes(data[at:start], "big")
                row.append(sha256(b"\x00" + data[start:at]).digest())
                yield self.size, data[start:at]
                self.size += 1
                if self.size == at_size:
                    need(self.root().hex() == root, "the page names another root than the log's")
            need(at == len(data), f"bundle {index}: does not end where it must")
            level = 0
            while len(self.rows[level]) == 256:
                self.compare(level, self.size // 256 ** (level + 1) - 1)
                self.rows += [[]] if level + 1 == len(self.rows) else []
                self.rows[level + 1].append(root_of(self.rows[level]))
                self.rows[level] = []
                level += 1
        for level in range(len(self.rows)):
            self.compare(level, self.size // 256 ** (level + 1))
        need(self.root() == self.signed, "the log's leaves do not make its signed root")

    def tile(self, level: object, index: int, width: int, limit: int = 8192) -> bytes:
        digits = str(index).zfill((len(str(index)) + 2) // 3 * 3)
        path = f"log/tile/{level}/" + re.sub(r"(\d{3})(?=\d)", r"x\1/", digits)
        return get(self.where, path if width == 256 else f"{path}.p/{width}", limit)

    def compare(self, level: int, index: int) -> None:
        row = b"".join(self.rows[level])
        is_same = not row or self.tile(level, index, len(row) // 32) == row
        need(is_same, f"tile {index} of level {level}: not the tree's hashes")

    def root(self) -> bytes:
        below: list[bytes] = []
        for row in self.rows:
            below = [root_of(row + below)] if row or below else []
        return root_of(below)


def root_of(row: list[bytes]) -> bytes:
    sha256 = hashlib.sha256
    while len(row) > 1:
        lone = row[-1:] if len(row) % 2 else []
        row = [sha256(b"\x01" + a + b).digest() for a, b in zip(row[::2], row[1::2])] + lone
    return row[0] if row else sha256(b"").digest()


# --- what the leaves say, and what follows from it ------------------------------------------------
HEAD, TAIL_BYTES = b'{"payload":"', 212
TAIL = re.compile(
    rb'","payloadType":"application/vnd\.in-toto\+json","signatures":'
    rb'\[\{"keyid":"(ed25519:[0-9a-f]{32})","sig":"([\w+/]{86}==)"\}\]\}'
)
ROUND = "https://in-toto.io/attestation/test-result/v0.1"


class Record:
    """What the log and the ring of looks say, folded one by one, up to a moment."""

    def __init__(self, until: str) -> None:
        nothing: Any = ({}, [], [], [], [], {}, {}, {})
        self.keys, self.parts, self.catalogue, self.attested, self.gaps, *maps = nothing
        self.seen, self.ring, self.logged = maps  # newest by check, vantage, is-error; sequences
        self.until, self.since, self.checked = until, stamp(when(until) - RING), 0

    def add(self, raw: bytes, place: str, *, is_sample: bool) -> None:  # noqa: C901 -- one story
        """Fold a leaf of the log, or a round of the ring (place: looks)."""
        tail = TAIL.fullmatch(raw, max(0, len(raw) - TAIL_BYTES))
        if tail is None or raw[: len(HEAD)] != HEAD:
            raise Disagreement(f"{place}: not an envelope")
        text, (keyid, signature) = raw[len(HEAD) : -TAIL_BYTES], tail.groups()
        payload = a2b_base64(text)
        statement = json.loads(payload.decode())
        kind, body = statement["predicateType"], statement["predicate"]
        if place == "log:0":
            self.keys[body["keyid"]] = body
        key = self.keys.get(keyid.decode())
        if place == "looks" and key and key["role"] == "vantage" and key["retired"]:
            return  # of a vantage that was retired since
        if key is None or key["retired"]:
            raise Disagreement(f"{place}: by a key that the log does not name")
        proof = (key, payload, signature, text)
        if kind != ROUND:
            need(key["role"] == "ledger" and place != "looks", f"{place}: not the ledger's to say")
            self.own(kind.split(":")[3], body, place)
        else:
            own = body["troth"]
            vantage, number = own["vantage"], own["sequence"]
            if key["role"] != "vantage" or key["name"] != vantage:
                raise Disagreement(f"{place}: by another's key")
            if place == "looks" or own["looks"][0]["collected"] >= self.since:
                known = (self.ring if place == "looks" else self.logged).setdefault(vantage, {})
                need(place != "looks" or number > max(known, default=-1), "looks: out of order")
                known[number] = max(look["collected"] for look in own["looks"])
            place = f"looks:{vantage}:{number}" if place == "looks" else place
            for look in own["looks"]:
                at = (look["check"], vantage, look["verdict"] == "error")
                rank = (look["collected"], look["verdict"] == "fail")
                old = self.seen.get(at)
                if look["collected"] <= self.until and (old is None or rank > old[0]):
                    self.seen[at] = (rank, look, place, proof)
        if is_sample or kind != ROUND:
            self.check(proof, place)

    def check(self, proof: Any, place: str) -> None:
        key, payload, signature, text = proof
        is_canonical = canonical(json.loads(payload)) == payload
        need(is_canonical and base64.b64encode(payload) == text, f"{place}: not canonical")
        message = b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload)
        check(base64.b64decode(key["public"]), base64.b64decode(signature), message, place)
        self.checked += 1

    def own(self, kind: str, body: Any, place: str) -> None:
        """A leaf that the ledger itself says."""
        if kind == "key":
            digest = hashlib.sha256(base64.b64decode(body["public"])).hexdigest()[:32]
            need(body["keyid"] == f"ed25519:{digest}", f"{place}: a key that is not what it says")
            self.keys[body["keyid"]] = body
        elif kind == "catalogue":
            number, count = body.get("part", 1), body.get("parts", 1)
            self.parts = [*(self.parts if number > 1 else []), *body["promises"]]
            self.catalogue = self.parts if number == count else self.catalogue
        elif kind in ("attestation", "gap"):
            (self.attested if kind == "attestation" else self.gaps).append(body)

    def settle(self) -> None:
        """Check the signatures that the states rest on, and that the ring has no hole."""
        behind = {place: proof for _, _, place, proof in self.seen.values() if place[:4] == "log:"}
        for place, proof in behind.items():
            self.check(proof, place)
        for vantage, ring in self.ring.items():
            known = sorted(({**self.logged.get(vantage, {}), **ring}).items())
            for (last, _), (number, at) in zip(known, known[1:]):
                told = [g for g in self.gaps if (g["vantage"], g["reason"]) == (vantage, "hole")]
                is_told = any(gap["from"] <= at <= gap["to"] for gap in told)
                is_whole = number <= min(ring) or number == last + 1 or is_told
                need(is_whole, f"looks: {vantage} lacks {last + 1}")

    def looks(self, check_id: str) -> list[Any]:
        """Each vantage's newest pass or fail; not of those that were retired."""
        keys = [key for key in self.keys.values() if key["role"] == "vantage"]
        live = {key["name"] for key in keys if not key["retired"]}
        return [
            v[1] for k, v in self.seen.items() if k[0] == check_id and k[1] in live and not k[2]
        ]


def lasts(look: Any, of: Any) -> datetime:
    """Until when a verdict counts."""
    return min(when(look["expires"]), when(look["collected"]) + timedelta(seconds=of["ttl_s"]))


def state(promise: Any, looks: Any, attested: list[Any], now: datetime) -> tuple[str, str, str]:
    """State, reason, deciding check: the first rule that holds. `looks(id)`: newest verdicts."""

    def standing(of: Any) -> str:
        fresh = [look["verdict"] for look in looks(of["id"]) if now < lasts(look, of)]
        aged = [look["verdict"] for look in looks(of["id"]) if now >= lasts(look, of)]
        said: list[Any] = [("failing", "fail" in fresh), ("stale", "fail" in aged)]
        said += [("passing", len(fresh) >= of["quorum"]), ("stale", aged), ("thin", fresh)]
        return next((word for word, holds in said if holds), "unknown")

    checks = [(standing(of), of["id"]) for of in promise["checks"]]
    first = dict(reversed(checks))  # of each standing the first check
    mine = [a for a in attested if a["promise"] == promise["slug"] and when(a["signed"]) <= now]
    is_signed = any(now < when(a["expires"]) for a in mine)
    is_thin = (
        promise["severity"] == "critical" and len({of["method"] for of in promise["checks"]}) < 2
    )
    rules = (
        (promise["not_applicable_because"], "not-applicable", "by-setting", ""),
        ("failing" in first, "failing", "check-failed", "failing"),
        (promise["planned_for"], "planned", "dated", ""),
        ("stale" in first, "stale", "expired", "stale"),
        (mine and not is_signed, "stale", "attestation-expired", ""),
        ("unknown" in first, "unproven", "never-looked", "unknown"),
        ("thin" in first, "unproven", "quorum", "thin"),
        (promise["kind"] == "attested" and not is_signed, "unproven", "not-attested", ""),
        (is_signed, "attested", "signed", ""),
        (not checks, "unproven", "no-checks", ""),
        (is_thin, "unproven", "one-method", ""),
        (True, "proven", "all-fresh", ""),
    )
    return next((said, why, first.get(of, "")) for holds, said, why, of in rules if holds)


# --- the page ------------------------------------------------------------------------------------
def expected(entry: Any, page: Any, record: Record) -> Any:
    """What promises.json must say of a promise that the log declares."""
    now = when(page["generated"])
    found, why, about = state(entry, record.looks, record.attested, now)
    if page["stale"] and found in ("proven", "attested", "failing"):
        found, why = "stale", "expired" if entry["checks"] else "attestation-expired"
    same = "slug area kind severity claim rests_on planned_for not_applicable_because".split()
    controls = [{"framework": name, "id": number} for name, number in entry["controls"]]
    checks = []
    for of in entry["checks"]:
        looks: list[Any] = []
        for at in sorted(at for at in record.seen if at[0] == of["id"]):
            _, look, place, _ = record.seen[at]
            real = record.seen.get((*at[:2], False))
            if at[2] and real and look["collected"] <= real[1]["collected"]:
                continue  # an error is shown only when it is newer
            until = stamp(lasts(look, of))
            is_over = now < when(until) < when(page["valid_until"]) and not at[2]
            need(
                not is_over, f"{of['id']}: the page claims to be valid for longer than its evidence"
            )
            shown = {name: look[name] for name in ("verdict", "reason", "collected")}
            looks.append({**shown, "vantage": at[1], "expires": until, "evidence": place})
        names = ("id", "method", "interval_s", "ttl_s", "quorum", "command")
        checks.append({**{name: of[name] for name in names}, "looks": looks})
    rest = {"state": found, "reason": why, "reason_check": about, "controls": controls}
    return {**{name: entry[name] for name in same}, **rest, "checks": checks}


def compare(where: str, page: Any, record: Record) -> None:
    """Disagree unless promises.json and the pages say exactly what the record makes of it."""
    entries = record.catalogue
    slugs = [said["slug"] for said in page["promises"]]
    need(not page["trouble"], f"the page itself says: {page['trouble']}")
    need(slugs == [entry["slug"] for entry in entries], "other promises than the log declares")
    for said, entry in zip(page["promises"], entries):
        want = expected(entry, page, record)
        for of in said["checks"]:
            of.pop("probe_tested")
        for name, value in want.items():
            need(said[name] == value, f"{entry['slug']}: {name} is {said[name]}, expected {value}")
    top = get(where, "trust/", MAX_PAGE).decode()
    own = re.findall(r'<html lang="(\w+)"', top)
    for language in sorted({*re.findall(r'hreflang="(\w\w)"', top), *own}):
        folder = "trust/" if [language] == own else f"trust/{language}/"
        for path in ["", *slugs]:
            text = get(where, folder + path, MAX_PAGE).decode()
            shown = re.findall(r'data-slug="([^"]*)" data-state="([^"]*)"', text)
            want = [said for said in page["promises"] if path in ("", said["slug"])]
            is_same = shown == [(said["slug"], said["state"]) for said in want]
            is_same &= all(said["claim"][language] in html.unescape(text) for said in want)
            need(is_same, f"{folder}{path}: not what promises.json says")


def verify(where: str, *, key: str, is_all: bool, seed: int) -> str:
    """Check everything. Returns what was found to agree; raises Disagreement."""
    page = json.loads(get(where, "api/v1/promises.json", MAX_JSON))
    ring = [canonical(item) for item in json.loads(get(where, "api/v1/looks", MAX_JSON))["rounds"]]
    log = Log(where)
    size, record = page["log"]["size"], Record(page["generated"])
    need(
        size <= log.head and page["log"]["origin"] == log.origin.decode(), "the log was rolled back"
    )
    sample = set(random.Random(seed).sample(range(log.head), min(SAMPLE, log.head)))
    for index, raw in log.leaves(size, page["log"]["root"]):
        if index < size:  # what came after the page was made is hashed, and said on the next page
            record.add(raw, f"log:{index}", is_sample=is_all or index in sample)
        if index % 10_000 == 0 and sys.stderr.isatty():
            print(f"{index} of {log.head} leaves", end="\r", file=sys.stderr)
    for raw in ring:
        record.add(raw, "looks", is_sample=True)
    record.settle()
    ledger = [k for k in record.keys.values() if k["role"] == "ledger" and not k["retired"]][-1]
    made, clock = log.check_head(base64.b64decode(ledger["public"])), datetime.now(UTC)
    need(made <= clock + SLACK, f"the log's head is from the future: {made}")
    is_over = (
        where.startswith("https://")
        and not page["stale"]
        and when(page["valid_until"]) < clock - SLACK
    )
    need(not is_over, "what the page shows as current is past its own expiry")
    compare(where, page, record)
    need(key in ("", ledger["keyid"]), f"the log's key is {ledger['keyid']}, not the one given")
    known = (
        "as given" if key else "first seen, not compared: see security.txt or DNS, and use --key"
    )
    return (
        f"agrees: {len(page['promises'])} promises as of {page['generated']}, {log.head} leaves as "
        f"of {made}, {record.checked} signatures\nkey: {ledger['keyid']} ({known})"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "where", help="https address, or directory with a copy of what it publishes"
    )
    parser.add_argument("--key", default="", help="the log's key as you know it, ed25519:...")
    parser.add_argument("--all", action="store_true", help="check every leaf's signature")
    parser.add_argument("--seed", type=int, default=time.time_ns(), help="of the sample")
    given = parser.parse_args()
    resolve = socket.getaddrinfo  # *.localhost is this machine (RFC 6761); many systems do not know
    socket.getaddrinfo = lambda host, *rest, **more: resolve(
        "127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **more
    )
    where, is_live = given.where, given.where.startswith("https://")
    if not is_live and not Path(where).is_dir():
        print(f"could not look: {where} is neither an https address nor a directory")
        return 2
    where = re.sub(r"/(trust/.*)?$", "", where) if is_live else where
    for left in range(3 if is_live else 0, -1, -1):
        try:
            print(verify(where, key=given.key, is_all=given.all, seed=given.seed))
            break
        except OSError as error:
            print(f"could not look: {error}")
            return 2
        except Exception as error:  # noqa: BLE001 -- odd input of any kind is a disagreement
            if left == 0:
                what = "".join(c if c.isprintable() else "?" for c in str(error)[:1000])
                print(f"DOES NOT AGREE (--seed {given.seed}): {what}")
                return 1
            time.sleep(2)  # published anew while we were reading, perhaps: look again
    return 0


if __name__ == "__main__":
    sys.exit(main())
