"""What a vantage remembers, and that lost memory is no harm."""

from datetime import timedelta

import pytest

from troth.kernel.model import Method
from troth.prove.memory import Memory


@pytest.fixture
def drill(make_check):
    day = timedelta(days=1)
    return make_check("d.drill", Method.DRILL, interval=day, ttl=day * 2)


def test_the_sequence_and_rare_checks_outlive_a_restart(tmp_path, clock, make_check, drill):
    path, look = tmp_path / "vantage.json", make_check()
    memory = Memory(path)
    assert memory.begin([look, drill], "c", clock()) == {}
    memory.note(look, clock())
    memory.note(drill, clock())
    memory.save(12)

    again = Memory(path)

    assert again.sequence == 12
    assert again.begin([look, drill], "c", clock()) == {"d.drill": clock()}
    assert path.stat().st_mode & 0o777 == 0o600


def test_another_configuration_or_a_clock_that_went_back_forgets(tmp_path, clock, drill):
    memory = Memory(tmp_path / "vantage.json")
    memory.begin([drill], "c", clock())
    memory.note(drill, clock())
    memory.save(1)

    assert Memory(tmp_path / "vantage.json").begin([drill], "d", clock()) == {}
    assert Memory(tmp_path / "vantage.json").begin([drill], "c", clock.go(hours=-1)) == {}
    assert Memory(tmp_path / "vantage.json").begin([], "c", clock.go(hours=2)) == {}


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"sequence":"x","config":"","ran":{}}', b"\xff"]
)
def test_what_cannot_be_read_is_nothing_remembered(tmp_path, raw):
    path = tmp_path / "vantage.json"
    path.write_bytes(raw)

    memory = Memory(path)

    assert (memory.sequence, memory.ran) == (0, {})
    memory.save(3)
    assert Memory(path).sequence == 3
