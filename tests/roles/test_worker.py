"""The worker as a process: it says what it sees, and nothing good when it sees nothing."""

import base64
import os
import signal
import time

from troth.kernel.evidence import read_round, unseal
from troth.kernel.model import Verdict
from troth.prove import ring
from troth.prove.leaves import body_of


def rounds(ledger):
    raw = ring.read(ledger.places.looks, ring.BEGINNING)
    return [read_round(unseal(one).statement) for one in raw]


def test_an_installation_that_is_away_proves_nothing(ledger, worker, until):
    worker.start()
    until(lambda: any(len(one.looks) > 5 for one in rounds(ledger)))

    looks = [look for one in rounds(ledger) for look in one.looks]
    assert Verdict.PASS not in {look.verdict for look in looks}
    assert all(look.reason for look in looks)
    assert {one.certificate for one in rounds(ledger)} == {"0" * 64}
    assert oct((worker.places.keys / "vantage-local.key").stat().st_mode)[-3:] == "600"


def test_rounds_wait_for_the_ledger_and_no_number_is_missing(ledger, worker, until):
    worker.start()
    until(lambda: rounds(ledger))
    ledger.end(signal.SIGKILL)
    before = len(rounds(ledger))
    worker.process.send_signal(signal.SIGHUP)
    until(lambda: b"ledger.away" in worker.output.read_bytes())
    ledger.start()
    until(lambda: len(rounds(ledger)) > before)

    sequences = [one.sequence for one in rounds(ledger)]
    assert sequences == list(range(1, len(sequences) + 1))
    assert not [raw for raw in ledger.verified() if ":gap:" in body_of(raw)[0]]


def test_a_restart_goes_on_where_it_was_even_without_its_memory(ledger, worker, until):
    worker.start()
    until(lambda: rounds(ledger))
    assert worker.end(signal.SIGTERM) == 0
    before = rounds(ledger)[-1].sequence
    worker.start()
    until(lambda: rounds(ledger)[-1].sequence > before)
    worker.end(signal.SIGKILL)
    (worker.places.private / "vantage-local.json").unlink()
    before = rounds(ledger)[-1].sequence
    worker.start()
    until(lambda: rounds(ledger)[-1].sequence > before)

    keys = [body_of(raw) for raw in ledger.verified()]
    assert [body["name"] for kind, body in keys if ":key:" in kind].count("local") == 1
    assert b"round.refused" not in worker.output.read_bytes()


def test_a_new_configuration_is_looked_at_at_once_and_a_bad_one_refused(ledger, worker, until):
    worker.start()
    until(lambda: rounds(ledger))
    first = rounds(ledger)[0].config
    text = worker.config.read_text()
    worker.config.write_text(text + "[edge.hsts]\nmax_age_s = 86400\n")
    until(lambda: rounds(ledger)[-1].config != first)
    worker.config.write_text(text + "[nonsense]\n")
    until(lambda: b"config.refused" in worker.output.read_bytes())

    assert worker.process.poll() is None


def test_it_ends_at_once_even_while_probes_hang(ledger, worker, serve_mute, until):
    port = serve_mute()
    text = worker.config.read_text()
    worker.config.write_text(text + f"[edge]\nport = {port}\nhttp_port = {port}\n")
    worker.start()
    until(serve_mute.count)
    began = time.monotonic()

    assert worker.end(signal.SIGTERM) == 0
    assert time.monotonic() - began < 3


def test_a_vantage_whose_key_was_exchanged_is_not_believed(ledger, worker, until):
    public = base64.b64encode(os.urandom(32)).decode()
    assert ledger.ask(do="hello", vantage="local", public=public)["ok"]
    worker.start()
    until(lambda: b"another key is enrolled" in worker.output.read_bytes())

    assert not rounds(ledger)
