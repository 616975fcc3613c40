"""The one writer: what it believes, what it refuses, and that nothing acknowledged is lost."""

import base64
import json
import os
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.adapters.chance import seeded
from troth.engines.tlog.errors import LogError
from troth.engines.tlog.merkle import leaf_hash, root_of
from troth.engines.tlog.read import iter_entries
from troth.kernel.evidence import Look, Round, round_statement, seal, stamp, statement, unseal
from troth.kernel.model import Attestation, Method, Verdict
from troth.prove import ring
from troth.prove.admit import MAX_AGE, REPEAT, Refused
from troth.prove.keys import Key
from troth.prove.leaves import body_of, promise_entry
from troth.prove.ledger import Ledger, LedgerError

ORIGIN = "troth.demo.localhost"


class Bench:
    """A ledger in a folder, a vantage with its key, and a clock."""

    def __init__(self, tmp_path, clock, checks):
        self.clock, self.checks = clock, checks
        self.log, self.ring = tmp_path / "log", tmp_path / "looks"
        self.key, self.mine = Key(Ed25519PrivateKey.generate()), Key(Ed25519PrivateKey.generate())
        self.sequence = 0
        self.ledger = self.open()
        self.ledger.enrol("local", self.mine.public, clock())

    def open(self, key=None):
        ledger = Ledger.open(self.log, self.ring, key or self.key, origin=ORIGIN, now=self.clock())
        entry = {"slug": "made-up", "checks": list(self.checks)}
        ledger.declare([entry], self.checks, config="c" * 64, version="1", now=self.clock())
        return ledger

    def again(self):
        self.ledger.close()
        self.ledger = self.open()

    def look(self, check="a.look", verdict=Verdict.PASS, **kw):
        given = {
            "check": check,
            "verdict": verdict,
            "collected": self.clock(),
            "expires": self.clock() + self.checks.get(check, self.checks["a.look"]).ttl,
            "reason": "all well",
            "probe": "0" * 16,
            "public": {},
        }
        return Look(**(given | kw))

    def round(self, *looks, sequence=None, key=None, vantage="local"):
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        made = Round(
            subject="https://demo.localhost",
            certificate="0" * 64,
            config="c" * 64,
            version="1",
            vantage=vantage,
            sequence=sequence,
            looks=looks or (self.look(),),
        )
        return seal(round_statement(made), (key or self.mine).signer)

    def submit(self, raw):
        return self.ledger.submit(raw, self.clock())

    def kinds(self):
        found = []
        for _, raw in iter_entries(self.log):
            kind = body_of(raw)[0]
            found.append(kind.split(":")[3] if kind.startswith("urn:") else "round")
        return found

    def bodies(self, wanted):
        found = [body_of(raw) for _, raw in iter_entries(self.log)]
        return [body for kind, body in found if f":{wanted}:" in kind]

    def kept(self):
        return list(ring.read(self.ring, ring.BEGINNING))


@pytest.fixture
def bench(tmp_path, clock, make_check):
    checks = {
        "a.look": make_check("a.look"),
        "b.look": make_check("b.look"),
        "c.scan": make_check("c.scan", Method.SCAN),
        "d.drill": make_check("d.drill", Method.DRILL),
    }
    made = Bench(tmp_path, clock, checks)
    yield made
    made.ledger.close()


def code_of(bench, raw):
    before = (bench.ledger.size, bench.kept())
    with pytest.raises(Refused) as refused:
        bench.submit(raw)
    assert (bench.ledger.size, bench.kept()) == before
    return refused.value.code


def test_the_log_begins_with_its_own_key_and_a_vantages_key_precedes_its_rounds(bench):
    bench.submit(bench.round())

    assert bench.kinds() == ["key", "catalogue", "key", "round"]
    own, vantage = bench.bodies("key")
    assert (own["role"], base64.b64decode(own["public"])) == ("ledger", bench.key.public)
    assert (vantage["role"], vantage["name"]) == ("vantage", "local")
    for _, raw in iter_entries(bench.log):
        envelope = unseal(raw)
        key = (
            bench.mine
            if b'"round"' in raw or envelope.keyid == bench.mine.signer.keyid
            else bench.key
        )
        key.private.public_key().verify(envelope.signature, envelope.signed)


def test_a_change_of_verdict_is_logged_and_the_same_verdict_is_not(bench, clock):
    sources = [bench.submit(bench.round())]
    for verdict in (Verdict.PASS, Verdict.FAIL, Verdict.FAIL, Verdict.ERROR, Verdict.PASS):
        clock.go(seconds=20)
        sources.append(bench.submit(bench.round(bench.look(verdict=verdict))))

    assert [s.split(":")[0] for s in sources] == ["log", "looks", "log", "looks", "log", "log"]
    assert sources[1] == "looks:local:2"
    assert len(bench.kept()) == 6


def test_every_drill_is_logged_and_an_unchanged_scan_now_and_then(bench, clock):
    for _ in range(25):
        bench.submit(bench.round(bench.look("c.scan")))
        clock.go(seconds=REPEAT.total_seconds() / 12)
    drills = [
        bench.submit(bench.round(bench.look("d.drill"))) for _ in range(2) if clock.go(seconds=1)
    ]

    assert bench.kinds().count("round") == 1 + 2 + len(drills)


def test_who_listens_hears_of_changes_after_they_are_on_record(bench, clock):
    told = []
    bench.ledger.tell(
        lambda c: told.append((c.check, c.before, c.after, c.source, bench.ledger.size))
    )
    bench.submit(bench.round())
    clock.go(seconds=20)
    bench.submit(bench.round())
    clock.go(seconds=20)
    bench.submit(bench.round(bench.look(verdict=Verdict.FAIL)))

    assert told == [
        ("a.look", None, Verdict.PASS, "log:3", 4),
        ("a.look", Verdict.PASS, Verdict.FAIL, "log:4", 5),
    ]


def test_the_same_round_again_is_believed_and_kept_once(bench):
    raw = bench.round()
    bench.submit(raw)
    size = bench.ledger.size
    bench.submit(raw)
    bench.again()
    bench.submit(raw)

    assert bench.kept() == [raw]
    assert bench.ledger.size == size


def test_a_replay_a_fork_and_a_rollback(bench, clock):
    first = bench.round()
    bench.submit(first)
    clock.go(seconds=20)
    bench.submit(bench.round())

    assert code_of(bench, first) == "replay"
    assert code_of(bench, bench.round(bench.look(verdict=Verdict.FAIL), sequence=2)) == "replay"
    bench.again()
    assert code_of(bench, first) == "replay"
    assert code_of(bench, bench.round(sequence=0)) == "replay"
    assert code_of(bench, bench.round(sequence=-5)) == "replay"


def test_other_keys_and_names(bench):
    other = Key(Ed25519PrivateKey.generate())

    assert code_of(bench, bench.round(key=other)) == "wrong-key"
    assert code_of(bench, bench.round(key=bench.key)) == "wrong-key"
    assert code_of(bench, bench.round(vantage="elsewhere")) == "unknown-vantage"
    with pytest.raises(LedgerError, match="another key"):
        bench.ledger.enrol("local", other.public, bench.clock())
    with pytest.raises(LedgerError, match="not a vantage's name"):
        bench.ledger.enrol("Local Host", other.public, bench.clock())


def test_a_retired_key_counts_no_more_and_does_not_come_back(bench, clock):
    bench.submit(bench.round())
    bench.ledger.retire("local", clock.go(seconds=1))

    assert code_of(bench, bench.round()) == "unknown-vantage"
    bench.again()
    with pytest.raises(LedgerError, match="retired"):
        bench.ledger.enrol("local", bench.mine.public, clock())
    new = Key(Ed25519PrivateKey.generate())
    assert bench.ledger.enrol("local", new.public, clock()) == 0
    bench.submit(bench.round(sequence=1, key=new))


def test_a_changed_byte_anywhere_is_refused(bench):
    raw = bench.round()
    for place in range(0, len(raw), 7):
        broken = bytearray(raw)
        broken[place] ^= 0x01
        assert code_of(bench, bytes(broken)) in {"not-evidence", "wrong-key", "unknown-vantage"}
    bench.submit(raw)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 5000])
def test_what_is_no_envelope(bench, raw):
    assert code_of(bench, raw) == "not-evidence"


def test_a_statement_of_another_kind_is_no_round(bench):
    body = {"vantage": "local", "from": "x", "to": "x", "reason": "x", "at": "x"}
    raw = seal(statement("gap", body, subject="x", digest="0" * 64), bench.mine.signer)

    assert code_of(bench, raw) == "not-evidence"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (lambda b: {"collected": b.clock() + timedelta(seconds=6)}, "future"),
        (lambda b: {"collected": b.clock() - MAX_AGE - timedelta(seconds=1)}, "too-old"),
        (lambda b: {"expires": b.clock() + timedelta(seconds=61)}, "too-fresh"),
        (lambda b: {"expires": b.clock()}, "too-fresh"),
        (lambda b: {"check": "never.declared"}, "unknown-check"),
        (lambda b: {"check": 5}, "unknown-check"),
        (lambda b: {"public": {"who": "jane.roe@example.com"}}, "personal"),
        (lambda b: {"reason": "from 8.8.4.4"}, "personal"),
        (lambda b: {"public": {"long": "x" * 60_000}}, "too-long"),
    ],
)
def test_an_implausible_look_refuses_the_whole_round(bench, changes, code):
    bad = replace(bench.look(), **changes(bench))

    assert code_of(bench, bench.round(bench.look("b.look"), bad)) == code


def test_twice_in_one_round_and_older_than_before(bench, clock):
    assert code_of(bench, bench.round(bench.look(), bench.look())) == "unknown-check"
    old = bench.look()
    clock.go(seconds=20)
    bench.submit(bench.round())

    assert code_of(bench, bench.round(old)) == "out-of-order"


def test_a_hole_in_the_sequence_is_on_record(bench, clock):
    bench.submit(bench.round())
    clock.go(seconds=40)
    bench.sequence += 1
    bench.submit(bench.round())

    (gap,) = bench.bodies("gap")
    assert (gap["vantage"], gap["reason"]) == ("local", "hole")
    assert gap["to"] == stamp(clock())


def test_silence_is_on_record_once_and_so_is_its_end(bench, clock):
    began = clock()
    bench.submit(bench.round())
    for _ in range(300):
        bench.ledger.tick(clock.go(seconds=1))
    bench.again()
    bench.ledger.tick(clock.go(seconds=70))
    bench.submit(bench.round())

    silent, back = bench.bodies("gap")
    assert (silent["reason"], silent["from"]) == ("silent", stamp(began))
    assert silent["to"] == stamp(began + timedelta(seconds=61))
    assert (back["reason"], back["from"], back["to"]) == ("returned", stamp(began), stamp(clock()))
    bench.ledger.tick(clock.go(seconds=61))
    assert len(bench.bodies("gap")) == 3


def test_an_hour_is_closed_with_the_root_over_its_rounds(bench, clock):
    sent = []
    for n in range(200):
        verdict = Verdict.ERROR if n == 7 else Verdict.PASS
        sent.append((clock().hour, bench.round(bench.look(verdict=verdict))))
        bench.submit(sent[-1][1])
        bench.ledger.tick(clock())
        if n == 100:
            bench.again()
        clock.go(seconds=20)
    bench.ledger.tick(clock())
    bench.again()
    bench.ledger.tick(clock())

    (closed,) = bench.bodies("rounds")
    first = [raw for hour, raw in sent if hour == 12]
    assert closed["root"] == root_of([leaf_hash(raw) for raw in first]).hex()
    assert closed["counts"] == {"a.look": {"pass": len(first) - 1, "fail": 0, "error": 1}}
    assert closed["sequences"] == {"local": len(first)}
    assert (closed["from"], closed["to"]) == (
        "2026-11-21T12:00:00.000Z",
        "2026-11-21T13:00:00.000Z",
    )


def test_an_hour_that_ended_while_the_ledger_was_away_is_closed_when_it_is_back(bench, clock):
    raw = bench.round()
    bench.submit(raw)
    bench.ledger.close()
    clock.go(hours=30)
    bench.ledger = bench.open()
    bench.ledger.tick(clock())

    (closed,) = bench.bodies("rounds")
    assert closed["root"] == leaf_hash(raw).hex()
    bench.submit(bench.round())
    bench.ledger.tick(clock.go(seconds=1))
    assert len(bench.kept()) <= 2


def test_a_number_is_not_given_twice_even_when_its_round_is_gone(bench, clock):
    for _ in range(5):
        bench.submit(bench.round())
        clock.go(seconds=20)
    bench.ledger.tick(clock.go(hours=1))
    bench.ledger.close()
    for _, path in ring.segments(bench.ring):
        path.unlink()
    bench.ledger = bench.open()

    assert bench.ledger.enrol("local", bench.mine.public, clock()) == 5
    assert code_of(bench, bench.round(sequence=5)) == "replay"


def test_old_rounds_are_let_go(bench, clock):
    for _ in range(60):
        bench.submit(bench.round())
        bench.ledger.tick(clock.go(minutes=5))

    assert 12 <= len(bench.kept()) <= 3 * 12 + 1  # two hours, at the hour that is just closed


def test_the_catalogue_is_logged_when_it_changes_in_as_many_leaves_as_it_needs(
    bench, clock, make_promise
):
    claim = dict.fromkeys(("en", "it", "de", "fr"), "A sentence. " * 40)
    promises = [make_promise(f"p{n}") for n in range(60)]
    digests = {c.id: "f" * 16 for p in promises for c in p.checks}
    entries = [promise_entry(p, claim, digests) for p in promises]

    def declare(config="d" * 64):
        return bench.ledger.declare(
            entries, bench.checks, config=config, version="1", now=clock.go(seconds=1)
        )

    assert declare()
    assert not declare()
    size = bench.ledger.size
    parts = bench.bodies("catalogue")[1:]
    assert [(p["part"], p["parts"]) for p in parts] == [
        (n + 1, len(parts)) for n in range(len(parts))
    ]
    assert len(parts) > 1
    assert [e for p in parts for e in p["promises"]] == entries
    assert declare("e" * 64)
    assert bench.ledger.size == size + len(parts)


def test_a_statement_is_recorded_once(bench, clock):
    signed = Attestation(
        promise="procedures-reviewed",
        by="the operator",
        role="operator",
        statement="Reviewed.",
        signed=clock(),
        expires=clock() + timedelta(days=365),
    )

    assert bench.ledger.attest(signed, clock.go(seconds=1))
    bench.again()
    assert not bench.ledger.attest(signed, clock.go(seconds=1))
    assert bench.ledger.attest(replace(signed, statement="Reviewed again."), clock.go(seconds=1))


def test_another_ledgers_key_is_refused(bench):
    bench.ledger.close()

    with pytest.raises(LogError):
        bench.open(Key(Ed25519PrivateKey.generate()))


def test_two_writers_are_refused(bench):
    with pytest.raises(Exception, match="one writer"):
        bench.open()


def test_a_torn_line_in_the_ring_is_cut_off(bench, clock):
    whole = bench.round()
    bench.submit(whole)
    ((_, path),) = ring.segments(bench.ring)
    with path.open("ab") as file:
        file.write(b'{"payload":"torn')
    assert bench.kept() == [whole]
    bench.again()
    clock.go(seconds=20)
    bench.submit(bench.round())

    assert len(bench.kept()) == 2
    assert all(unseal(raw) for raw in bench.kept())


def test_what_only_the_log_has_is_put_back_into_the_ring(bench):
    raw = bench.round()
    bench.submit(raw)
    bench.ledger.close()
    ((_, path),) = ring.segments(bench.ring)
    os.truncate(path, 0)
    bench.ledger = bench.open()

    assert bench.kept() == [raw]
    assert bench.submit(raw)
    assert bench.kept() == [raw]


def test_readers_of_the_ring(bench, clock):
    follower = ring.Follower(bench.ring)
    first = bench.round()
    bench.submit(first)
    assert follower.new() == [first]
    assert follower.new() == []
    clock.go(minutes=7)
    second = bench.round()
    bench.submit(second)

    assert follower.new() == [second]
    served = json.loads(ring.document(bench.ring, ring.BEGINNING, stamp(clock())))
    assert served["generated"] == stamp(clock())
    assert served["rounds"] == [json.loads(first), json.loads(second)]
    assert list(ring.read(bench.ring, ring.segment_of(clock()))) == [second]


def test_what_it_knows_is_what_log_and_ring_say(bench, clock):
    dice = seeded(7)
    names = list(bench.checks)
    for _ in range(120):
        clock.go(seconds=dice.choice([1, 20, 90, 700]))
        if dice.random() < 0.1:
            bench.sequence += 1  # lost on the way
        chosen = dice.sample(names, dice.randint(1, 4))
        looks = [bench.look(name, dice.choice(list(Verdict))) for name in chosen]
        bench.submit(bench.round(*looks))
        bench.ledger.tick(clock())
        if dice.random() < 0.15:
            before, size = bench.ledger._book.vantages, bench.ledger.size
            bench.again()
            after = bench.ledger._book.vantages
            assert bench.ledger.size == size
            for name, known in before.items():
                assert after[name].sequence == known.sequence
                assert after[name].digest == known.digest
                assert after[name].newest == known.newest
                assert after[name].logged == known.logged
                assert known.verdicts.items() >= after[name].verdicts.items()
                assert known.collected.items() >= after[name].collected.items()
