"""The judge of the origin check: red, green, and above all "could not look"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.model import Verdict
from troth.promises.guard.judge.origin import HOSTS, KINDS, SILENT, origin_attack, origin_look
from troth.promises.guard.settings import GuardSettings

SETTINGS = GuardSettings()


def asked(kind="POST", host="app", status=403, *, by_guard=True, by_us=None):
    by_us = by_guard if by_us is None else by_us
    return {"case": "c", "kind": kind, "host": host, "status": status,
            "by_guard": by_guard, "by_us": by_us}  # fmt: skip


def let_in(kind="POST", host="app", status=404):
    return asked(kind, host, status, by_guard=False)


def matrix(one):
    return [*(one(kind) for kind in sorted(KINDS)), one("POST", "troth")]


def judged(tried, passed, judge=origin_look):
    return judge({"tried": tried, "passed": passed}, SETTINGS).verdict


def test_a_refusal_with_its_control_passes():
    assert judged([asked()], [let_in()]) is Verdict.PASS
    assert judged(matrix(asked), matrix(let_in), origin_attack) is Verdict.PASS


@pytest.mark.parametrize("status", [200, 302, 404, 403, 500])
def test_what_got_through_fails(status):
    assert judged([let_in(status=status)], [let_in()]) is Verdict.FAIL


def test_one_miss_in_the_matrix_fails():
    tried = [*matrix(asked), let_in("PUT")]

    judgement = origin_attack({"tried": tried, "passed": matrix(let_in)}, SETTINGS)

    assert judgement.verdict is Verdict.FAIL
    assert judgement.reason == "1 of 7 forged requests were not refused by the guard"


@pytest.mark.parametrize("status", sorted(SILENT))
def test_no_clear_answer_is_no_verdict(status):
    assert judged([let_in(status=status)], [let_in()]) is Verdict.ERROR
    assert judged([asked()], [let_in(status=status)]) is Verdict.ERROR


def test_another_refusal_of_the_guard_is_no_verdict():
    assert judged([asked(by_us=False)], [let_in()]) is Verdict.ERROR


def test_a_guard_that_refuses_everything_is_no_proof():
    assert judged([asked()], [asked()]) is Verdict.ERROR


def test_troths_own_host_may_be_down_behind_its_guard():
    passed = [*(let_in(kind) for kind in sorted(KINDS)), let_in("POST", "troth", 503)]

    assert judged(matrix(asked), passed, origin_attack) is Verdict.PASS


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"tried": [], "passed": []},
        {"tried": [asked()], "passed": []},
        {"tried": [], "passed": [let_in()]},
        {"tried": [asked()], "passed": None},
        {"tried": [{**asked(), "status": "403"}], "passed": [let_in()]},
        {"tried": [asked(host="troth")], "passed": [let_in()]},
        {"tried": [asked()], "passed": [let_in(host="troth")]},
    ],
)
def test_facts_that_are_none_are_no_verdict(facts):
    assert origin_look(facts, SETTINGS).verdict is Verdict.ERROR


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_matrix_must_be_whole(kind):
    def without(one):
        return [row for row in matrix(one) if row["kind"] != kind]

    assert judged(without(asked), matrix(let_in), origin_attack) is Verdict.ERROR
    assert judged(matrix(asked), without(let_in), origin_attack) is Verdict.ERROR


ASKED = st.builds(
    asked,
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(sorted(HOSTS)),
    st.sampled_from([200, 403, 404, 503]),
    by_guard=st.booleans(),
    by_us=st.booleans(),
)


@given(st.lists(ASKED, max_size=8), st.lists(ASKED, max_size=8), st.booleans())
def test_a_pass_means_that_all_was_seen(tried, passed, is_attack):
    verdict = judged(tried, passed, origin_attack if is_attack else origin_look)

    if verdict is Verdict.PASS:
        assert all(one["by_us"] for one in tried)
        assert not any(one["by_guard"] for one in passed)
        assert tried
        assert passed
    if any(one["by_guard"] for one in passed):
        assert verdict is Verdict.ERROR
