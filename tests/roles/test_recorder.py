"""What a deciding process writes down: one id everywhere, a sample of many alike, no waiting."""

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from troth.adapters import spool
from troth.enforce.bans import Bans
from troth.enforce.decide import Decision
from troth.enforce.events import Event
from troth.enforce.keeper import Means
from troth.kernel.request import Hit, Refusal, Request
from troth.promises.guard.rules.bans import Sentence
from troth.promises.guard.rules.ranges import Ranges
from troth.promises.guard.settings import Events, GuardSettings
from troth.promises.guard.settings.learn import Learn
from troth.roles import events
from troth.roles.places import Places
from troth.roles.recorder import SAMPLE, Recorder

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HIT = Hit(rule="9001", place="ARGS:q", value=b"<script>", message="markup")
NO = Decision(refusal=Refusal(slug="waf", code="rules"), hits=(HIT,))


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "data")
    made.prepare()
    return made


def request(path: bytes = b"/a") -> Request:
    return Request(method=b"GET", target=path, host=b"a.localhost", headers=(), client="192.0.2.1")


def stored(places: Places) -> list[dict]:
    return [
        json.loads(line)
        for path in spool.segments(places.spool / "requests")
        for line, _ in spool.lines(path)
    ]


def test_a_refusal_is_an_event_and_a_stored_request_under_one_id(places: Places):
    recorder = Recorder(places, GuardSettings(), lambda *_: None)
    means = recorder.means(Means(now=lambda: NOW, new_id=lambda: "", told=lambda *_: None))

    means.wrote(Event(id="00ff00ff", at=NOW, request=request(), decision=NO))
    means.kept("00ff00ff", request(), NO, NOW)
    recorder.close()

    (event,) = events.last(places, 10)
    assert json.loads(event)["metadata"]["uid"] == "00ff00ff"
    assert events.told(event) == (
        "2026-01-01 00:00:00  00ff00ff  refused  192.0.2.1  GET /a  "
        "waf (rules); rule 9001 at ARGS:q"
    )
    assert [each["id"] for each in stored(places)] == ["00ff00ff"]
    (path,) = spool.segments(places.spool / "requests")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_ban_is_an_event(places: Places):
    recorder = Recorder(places, GuardSettings(), lambda *_: None)
    bans = Bans(Sentence(GuardSettings().bans), Ranges, lambda *_: None)
    means = Means(now=lambda: NOW, new_id=lambda: "00ff00ff", told=lambda *_: None)
    recorder.ban_events(bans, means)

    bans.due("192.0.2.1", "login:failures", timedelta(minutes=15), NOW)
    bans.lift("192.0.2.1")
    recorder.close()

    (event,) = events.last(places, 10)
    assert json.loads(event)["unmapped"]["ban"]["cause"] == "login:failures"
    assert "banned until 2026-01-01T00:15:00+00:00" in events.told(event)


def test_many_alike_are_a_sample_and_another_is_kept(places: Places):
    recorder = Recorder(places, GuardSettings(), lambda *_: None)
    for number in range(SAMPLE + 30):
        recorder.kept(f"{number:08x}", request(), NO, NOW)
    recorder.kept("ffffffff", request(b"/b"), NO, NOW)
    recorder.kept("eeeeeeee", request(), NO, NOW + timedelta(hours=1))
    recorder.close()

    ids = [each["id"] for each in stored(places)]
    assert len(ids) == SAMPLE + 2
    assert ids[-2:] == ["ffffffff", "eeeeeeee"]


def test_nothing_is_stored_where_the_operator_does_not_want_it(places: Places):
    recorder = Recorder(places, GuardSettings(events=Events(explain_days=0)), lambda *_: None)
    recorder.kept("00ff00ff", request(), NO, NOW)
    recorder.close()

    assert stored(places) == []


def test_learning_follows_the_settings(places: Places):
    recorder = Recorder(places, GuardSettings(), lambda *_: None)
    assert not recorder.watch.is_on
    recorder.renew(GuardSettings(learn=Learn(watch=True)))
    assert recorder.watch.is_on


def test_the_newest_events_come_across_segments(places: Places):
    folder = places.spool / "events"
    folder.mkdir()
    for segment in range(3):
        (folder / f"{segment:013d}-1-1.jsonl").write_bytes(
            b"".join(b'{"n":%d}\n' % (segment * 10 + n) for n in range(10))
        )

    assert [json.loads(line)["n"] for line in events.last(places, 12)] == list(range(18, 30))
    assert events.last(places, 1000)[0] == b'{"n":0}'
    assert events.told(b"no event") == "no event"


def test_what_is_written_from_now_on_is_followed(places: Places):
    folder = places.spool / "events"
    folder.mkdir()
    old = folder / "0000000000001-1-1.jsonl"
    old.write_bytes(b"before\n")
    following = events.follow(places)

    def after() -> bytes:
        with old.open("ab") as file:
            file.write(b"after\nhalf")
        return next(following)

    later = folder / "0000000000002-1-1.jsonl"
    # What stands there at the first look is not new; so something comes while it looks.
    timer = threading.Timer(0.3, lambda: later.write_bytes(b"new\n"))
    timer.start()
    assert next(following) == b"new"
    assert after() == b"after"


def test_our_own_probes_are_left_out_where_others_are_asked_for(places: Places):
    wanted = events.others(("127.66.0.0/16", "fd66::/64"))

    def of(address: str) -> bytes:
        return json.dumps({"src_endpoint": {"ip": address}}).encode()

    ours = ("127.66.3.4", "fd66::7", "login:127.66.3.4", "fd66::/64")
    assert [wanted(of(each)) for each in ours] == [False] * 4
    people = ("127.0.0.1", "2001:db8::1", "login:192.0.2.1", "", "nobody")
    assert [wanted(of(each)) for each in people] == [True] * 5
    assert wanted(b"no json")
    assert wanted(b"[1]")

    folder = places.spool / "events"
    folder.mkdir()
    many = [of(f"127.66.0.{n % 250}") for n in range(300)] + [of("192.0.2.1"), of("127.66.0.1")]
    for name, lines in (("00000001.jsonl", [of("192.0.2.9")]), ("00000002.jsonl", many)):
        (folder / name).write_bytes(b"".join(line + b"\n" for line in lines))
    found = [json.loads(line)["src_endpoint"]["ip"] for line in events.last(places, 5, wanted)]
    assert found == ["192.0.2.9", "192.0.2.1"]
    assert len(events.last(places, 50)) == 50
