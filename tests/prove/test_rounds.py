"""Sealing: what changed apart, nothing personal, details kept apart and let go in time."""

import json
import stat
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.adapters.files import FileError
from troth.kernel.evidence import commit, read_round, unseal
from troth.kernel.model import Check, Method, Verdict
from troth.prove import rounds
from troth.prove.admit import MAX_LEAF_BYTES
from troth.prove.keys import Key, verify
from troth.prove.rounds import Details, Scribe, Subject, _parts
from troth.prove.run import Seen

SUBJECT = Subject(address="https://demo.localhost", certificate="a" * 64, config="c" * 64)


class Desk:
    def __init__(self, tmp_path, clock, make_check):
        self.key = Key(Ed25519PrivateKey.generate())
        self.folder, self.clock, self.make_check = tmp_path / "details", clock, make_check
        self.persisted = []
        self.scribe = Scribe(
            name="local",
            version="1",
            signer=self.key.signer,
            sequence=7,
            persist=self.persisted.append,
            details=Details(self.folder),
            dice=lambda n: bytes(range(n)),
            digests=lambda seen: "f" * 16,
        )

    def seen(self, id_="a.look", verdict=Verdict.PASS, method=Method.LOOK, **kw):
        check = self.make_check(id_, method)
        return Seen(check=check, verdict=verdict, reason="so", collected=self.clock(), **kw)

    def seal(self, *seen):
        sealed = self.scribe.seal(seen, SUBJECT, self.clock())
        for raw in sealed:
            verify(unseal(raw), self.key.public)
        return [read_round(unseal(raw).statement) for raw in sealed]

    def files(self):
        return {p.name: p.read_text() for p in self.folder.iterdir()}


@pytest.fixture
def desk(tmp_path, clock, make_check):
    return Desk(tmp_path, clock, make_check)


def test_a_sealed_round_says_all_that_it_binds(desk, clock):
    (made,) = desk.seal(desk.seen(public={"n": 1}))

    assert (made.vantage, made.sequence, made.version) == ("local", 8, "1")
    assert (made.subject, made.certificate, made.config) == (
        SUBJECT.address,
        SUBJECT.certificate,
        SUBJECT.config,
    )
    (look,) = made.looks
    assert (look.check, look.verdict, look.reason) == ("a.look", Verdict.PASS, "so")
    assert (look.collected, look.expires) == (clock(), clock() + timedelta(seconds=60))
    assert (look.public, look.commitment, look.probe) == ({"n": 1}, "", "f" * 16)
    assert desk.persisted == [8]
    assert desk.files() == {}


def test_hidden_facts_are_committed_to_and_kept_apart(desk):
    (made,) = desk.seal(desk.seen(hidden={"inner": "10.1.2.3"}))

    ((name, text),) = desk.files().items()
    entry = json.loads(text)
    assert made.looks[0].commitment == commit(entry["facts"], bytes.fromhex(entry["salt"]))
    assert (entry["check"], entry["vantage"], entry["sequence"]) == ("a.look", "local", 8)
    assert len(bytes.fromhex(entry["salt"])) == rounds.SALT_BYTES
    assert stat.S_IMODE((desk.folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(desk.folder.stat().st_mode) == 0o700


def test_what_changed_comes_in_a_round_of_its_own(desk):
    desk.seal(desk.seen("a.a"), desk.seen("b.b"), desk.seen("c.c"))

    made = desk.seal(desk.seen("a.a"), desk.seen("b.b", Verdict.FAIL), desk.seen("c.c"))

    assert [[k.check for k in one.looks] for one in made] == [["b.b"], ["a.a", "c.c"]]
    assert [one.sequence for one in made] == [9, 10]
    assert len(desk.seal(desk.seen("a.a"), desk.seen("b.b", Verdict.FAIL))) == 1


def test_quiet_details_go_after_hours_and_telling_ones_after_a_month(desk, clock):
    hidden = {"hidden": {"x": 1}}
    desk.seal(desk.seen(**hidden))
    desk.seal(desk.seen(**hidden))
    desk.seal(desk.seen(verdict=Verdict.FAIL, **hidden))
    desk.seal(desk.seen(verdict=Verdict.FAIL, **hidden))
    desk.seal(desk.seen("d.d", method=Method.DRILL, **hidden))
    desk.seal(desk.seen("d.d", method=Method.DRILL, **hidden))

    counts = {name.split("-")[0]: text.count("\n") for name, text in desk.files().items()}
    assert counts == {"quiet": 1, "telling": 5}
    details = Details(desk.folder)
    details.prune(clock.go(hours=2, minutes=59))
    assert len(desk.files()) == 2
    details.prune(clock.go(hours=1))
    assert [name.split("-")[0] for name in desk.files()] == ["telling"]
    details.prune(clock.go(days=31))
    assert desk.files() == {}


def test_the_sequence_is_remembered_before_it_is_used(desk):
    def refuse(_):
        raise FileError("the disk is full")

    desk.scribe.persist = refuse

    with pytest.raises(FileError):
        desk.seal(desk.seen())
    assert desk.scribe.sequence == 7


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1900), st.integers(0, 200), st.sampled_from('aé€𝄞\x01"')),
        min_size=1,
        max_size=80,
    )
)
def test_whatever_was_seen_fits_the_log(shape):
    check = Check(
        id="a-rather-long-slug-of-a-promise.and-what",
        method=Method.LOOK,
        interval=timedelta(seconds=20),
        ttl=timedelta(seconds=60),
        probe="",
        judge="",
        command="",
    )
    key = Key(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    seen = [
        Seen(
            check=check,
            verdict=Verdict.PASS,
            reason=letter * reason,
            collected=rounds.datetime(2026, 11, 21, tzinfo=rounds.UTC),
            public={"x": letter * (size // len(json.dumps(letter, ensure_ascii=False).encode()))},
        )
        for size, reason, letter in shape
    ]
    made = list(_parts(seen))
    assert [item for part in made for item in part] == seen

    class Nowhere:
        def keep(self, *_, **__):
            pass

    scribe = Scribe(
        name="v" * 39,
        version="1.2.3",
        signer=key.signer,
        sequence=10**9,
        persist=lambda _: None,
        details=Nowhere(),
        dice=bytes,
        digests=lambda _: "f" * 16,
    )
    now = rounds.datetime(2026, 11, 21, tzinfo=rounds.UTC)
    for raw in scribe.seal(seen, SUBJECT, now):
        assert len(raw) <= MAX_LEAF_BYTES
