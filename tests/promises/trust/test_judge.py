"""The judges of the page: every fault is red, no garbage and no missing control is ever a pass."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.model import Verdict
from troth.promises.trust import judge
from troth.promises.trust.settings import TrustSettings

SETTINGS = TrustSettings()
LANGUAGES = SETTINGS.languages
STANDS = {"name": True, "address": True, "mail": True}
SECURITY = {"status": 200, "agrees": True, "lasts_s": 7_000_000, "canonical": True}
WORDS = {"proven": "Proven", "planned": "Planned"}

LIST = {"status": 200, "api": ["a", "b"], "page": [["a", "proven", 9, 1], ["b", "stale", 9, 2]],
        "loose": 0}  # fmt: skip
IN_LOG = {"log": {"a": "A  b."}, "page": {"a": "A b."}, "links": {"/trust/evidence/log/1": 200}}
SHOWN = {"items": [["a", "proven", "Proven", True, True], ["b", "planned", "Planned", True, True]],
         "counted": {"proven": 1, "planned": 1}}  # fmt: skip
PLANNED = {"planned": ["b"], "pages": dict.fromkeys(LANGUAGES, SHOWN),
           "colours": [["#111111", "#222222"]], "has_rule": True}  # fmt: skip
SAID = {"items": [["a", "proven", ["log:1"], "Proven"]], "foreign": []}
SAME = {"pages": {name: {"lang": name, **SAID} for name in LANGUAGES}, "repeats": []}
RETEST = {"checks": [["a.look", True, True]],
          "ran": {"check": "page-languages.same", "is_shown": True, "code": 0, "facts": SAME},
          }  # fmt: skip
REPORT = {"linked": True, "status": 200, "source": "log:4", "named": "ab", "served": "ab",
          "age_s": 60, "signature": "good"}  # fmt: skip
FEED = {"status": 200, "fault": "", "entries": [["a", "failing", "log:4"], ["a", "proven", "log:3"],
        ["b", "unproven", "log:1"]], "states": {"a": "failing", "b": "unproven"},
        "fails": [["a", "log:4"]], "is_stale": False}  # fmt: skip
CONTACT = {"set": STANDS, "pages": dict.fromkeys(LANGUAGES, STANDS),
           "security": {"app": SECURITY, "troth": SECURITY},
           "imprint": {"status": 200, **STANDS},
           "privacy": {"status": 200, **STANDS, "address": False}}  # fmt: skip
HONEST = {
    judge.measure_list: LIST,
    judge.measures_in_log: IN_LOG,
    judge.planned: PLANNED,
    judge.languages: SAME,
    judge.retest: RETEST,
    judge.tls_report: REPORT,
    judge.feed: FEED,
    judge.contact: CONTACT,
}
JUDGES = pytest.mark.parametrize("named", HONEST, ids=lambda named: named.__name__)


def changed(facts, path, value):
    """A copy with one thing put in; "-" takes it out."""
    whole = json.loads(json.dumps(facts))
    *way, last = path
    place = whole
    for step in way:
        place = place[step]
    if value == "-":
        del place[last]
    else:
        place[last] = value
    return whole


@JUDGES
def test_what_is_honest_passes(named):
    found = named(HONEST[named], SETTINGS)

    assert found.verdict is Verdict.PASS, found.reason


ITEM = ["pages", "de", "items"]
FAULTS = [
    (judge.measure_list, ["status"], 500, "answers 500"),
    (judge.measure_list, ["api"], ["a", "b", "c"], "c is not on the page"),
    (judge.measure_list, ["api"], ["a"], "b is on the page only"),
    (judge.measure_list, ["page"], [["a", "proven", 9, 1]] * 2 + [["b", "stale", 9, 1]], "twice"),
    (judge.measure_list, ["loose"], 1, "belong to no promise"),
    (judge.measure_list, ["page", 0, 1], "fine", "no state"),
    (judge.measure_list, ["page", 0, 2], 0, "no sentence"),
    (judge.measure_list, ["page", 0, 3], 0, "no evidence"),
    (judge.measures_in_log, ["page", "x"], "X.", "not in the log"),
    (judge.measures_in_log, ["log", "x"], "X.", "not on the page"),
    (judge.measures_in_log, ["page", "a"], "Other.", "something else"),
    (judge.measures_in_log, ["links", "/trust/evidence/log/1"], 404, "answers 404"),
    (judge.measures_in_log, ["links"], {}, "no evidence"),
    (judge.planned, ["has_rule"], False, "stylesheet"),
    (judge.planned, ["colours"], [], "one colour"),
    (judge.planned, ["colours"], [["#111", "#111"]], "one colour"),
    (judge.planned, [*ITEM, 1, 1], "proven", "shown as proven"),
    (judge.planned, [*ITEM, 1, 4], False, "without its date"),
    (judge.planned, ["planned"], [], "shown as planned"),
    (judge.planned, [*ITEM, 1, 3], False, "no word or icon"),
    (judge.planned, [*ITEM, 1, 2], "", "no word or icon"),
    (judge.planned, [*ITEM, 1, 2], "Proven", "same word"),
    (judge.planned, ["pages", "de", "counted"], {"proven": 2}, "counted as proven"),
    (judge.planned, ITEM, [*SHOWN["items"], ["c", "proven", "Good", True, False]], "two words"),
    (judge.languages, ["pages", "it"], "-", "it is not there"),
    (judge.languages, ["pages", "it", "lang"], "", "says that it is nothing"),
    (judge.languages, ["pages", "fr", "items", 0, 1], "failing", "fr says other"),
    (judge.languages, ["pages", "fr", "items", 0, 2], [], "fr says other"),
    (judge.languages, ["pages", "fr", "foreign"], ["a"], "other words"),
    (judge.languages, ["repeats"], ["a"], "not translated"),
    (judge.retest, ["checks", 0, 1], False, "shows no command"),
    (judge.retest, ["checks", 0, 2], False, "more than a reader has"),
    (judge.retest, ["ran", "is_shown"], False, "another command"),
    (judge.retest, ["ran", "code"], 1, "says no"),
    (judge.tls_report, ["linked"], False, "links no report"),
    (judge.tls_report, ["status"], 404, "answers 404"),
    (judge.tls_report, ["age_s"], 86_400, "last day"),
    (judge.tls_report, ["age_s"], -90, "last day"),
    (judge.tls_report, ["age_s"], None, "last day"),
    (judge.tls_report, ["named"], "cd", "another certificate"),
    (judge.tls_report, ["signature"], "bad", "signature is bad"),
    (judge.feed, ["status"], 404, "answers 404"),
    (judge.feed, ["fault"], "not well-formed", "not well-formed"),
    (judge.feed, ["states", "a"], "proven", "the feed says failing"),
    (judge.feed, ["states", "c"], "proven", "the feed says nothing"),
    (judge.feed, ["states", "c"], "stale", "the feed says nothing"),
    (judge.feed, ["fails"], [["a", "log:9"]], "broke in log:9"),
    (judge.contact, ["set", "name"], False, "no name is set"),
    (judge.contact, ["pages", "fr"], {**STANDS, "mail": False}, "fr: the page lacks the mail"),
    (judge.contact, ["security", "app"], {**SECURITY, "status": 404}, "answers 404"),
    (judge.contact, ["security", "app"], {**SECURITY, "agrees": False}, "another contact"),
    (judge.contact, ["security", "app"], {**SECURITY, "lasts_s": None}, "expired"),
    (judge.contact, ["security", "app"], {**SECURITY, "lasts_s": 40_000_000}, "expired"),
    (judge.contact, ["security", "app"], {**SECURITY, "canonical": False}, "own address"),
    (judge.contact, ["imprint"], None, "no imprint is named"),
    (judge.contact, ["imprint", "address"], False, "lacks the address"),
    (judge.contact, ["privacy", "status"], 404, "answers 404"),
    (judge.contact, ["privacy", "mail"], False, "lacks the mail"),
]  # fmt: skip


@pytest.mark.parametrize(("named", "path", "value", "said"), FAULTS)
def test_each_fault_is_red_and_says_which(named, path, value, said):
    found = named(changed(HONEST[named], path, value), SETTINGS)

    assert found.verdict is Verdict.FAIL, found.reason
    assert said in found.reason


UNKNOWN = [
    (judge.measure_list, ["api"], []),
    (judge.measures_in_log, ["log"], {}),
    (judge.planned, ["pages", "it"], None),
    (judge.planned, ["pages", "it"], "-"),
    (judge.languages, ["pages", "en"], None),
    (judge.languages, ["pages", "en", "items"], []),
    (judge.retest, ["checks"], []),
    (judge.retest, ["ran", "check"], "unheard.of"),
    (judge.retest, ["ran", "facts"], {}),
    (judge.tls_report, ["served"], ""),
    (judge.tls_report, ["source"], ""),
    (judge.feed, ["is_stale"], True),
    (judge.feed, ["states"], {}),
    (judge.contact, ["pages", "it"], None),
]


@pytest.mark.parametrize(("named", "path", "value"), UNKNOWN)
def test_what_could_not_be_seen_is_unknown(named, path, value):
    found = named(changed(HONEST[named], path, value), SETTINGS)

    assert found.verdict is Verdict.ERROR, found.reason


def test_many_faults_are_counted():
    found = judge.measure_list(changed(LIST, ["page"], []), SETTINGS)

    assert found.reason == "a is not on the page (and 1 more)"


def test_a_feed_that_is_full_need_not_tell_what_is_older():
    entries = [["b", "unproven", ""]] * judge.MAX_FEED
    whole = changed(FEED, ["entries"], entries)

    assert judge.feed(whole, SETTINGS).verdict is Verdict.PASS


def test_a_stale_promise_is_nothing_that_the_log_must_tell():
    assert judge.feed(changed(FEED, ["states", "a"], "stale"), SETTINGS).verdict is Verdict.PASS


@JUDGES
@given(
    garbage=st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(), max_size=4)
)
def test_garbage_is_unknown(named, garbage):
    assert named(garbage, SETTINGS).verdict is Verdict.ERROR


@JUDGES
def test_a_missing_fact_is_unknown(named):
    for name in HONEST[named]:
        facts = {key: value for key, value in HONEST[named].items() if key != name}
        assert named(facts, SETTINGS).verdict is Verdict.ERROR
