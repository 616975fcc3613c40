"""What is believed of log and ring, and what is refused."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.engines.tlog.read import read_log
from troth.kernel import evidence
from troth.kernel.evidence import Signer
from troth.kernel.model import State, Verdict
from troth.kernel.state import state
from troth.publish.record import Record, follow
from troth.publish.shapes import RecordError


def test_the_newest_catalogue_declares(bench):
    bench.catalogue(bench.promise("hsts"))
    bench.catalogue(bench.promise("hsts"), bench.promise("csp", planned_for="2027-01-01"))

    record, _, _ = bench.known()

    assert [d.promise.slug for d in record.declared] == ["hsts", "csp"]
    assert str(record.declared[1].promise.planned_for) == "2027-01-01"
    assert record.catalogue == "log:2"
    assert record.declared[0].probes == {"hsts.look": "0123456789abcdef"}


def test_a_catalogue_in_parts_counts_when_it_is_whole(bench):
    bench.own("catalogue", parts(bench.promise("hsts"), 1, 2))
    assert bench.known()[0].declared == ()

    bench.own("catalogue", parts(bench.promise("csp"), 2, 2))

    assert [d.promise.slug for d in bench.known()[0].declared] == ["hsts", "csp"]


@pytest.mark.parametrize("order", [(2, 2), (1, 3)])
def test_a_catalogue_with_a_part_missing_is_refused(bench, order):
    bench.own("catalogue", parts(bench.promise("hsts"), order[0], order[1]))
    if order == (1, 3):
        bench.own("catalogue", parts(bench.promise("csp"), 3, 3))

    with pytest.raises(RecordError, match="part"):
        bench.known()


def parts(declared, part, of):
    return {
        "promises": [declared],
        "config": "c" * 64,
        "version": "0.1.0",
        "part": part,
        "parts": of,
    }


def test_each_vantage_keeps_its_newest_real_verdict_and_a_newer_error(bench):
    bench.catalogue(bench.promise("hsts"))
    bench.round({"hsts.look": "pass"}, bench.NOW - timedelta(seconds=50))
    bench.round({"hsts.look": "fail"}, bench.NOW - timedelta(seconds=30), logged=False)
    bench.round({"hsts.look": "error"}, bench.NOW - timedelta(seconds=10), logged=False)
    bench.round({"hsts.look": "pass"}, bench.NOW - timedelta(seconds=40), vantage="away")

    record, _, _ = bench.known()

    by_vantage = {e.vantage: (e.verdict, e.source) for e in record.evidence()}
    assert by_vantage == {
        "home": (Verdict.FAIL, "looks:home:2"),
        "away": (Verdict.PASS, "log:5"),
    }
    assert record.errors["hsts.look", "home"].evidence.source == "looks:home:3"


def test_a_round_in_log_and_ring_is_cited_from_the_log(bench):
    bench.catalogue(bench.promise("hsts"))
    index = bench.round({"hsts.look": "pass"}, bench.NOW)

    (seen,) = bench.known()[0].evidence()

    assert seen.source == f"log:{index}"


def test_a_retired_vantage_counts_no_more(bench):
    bench.catalogue(bench.promise("hsts"))
    bench.round({"hsts.look": "pass"}, bench.NOW)
    bench.name_key(bench.public_of("home"), "vantage", "home", retired=True)

    record, _, _ = bench.known()

    assert record.evidence() == []
    (declared,) = record.declared
    assert state(declared.promise, record.evidence(), [], bench.NOW).state is State.UNPROVEN


def test_a_round_by_a_key_that_the_log_does_not_name_is_refused(bench):
    bench.catalogue(bench.promise("hsts"))
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    bench.vantages["home"] = Signer(evidence.key_id(public), private.sign)
    bench.round({"hsts.look": "pass"}, bench.NOW)

    with pytest.raises(RecordError, match="does not name"):
        bench.known()


def test_a_vantage_may_not_speak_for_another_nor_for_the_ledger(bench):
    home = bench.vantage("home")
    bench.vantage("away")
    bench.vantages["away"] = home
    bench.round({"hsts.look": "pass"}, bench.NOW, vantage="away")
    with pytest.raises(RecordError, match="another's key"):
        bench.known()


def test_a_leaf_of_ours_must_be_the_ledgers(bench):
    bench.ledger = bench.vantage("home")
    bench.catalogue(bench.promise("hsts"))

    with pytest.raises(RecordError, match="only the ledger"):
        bench.known()


def test_a_log_must_begin_with_its_own_key(bench):
    record = Record()
    leaves = dict(read_log(bench.folder, bench.verifier).entries())
    bench.catalogue(bench.promise("hsts"))
    second = dict(read_log(bench.folder, bench.verifier).entries())[1]

    with pytest.raises(RecordError, match="own key"):
        record.add(0, second)
    assert Record().add(0, leaves[0]).kind == "key"


@pytest.mark.parametrize(
    "bad",
    [
        {"severity": "terrible"},
        {"checks": [{"id": "hsts.look"}]},
        {"claim": None},
        {"controls": [["SOC2"]]},
    ],
)
def test_a_catalogue_of_another_shape_is_refused(bench, bad):
    bench.catalogue(bench.promise("hsts", **bad))

    with pytest.raises(RecordError):
        bench.known()


def test_every_changed_byte_of_a_signature_is_refused(bench):
    bench.catalogue(bench.promise("hsts"))
    log = read_log(bench.folder, bench.verifier)
    (_, first), (_, second) = log.entries()
    altered = second.replace(b'"sig":"', b'"sig":"A', 1)
    record = Record()
    record.add(0, first)

    with pytest.raises(RecordError):
        record.add(1, altered)


def test_following_goes_on_where_it_stopped(bench):
    bench.catalogue(bench.promise("hsts"))
    record = Record()
    log = read_log(bench.folder, bench.verifier)
    follow(record, log, 0)
    bench.round({"hsts.look": "pass"}, bench.NOW)

    more = follow(record, read_log(bench.folder, bench.verifier), log.head.size)

    assert [leaf.kind for leaf in more] == ["key", "round"]
    assert len(record.evidence()) == 1
