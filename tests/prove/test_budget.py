"""How large the log of an idle installation grows: counted on a ledger that lives through an hour.

What an hour brings is counted from real leaves: the hourly leaf, and what the first hour logs of
every scan and attack, which comes again every `REPEAT`.
"""

import sys
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.engines.tlog.read import iter_entries
from troth.kernel.evidence import TEST_RESULT
from troth.kernel.model import Method, Verdict
from troth.prove.admit import REPEAT
from troth.prove.due import due
from troth.prove.keys import Key
from troth.prove.leaves import body_of, promise_entry
from troth.prove.ledger import Ledger
from troth.prove.rounds import Scribe, Subject
from troth.prove.run import Seen

BUDGET_BYTES = 50 * 10**6  # in 90 days; design, section 3
DAYS = 90
LOOKS, SCANS, ATTACKS, DRILLS = 45, 25, 25, 6
PER_LEAF = 32 + 2 + 1  # its hash, its length, its share of the upper tiles


class Nowhere:
    def keep(self, *_, **__):
        """Details are no part of the log."""


def catalogue(make_check):
    day = timedelta(days=1)
    kinds = (
        (LOOKS, Method.LOOK, {}),
        (SCANS, Method.SCAN, {}),
        (ATTACKS, Method.ATTACK, {}),
        (DRILLS, Method.DRILL, {"interval": day, "ttl": day + timedelta(hours=2)}),
    )
    return [
        make_check(f"a-typical-promise-{number}.{method.value}", method, **timing)
        for count, method, timing in kinds
        for number in range(count)
    ]


def test_ninety_idle_days_fit_the_budget(tmp_path, clock, make_check, make_promise):
    checks = catalogue(make_check)
    key, mine = Key(Ed25519PrivateKey.generate()), Key(Ed25519PrivateKey.generate())
    ledger = Ledger.open(tmp_path / "log", tmp_path / "ring", key, origin="o.example", now=clock())
    promise = make_promise("all", *checks)
    entry = promise_entry(promise, {"en": "x" * 300}, {c.id: "0" * 16 for c in checks})
    by_id = {check.id: check for check in checks}
    ledger.declare([entry], by_id, config="c" * 64, version="1", now=clock())
    ledger.enrol("local", mine.public, clock())
    scribe = Scribe(
        name="local",
        version="0.1.0",
        signer=mine.signer,
        sequence=0,
        persist=lambda _: None,
        details=Nowhere(),
        dice=bytes,
        digests=lambda _: "0123456789abcdef",
    )
    subject = Subject(address="https://app.example.com", certificate="a" * 64, config="c" * 64)
    ran = {}

    def batch(some):
        if not some:
            return
        reason = "48 answers carry Strict-Transport-Security over HTTPS only, once each"
        seen = [
            Seen(
                check=check,
                verdict=Verdict.PASS,
                reason=reason,
                collected=clock(),
                public={"answers": 48},
                hidden={"inner": "value"},
            )
            for check in some
        ]
        ran.update(dict.fromkeys((check.id for check in some), clock()))
        for raw in scribe.seal(seen, subject, clock()):
            ledger.submit(raw, clock())

    end = clock() + timedelta(hours=1, seconds=20)
    while clock() < end:
        ready = due(checks, ran, clock())
        batch([check for check in ready if check.method is Method.LOOK])
        batch([check for check in ready if check.method is Method.SCAN])
        for check in ready:
            if check.method in (Method.ATTACK, Method.DRILL):
                batch([check])
        ledger.tick(clock())
        clock.go(seconds=20)
    leaves = [raw for _, raw in iter_entries(tmp_path / "log")]
    ledger.close()

    cost = {"rounds": 0, "look": 0, "slow": 0, "drill": 0, "rest": 0}
    for raw in leaves:
        kind, body = body_of(raw)
        if "rounds" in kind:
            cost["rounds"] += len(raw) + PER_LEAF
        elif kind == TEST_RESULT:
            method = by_id[body["troth"]["looks"][0]["check"]].method.value
            name = method if method in cost else "slow"
            cost[name] += len(raw) + PER_LEAF
        else:
            cost["rest"] += len(raw) + PER_LEAF
    hours, days = 24 * DAYS, DAYS
    repeats = timedelta(days=DAYS) / REPEAT
    total = cost["rounds"] * hours + cost["slow"] * repeats + cost["drill"] * days
    total += cost["look"] + cost["rest"]
    said = f"{len(checks)} checks: {cost} bytes; {total / 1e6:.1f} MB in {DAYS} idle days\n"
    sys.stdout.write(said)
    assert cost["rounds"]
    assert cost["slow"]
    assert total <= BUDGET_BYTES
