"""The numbers that are sent, and the search for them."""

import base64

import pytest

from troth.kernel.cards import is_card, spans
from troth.promises.payments import probe
from troth.promises.payments.judge import PLACES


def test_cards_are_cards_and_twins_are_none():
    assert all(is_card(card) for card in (*probe.CARDS, probe.PLANTED))
    assert probe.PLANTED not in probe.CARDS
    assert not any(spans(f"n={twin}") for twin in probe.HARMLESS)
    assert set(probe.PLACES) == PLACES


@pytest.mark.parametrize("place", probe.PLACES)
def test_a_value_stands_in_its_place(place):
    method, path, headers, body = probe.placed("4111-1", place)
    whole = f"{method} {path} {headers} {body.decode()}"

    assert "4111-1" in whole


@pytest.mark.parametrize(
    "written",
    [
        b"n=4111111111111111",
        b"n=4111 1111 1111 1111",
        b"n=4111%201111%201111%201111",
        *(base64.b64encode(b"n" * length + b"4111111111111111&") for length in range(3)),
        b"x" * (probe.CHUNK_BYTES - 8) + b"4111111111111111",
    ],
)
def test_a_number_is_found_however_it_is_written(tmp_path, written):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "log").write_bytes(written)
    needles = {card: probe._written(card) for card in probe.CARDS}

    sweep = probe._Sweep(needles, 100_000_000).over([tmp_path, tmp_path / "none"])

    assert set(sweep.found) == {"4111111111111111"}
    assert (sweep.files, sweep.bytes, sweep.is_whole) == (1, len(written), True)


def test_what_is_too_much_is_told(tmp_path):
    (tmp_path / "log").write_bytes(b"x" * 1000)

    assert not probe._Sweep({}, 999).over([tmp_path]).is_whole
