"""Every target of `make fuzz`, a little, so that it runs when it is wanted; and what was found."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fuzz import targets as timing
from fuzz.targets import Slow, seeds, targets, timely

NAMES = tuple(targets())
TWO_HOSTS = b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
AFTER_THE_LAST = b"GET /a\r\n\r\nPOST /b HTT \r\n\r\n"  # HTTP/0.9 ends a connection
FOUND: dict[str, tuple[str, bytes]] = {
    "two hosts, joined by a WSGI server, were one": ("doors", TWO_HOSTS),
    "what came after the last word was told as refused": ("messages", b"\x09\n" + AFTER_THE_LAST),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_target_bears_its_seeds_and_any_bytes(name):
    target = targets()[name]
    for seed in seeds(name):
        target(seed)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=300) | st.sampled_from(seeds(name)).flatmap(_changed))
    def bears(data):
        target(data)

    bears()


def _changed(seed):
    """A seed with something else in its middle."""
    return st.tuples(st.integers(0, len(seed)), st.binary(max_size=20)).map(
        lambda change: seed[: change[0]] + change[1] + seed[change[0] :]
    )


@pytest.mark.parametrize("about", FOUND)
def test_what_was_found_stays_mended(about):
    name, data = FOUND[about]
    targets()[name](data)


def test_what_is_slow_each_time_is_found(monkeypatch):
    moments = itertools.count(step=10)
    monkeypatch.setattr(timing.time, "thread_time", lambda: next(moments))

    with pytest.raises(Slow):
        timely(lambda: None, 1, "slow")
