"""Where replays of attacks end."""

import pytest

from troth.enforce.sink import MAX_NOTED, TAG, Sink, load
from troth.enforce.wire import Message


def asked(*tags: bytes) -> Message:
    headers = tuple((TAG, tag) for tag in tags)
    return Message(method=b"POST", target=b"/-/sink?a=1", headers=headers, body=b"x")


def test_what_arrives_is_noted_and_answered(tmp_path):
    sink = Sink(tmp_path / "sink.json")

    reply = sink.answer(asked(b"4f3a.attack.1"))
    sink.answer(asked(b"4f3a.harmless.1"))
    sink.save()

    assert reply.status == 200
    assert (TAG, b"4f3a.attack.1") in reply.headers
    assert load(tmp_path / "sink.json") == ("4f3a.attack.1", "4f3a.harmless.1")


def test_it_answers_with_a_leak_where_a_probe_asks_for_one(tmp_path):
    sink = Sink(tmp_path / "sink.json")

    def answer(target: bytes, *headers: tuple[bytes, bytes]):
        return sink.answer(Message(method=b"GET", target=target, headers=headers, body=b""))

    tag = (TAG, b"replay.answers")
    leak, plain = answer(b"/-/sink/leak/error", tag), answer(b"/-/sink/leak/none?a", tag)
    assert (leak.status, plain.status) == (500, 500)
    assert b"SQL syntax" in leak.body
    assert b"went wrong" in plain.body
    assert b"SQL" not in answer(b"/-/sink/leak/error").body, "nobody else is shown one"


@pytest.mark.parametrize("tags", [(), (b"short",), (b"x" * 65,), (b"a<b>c<d>",), (b"a" * 9,) * 2])
def test_what_has_no_tag_is_not_noted(tmp_path, tags):
    sink = Sink(tmp_path / "sink.json")

    reply = sink.answer(asked(*tags))
    sink.save()

    assert reply.body == b'{"noted":false}'
    assert load(tmp_path / "sink.json") == ()


def test_it_keeps_the_last(tmp_path):
    sink = Sink(tmp_path / "sink.json")
    for number in range(MAX_NOTED + 5):
        sink.answer(asked(b"%08d" % number))
    sink.save()

    noted = load(tmp_path / "sink.json")
    assert (len(noted), noted[0]) == (MAX_NOTED, "00000005")


def test_a_file_that_is_none(tmp_path):
    (tmp_path / "sink.json").write_text("[", encoding="utf-8")
    with pytest.raises(ValueError, match="truncated"):
        load(tmp_path / "sink.json")


def test_below_gone_nothing_is_there(tmp_path):
    sink = Sink(tmp_path / "sink.json")
    tag = ((TAG, b"4f3a.attack.1"),)

    def status(target: bytes) -> int:
        return sink.answer(Message(method=b"GET", target=target, headers=tag, body=b"")).status

    assert status(b"/-/sink/flow/gone/7?a=1") == 404
    assert status(b"/-/sink/flow/item/7?/sink/flow/gone/") == 200
