"""What a crawl asks, and what it leaves alone."""

import msgspec
import pytest

from troth.adapters.tcp import TcpError
from troth.promises.edge.probe import crawl
from troth.promises.edge.settings import EdgeSettings

APP = "https://app.example"


def settings(**given) -> EdgeSettings:
    return msgspec.convert(given, EdgeSettings)


def paths(vantage) -> list[str]:
    prefix = f"GET {APP}"
    return [each.removeprefix(prefix) for each in vantage.asked if each.startswith(prefix)]


def test_every_link_is_asked_once_whatever_its_query(played, html):
    vantage = played(
        {
            f"GET {APP}/": html("<a href=/a?x=1><a href=/a?x=2><a href=/b>"),
            f"GET {APP}/a?x=1": html("<a href=/c><a href=/>"),
        }
    )

    found = crawl.crawled(vantage, settings())

    asked = paths(vantage)
    assert [asked.count(path) for path in ("/a?x=1", "/b", "/c")] == [1, 1, 1]
    assert "/a?x=2" not in asked
    assert [kind for kind, _ in found].count("crawled") == 3


def test_streams_and_pages_that_do_not_answer_are_left_out(played, html):
    vantage = played(
        {f"GET {APP}/": html("<a href=/live/now><a href=/down>"), f"GET {APP}/down": None}
    )

    found = crawl.crawled(vantage, settings(stream_paths=["/live"]))

    assert "/live/now" not in paths(vantage)
    assert "crawled" not in [kind for kind, _ in found]


def test_a_crawl_is_bounded(played, html):
    vantage = played({f"GET {APP}/": html("".join(f"<a href=/{n}>" for n in range(500)))})

    found = crawl.crawled(vantage, settings())

    assert [kind for kind, _ in found].count("crawled") == crawl.MOST_PAGES - 1


def test_the_page_that_breaks_is_asked_for(played, html):
    vantage = played({f"GET {APP}/": html("")})

    found = crawl.crawled(vantage, settings(probe={"broken": "/oops"}))

    assert found[-1][0] == "broken"


def test_a_page_that_cannot_be_asked_for_is_no_answer(played):
    with pytest.raises(TcpError):
        crawl.hsts(played({f"GET {APP}/": None}), settings())


def test_facts_are_the_headers_asked_for_and_no_more(played, html):
    vantage = played({f"GET {APP}/": html("", ("Referrer-Policy", "a"), ("referrer-policy", "b"))})

    observation = crawl.referrer_policy(vantage, settings())

    page = observation.facts["answers"][0]
    assert page["kind"] == "page"
    assert page["headers"] == {"referrer-policy": ["a", "b"]}
    assert observation.public == {"looked_at", "served"}
    assert observation.facts["served"] == {"referrer-policy": ["a", "b"]}
