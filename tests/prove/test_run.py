"""The runner: whatever goes wrong is `error`, never `pass`."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.errors import Failure
from troth.kernel.evidence import canonical
from troth.kernel.model import Judgement, Method, Observation, Verdict
from troth.prove import run
from troth.prove.run import Runner, divide, look_now, reason_of

ENDING = "the probe tried to end the process"


@pytest.fixture
def runner(clock):
    return Runner(settings_of=lambda area: {"area": area}, now=clock)


def one(runner, check, vantage):
    (seen,) = runner.run([("edge", check)], vantage)
    return seen


def test_an_honest_pass(runner, area, make_check, vantage, clock):
    seen = one(runner, make_check(), vantage)

    assert (seen.verdict, seen.reason) == (Verdict.PASS, "all well")
    assert (seen.public, seen.hidden) == ({"seen": 1}, {"secret": "inner"})
    assert seen.collected == clock()


def test_probe_and_judge_are_given_the_areas_settings(runner, area, make_check, vantage):
    got = []
    area.probe = lambda vantage, settings: got.append(settings) or Observation(facts={"a": 1})
    area.judge = lambda facts, settings: (
        got.append((facts, settings)) or Judgement(Verdict.FAIL, "no")
    )

    assert one(runner, make_check(), vantage).verdict is Verdict.FAIL
    assert got == [{"area": "edge"}, ({"a": 1}, {"area": "edge"})]


def raising(error):
    def probe(*_):
        raise error

    return probe


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Failure("nobody home", where="/secret/path"), "could not look: nobody home"),
        (ConnectionRefusedError(111, "Connection refused"), "could not look: Connection refused"),
        (TimeoutError("x"), "could not look: no answer in time"),
        (ZeroDivisionError("boom /home/x"), "could not look: ZeroDivisionError"),
        (Failure("of jane.roe@example.com"), "could not look: Failure"),
        (Failure("x" * 5000), "could not look: " + "x" * 184),
        (SystemExit(0), f"could not look: {ENDING}: SystemExit"),
        (
            KeyboardInterrupt(),
            "could not look: the probe tried to end the process: KeyboardInterrupt",
        ),
    ],
)
@pytest.mark.parametrize("who", ["probe", "judge"])
def test_whatever_is_raised_is_an_error(  # noqa: PLR0917
    runner, area, make_check, vantage, error, reason, who
):
    setattr(area, who, raising(error))

    seen = one(runner, make_check(), vantage)

    assert (seen.verdict, seen.reason) == (Verdict.ERROR, reason)
    assert not seen.public
    assert not seen.hidden


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        True,
        "pass",
        Verdict.PASS,
        {"verdict": "pass"},
        Judgement("pass", "a string is no verdict"),
        Observation(facts={}),
    ],
)
def test_a_judge_that_gives_no_judgement(runner, area, make_check, vantage, wrong):
    area.judge = lambda *_: wrong

    assert one(runner, make_check(), vantage).verdict is Verdict.ERROR


@pytest.mark.parametrize("wrong", [None, {}, {"facts": {}}, Judgement(Verdict.PASS, "x")])
def test_a_probe_that_gives_no_observation(runner, area, make_check, vantage, wrong):
    area.probe = lambda *_: wrong

    assert one(runner, make_check(), vantage).verdict is Verdict.ERROR


@pytest.mark.parametrize(
    "facts",
    [
        {"mail": "jane.roe@example.com"},
        {"peer": "8.8.4.4"},
        {"auth": "Bearer abcdefghijklmnopqrst"},
        {"long": "x" * 5000},
        {"odd": object()},
        {"odd": b"bytes"},
        {"deep": [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]},
        {1: 2},
    ],
)
def test_public_facts_that_may_not_be_published(runner, area, make_check, vantage, facts):
    area.probe = lambda *_: Observation(facts=facts, public=frozenset(facts))

    assert one(runner, make_check(), vantage).verdict is Verdict.ERROR


def test_a_reason_that_names_a_person(runner, area, make_check, vantage):
    area.judge = lambda *_: Judgement(Verdict.PASS, "as jane.roe@example.com said")

    seen = one(runner, make_check(), vantage)

    assert seen.verdict is Verdict.ERROR
    assert "jane" not in seen.reason


@pytest.mark.parametrize(
    "path", ["no_such_module:probe", "made_up_area:nothing", "made_up_area", "made_up_area:x", ""]
)
def test_a_path_that_names_nothing(runner, area, make_check, vantage, path):
    area.x = 3

    assert one(runner, make_check(probe=path), vantage).verdict is Verdict.ERROR


def test_what_comes_after_the_deadline_is_not_listened_to(
    runner, area, make_check, vantage, monkeypatch
):
    gate, begun = threading.Event(), threading.Event()

    def late(*_):
        begun.set()
        gate.wait(30)
        return Observation(facts={})

    area.probe = late
    monkeypatch.setitem(run.DEADLINES, Method.LOOK, run.timedelta(milliseconds=60))

    seen = one(runner, make_check(), vantage)

    assert begun.is_set()
    assert seen.verdict is Verdict.ERROR
    assert "not finished" in seen.reason
    for _ in range(run.MAX_GIVEN_UP - 1):
        one(runner, make_check(), vantage)
    begun.clear()
    assert "earlier probes still hang" in one(runner, make_check(), vantage).reason
    assert not begun.is_set()
    gate.set()
    for thread in runner._given_up:
        thread.join(10)
    assert "earlier" not in one(runner, make_check(), vantage).reason


def test_when_the_batchs_time_is_used_up_the_rest_is_an_error(
    runner, area, make_check, vantage, clock
):
    honest = area.probe

    def slow(*given):
        clock.go(seconds=10)
        return honest(*given)

    area.probe = slow

    seen = runner.run([("edge", make_check(f"{n}.a")) for n in "abc"], vantage)

    assert [s.verdict for s in seen] == [Verdict.PASS, Verdict.PASS, Verdict.ERROR]
    assert "used up" in seen[2].reason
    assert len({s.collected for s in seen}) == 1


def test_looks_and_scans_share_and_attacks_are_clients_of_their_own(
    runner, area, make_check, vantage
):
    got = []
    area.probe = lambda place, _: got.append(place) or Observation(facts={})
    work = [
        make_check("a.a"),
        make_check("b.b", Method.SCAN),
        make_check("c.c", Method.ATTACK),
        make_check("d.d", Method.DRILL),
    ]

    runner.run([("edge", check) for check in work], vantage)

    assert got[0] is got[1] is vantage
    sources = [place.source for place in got[2:]]
    assert all(source.startswith("127.66.") for source in sources)
    assert len(set(sources)) == 2


def test_floats_are_spelled():
    public, hidden = divide(
        Observation(facts={"a": 1.5, "b": [{"c": 0.1}], "d": 2}, public=frozenset({"a"}))
    )

    assert public == {"a": "1.5"}
    assert hidden == {"b": [{"c": "0.1"}], "d": 2}


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), json, max_size=4), st.data())
def test_any_json_can_be_recorded_and_nothing_is_lost(facts, data):
    public = data.draw(st.sets(st.sampled_from(sorted(facts)))) if facts else set()

    shown, hidden = divide(Observation(facts=facts, public=frozenset(public)))

    assert set(shown) == public
    assert set(shown) | set(hidden) == set(facts)
    assert not set(shown) & set(hidden)
    canonical([shown, hidden])


@given(st.text(max_size=600))
def test_a_reason_is_bounded_and_names_nobody(text):
    reason = reason_of(Failure(text))

    assert reason.startswith("could not look: ")
    assert len(reason) <= run.MAX_REASON


def test_look_now_runs_all_but_what_is_not_applicable(area, make_promise, vantage, clock):
    told = []
    promises = [make_promise("a"), make_promise("b", not_applicable_because="no")]

    seen = look_now(
        promises, vantage, lambda _: None, now=clock, told=lambda p, s: told.append((p.slug, s))
    )

    assert list(seen) == ["a"]
    assert told == [("a", seen["a"][0])]
