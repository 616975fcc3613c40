"""One answer of each kind."""

from troth.promises.edge.judge.facts import KINDS
from troth.promises.edge.probe import answers
from troth.promises.edge.settings import EdgeSettings


def test_every_kind_that_judges_demand_is_looked_at(played, html):
    vantage = played({"GET https://app.example/": html("<link rel=stylesheet href=/s.css>")})

    kinds = [kind for kind, _ in answers.looked(vantage, EdgeSettings())]

    assert set(kinds) >= KINDS
    assert {"asset", "status", "trust-missing"} <= set(kinds)


def test_the_status_host_may_be_down(played):
    vantage = played({"GET https://status.example/": None})

    kinds = [kind for kind, _ in answers.looked(vantage, EdgeSettings())]

    assert "status" not in kinds
    assert set(kinds) >= KINDS


def test_the_forged_post_is_what_a_foreign_page_sends(played):
    vantage = played()

    answers.looked(vantage, EdgeSettings())

    sent = vantage.sent[vantage.asked.index("POST https://app.example/")]
    assert ("Origin", "https://stranger.example") in sent["headers"]
    assert ("Sec-Fetch-Site", "cross-site") in sent["headers"]


def test_both_hosts_over_plain_http(played):
    vantage = played()

    answers.plain(vantage)

    assert vantage.asked == ["GET http://app.example/", "GET http://troth.example/"]
