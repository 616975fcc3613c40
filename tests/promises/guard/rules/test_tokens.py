"""Sealed texts: opened by the ring that sealed them, for the same purpose, unchanged."""

from hypothesis import given
from hypothesis import strategies as st

from troth.promises.guard.rules.tokens import MAX_TOKEN, Key, Keyring, opened, sealed, tag

OLD, NEW = Key("k0", b"0" * 32), Key("k1", b"1" * 32)
RING = Keyring((NEW, OLD))


@given(st.from_regex(r"[a-z0-9.-]{0,40}", fullmatch=True))
def test_what_was_sealed_is_opened(payload):
    token = sealed(RING, "p", payload)

    assert opened(RING, "p", token) == (NEW, payload)
    assert opened(RING, "q", token) is None
    assert opened(Keyring((OLD,)), "p", token) is None
    assert opened(Keyring(), "p", token) is None
    assert opened(RING, "p", sealed(Keyring((OLD,)), "p", payload)) == (OLD, payload)
    assert opened(RING, "p", "x" + token) is None


@given(st.text(max_size=80))
def test_no_other_text_is_opened(text):
    assert opened(RING, "p", text) is None


def test_a_long_text_is_not_even_looked_at():
    assert opened(RING, "p", sealed(RING, "p", "x" * MAX_TOKEN)) is None


def test_tags_tell_keys_purposes_and_texts_apart():
    tags = {tag(key, purpose, text) for key in (OLD, NEW) for purpose in "ab" for text in "xy"}

    assert len(tags) == 8
    assert {len(each) for each in tags} == {24}
    assert tag(OLD, "a", "x", 3) == tag(OLD, "a", "x")[:6]
    assert tag(OLD, "ab", "c") != tag(OLD, "a", "bc")


def test_a_key_shows_nothing_of_itself():
    assert "1111" not in repr(RING)
    assert bool(RING)
    assert not Keyring()
