"""The editor: takes in what is new once, refuses what cannot be believed, and recovers."""

import json
import subprocess
from datetime import timedelta

import pytest

from troth.engines.tlog.log import Log
from troth.kernel.model import State
from troth.publish.editor import Editor, cited

S = timedelta(seconds=1)


@pytest.fixture
def editor(bench):
    bench.catalogue(bench.promise("hsts"))
    return Editor(bench.folder, bench.verifier, bench.masthead(), how={})


def test_it_follows_log_and_ring(bench, editor):
    assert editor.page([], bench.NOW).row("hsts").state is State.UNPROVEN

    bench.round({"hsts.look": "pass"}, bench.NOW - 9 * S)
    assert editor.page(bench.ring, bench.NOW).row("hsts").state is State.PROVEN

    bench.round({"hsts.look": "fail"}, bench.NOW - 2 * S, logged=False)
    page = editor.page(bench.ring, bench.NOW)
    assert page.row("hsts").state is State.FAILING
    assert page.row("hsts").newest.evidence.source == "looks:home:2"
    assert page.head.size == bench.log.size


def test_a_damaged_log_leaves_nothing_green_until_it_is_mended(bench, editor):
    bench.round({"hsts.look": "pass"}, bench.NOW - S)
    assert editor.page(bench.ring, bench.NOW).row("hsts").state is State.PROVEN
    bundle = bench.folder / "tile" / "entries" / "000.p" / "4"
    whole = bundle.read_bytes()
    bench.catalogue(bench.promise("hsts", severity="low"))
    newest = bench.folder / "tile" / "0" / "000.p" / "5"
    tile = newest.read_bytes()
    newest.write_bytes(tile[:-1] + bytes([tile[-1] ^ 1]))

    page = editor.page(bench.ring, bench.NOW)

    assert page.trouble
    assert {row.state for row in page.rows} == {State.STALE}
    newest.write_bytes(tile)
    assert editor.page(bench.ring, bench.NOW).row("hsts").state is State.PROVEN
    assert whole == bundle.read_bytes() if bundle.exists() else True


def test_a_log_that_was_replaced_is_refused(bench, editor, tmp_path):
    bench.round({"hsts.look": "pass"}, bench.NOW - S)
    editor.page(bench.ring, bench.NOW)
    other = Log.open(tmp_path / "other", bench.key, now=bench.NOW)
    other.append([b"x"] * 9, bench.NOW)
    other.close()
    for name in ("checkpoint", "tile"):
        (bench.folder / name).rename(bench.folder / f"old-{name}")
        (tmp_path / "other" / name).rename(bench.folder / name)

    page = editor.page(bench.ring, bench.NOW)

    assert "not the one" in page.trouble
    assert State.PROVEN not in page.counts


def test_a_missing_log_says_so(bench, tmp_path):
    editor = Editor(tmp_path / "nowhere", bench.verifier, bench.masthead(), how={})

    page = editor.page([], bench.NOW)

    assert page.trouble == "there is no checkpoint"
    assert page.rows == ()


def test_a_forged_round_in_the_ring_is_refused(bench, editor):
    bench.round({"hsts.look": "pass"}, bench.NOW - S, logged=False)
    forged = bench.ring[0].replace(b'"sig":"', b'"sig":"AAAA', 1)

    page = editor.page([forged], bench.NOW)

    assert page.trouble
    assert page.rows == ()


def test_looks_are_the_last_hours_rounds_as_sealed(bench, editor):
    bench.round({"hsts.look": "pass"}, bench.NOW - timedelta(hours=2), logged=False)
    bench.round({"hsts.look": "pass"}, bench.NOW - S, logged=False)
    editor.page(bench.ring, bench.NOW)

    told = json.loads(editor.looks(bench.NOW))

    assert told["rounds"] == [json.loads(bench.ring[1])]


def test_every_cited_piece_of_evidence_has_its_page(bench, editor, press):
    bench.round({"hsts.look": "pass"}, bench.NOW - 9 * S)
    bench.round({"hsts.look": "pass"}, bench.NOW - S, logged=False)
    page = editor.page(bench.ring, bench.NOW)

    pieces = {piece.source: piece for piece in editor.pieces(page, lambda _: False)}

    assert cited(page) <= set(pieces)
    assert {"log:3", "looks:home:2", "log:1"} <= set(pieces)
    text = press.evidence(page, pieces["looks:home:2"])
    assert "home" in text
    assert 'data-key="log:2"' in text
    assert list(editor.pieces(page, lambda _: True)) == []


def test_the_printed_openssl_commands_verify_the_envelope(bench, editor, tmp_path):
    bench.round({"hsts.look": "pass"}, bench.NOW - S)
    page = editor.page(bench.ring, bench.NOW)
    (piece,) = [p for p in editor.pieces(page, lambda _: False) if p.source == "log:3"]
    script = tmp_path / "check.sh"
    # jq and xxd are not everywhere that tests run; their two uses are spelled with Python here
    read = "python3 -c 'import json,sys; e=json.load(open(\"log-3.json\")); print({})'"
    text = piece.openssl.replace("jq -r .payload log-3.json", read.format('e["payload"]'))
    text = text.replace(
        "jq -r .signatures[0].sig log-3.json", read.format('e["signatures"][0]["sig"]')
    ).replace(
        "xxd -r -p",
        "python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))'",
    )
    script.write_text(text)
    for raw, code in ((piece.raw, 0), (piece.raw.replace(b'"sig":"', b'"sig":"AAAA'), 1)):
        (tmp_path / "log-3.json").write_bytes(raw)
        done = subprocess.run(["sh", str(script)], cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode != 0) == (code != 0), done.stderr
