"""The judge of cross-origin calls."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.edge.judge.cors import STRANGERS, cors

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
FRIEND = "https://friend.example"


def call(who, origin, preflight, allow=(), credentials=()):
    return {
        "who": who,
        "origin": origin,
        "preflight": preflight,
        "status": 200,
        "allow_origin": list(allow),
        "allow_credentials": list(credentials),
    }


def facts(*calls, page_status=200):
    strangers = [
        call(who, f"https://{who}.example", preflight)
        for who in sorted(STRANGERS)
        for preflight in (True, False)
    ]
    return {"calls": [*strangers, *calls], "page_status": page_status}


def test_strangers_get_nothing(settings):
    assert cors(facts(), settings()).verdict is PASS


@pytest.mark.parametrize(
    ("allow", "credentials"),
    [(["https://evil.example"], []), (["*"], []), (["null"], []), ([], ["true"])],
)
def test_a_stranger_that_gets_something(allow, credentials, settings):
    seen = facts(call("evil", "https://evil.example", False, allow, credentials))

    assert cors(seen, settings()).verdict is FAIL


@pytest.mark.parametrize(
    ("allow", "credentials", "are_allowed", "verdict"),
    [
        ([FRIEND], [], False, PASS),
        ([FRIEND], ["false"], False, PASS),
        ([FRIEND], ["true"], True, PASS),
        ([FRIEND], ["true"], False, FAIL),
        ([FRIEND], [], True, FAIL),
        (["*"], ["true"], True, FAIL),
        ([FRIEND, FRIEND], [], False, FAIL),
        ([], [], False, FAIL),
    ],
)
def test_a_listed_origin_gets_exactly_its_own(allow, credentials, are_allowed, verdict, settings):
    chosen = settings(cors={"origins": [FRIEND], "credentials": are_allowed})

    assert cors(facts(call("listed", FRIEND, False, allow, credentials)), chosen).verdict is verdict


def test_without_every_origin_tried_nothing_is_said(settings):
    listed = settings(cors={"origins": [FRIEND]})
    fewer = facts()
    fewer["calls"] = fewer["calls"][1:]

    assert cors(fewer, settings()).verdict is ERROR
    assert cors(facts(), listed).verdict is ERROR
    assert cors(facts(page_status=503), settings()).verdict is ERROR
