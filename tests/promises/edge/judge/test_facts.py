"""Nothing is judged without its positive control, and no garbage is ever a pass."""

import copy
import importlib

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from troth.kernel.model import Verdict
from troth.promises.edge.judge import facts as controls
from troth.promises.edge.settings import EdgeSettings

JUDGES = [
    getattr(importlib.import_module(f"troth.promises.edge.judge.{module}"), name)
    for module, names in {
        "headers": "hsts hsts_long_lifetime referrer_policy security_headers browser_xss_filter",
        "content": "nosniff clickjacking csp",
        "transport": "https_redirect tls_hosts no_plaintext",
        "cookies": "flags scope",
        "cors": "cors",
        "ports": "only_declared",
    }.items()
    for name in names.split()
]
OF_HEADERS = JUDGES[:8]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)
NAMES = st.sampled_from(
    "answers plain hosts attempts own foreign foreign_host application set_cookie asked calls"
    " page_status swept is_shared declared public open listening quic has_books".split()
)


def named(judge) -> str:
    return judge.__name__


@pytest.mark.parametrize("judge", JUDGES, ids=named)
@hypothesis(max_examples=30, deadline=None)
@example(facts={})
@given(facts=st.dictionaries(NAMES, JSON, max_size=8))
def test_garbage_is_an_error_and_never_a_pass(judge, facts):
    assert judge(facts, EdgeSettings()).verdict is Verdict.ERROR


@pytest.mark.parametrize("judge", OF_HEADERS, ids=named)
@pytest.mark.parametrize("kind", sorted(controls.KINDS))
def test_without_a_kind_of_answer_nothing_is_said(judge, kind, facts, settings):
    seen = facts()
    seen["answers"] = [each for each in seen["answers"] if each["kind"] != kind]

    assert judge(seen, settings()).verdict is Verdict.ERROR


@pytest.mark.parametrize("judge", OF_HEADERS, ids=named)
@pytest.mark.parametrize(("kind", "status"), [("page", 503), ("page", 302), ("refused", 200)])
def test_an_answer_that_is_not_of_its_kind_is_no_control(judge, kind, status, facts, settings):
    seen = copy.deepcopy(facts())
    for answer in seen["answers"]:
        answer["status"] = status if answer["kind"] == kind else answer["status"]

    assert judge(seen, settings()).verdict is Verdict.ERROR


@pytest.mark.parametrize("judge", OF_HEADERS, ids=named)
def test_a_header_that_was_not_looked_for_is_an_error(judge, facts, settings):
    seen = facts()
    for answer in seen["answers"]:
        answer["headers"] = {}

    assert judge(seen, settings()).verdict is Verdict.ERROR


@pytest.mark.parametrize("judge", OF_HEADERS, ids=named)
def test_the_honest_facts_pass(judge, facts, settings):
    assert judge(facts(), settings()).verdict is Verdict.PASS


def test_a_rate_of_nothing_is_an_error():
    with pytest.raises(controls.Unseen):
        controls.rate(0, 0, "bad", "good")
