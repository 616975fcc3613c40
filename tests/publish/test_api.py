"""What machines read: JSON that says what the page says, feeds that are valid, security.txt."""

import json
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from sectxt import Parser

from troth.kernel.evidence import moment
from troth.publish import api
from troth.publish.page import all_stale
from troth.publish.words import LANGUAGES

ATOM = "{http://www.w3.org/2005/Atom}"
GREEN = {"proven", "attested"}


@pytest.fixture
def page(bench):
    bench.catalogue(bench.promise("a"), bench.promise("b", rests_on=["a"]), bench.promise("<c>"))
    bench.round({"a.look": "pass", "b.look": "fail"}, bench.NOW - timedelta(seconds=5))
    return bench.page()


def test_promises_json_says_what_the_page_says(page):
    told = json.loads(api.text(api.promises(page, page.rows)))

    assert moment(told["generated"]) == page.generated
    assert moment(told["valid_until"]) == page.valid_until
    assert told["log"] == {"origin": page.head.origin, "size": 4, "root": page.head.root}
    first = told["promises"][0]
    assert first["state"] == "proven"
    assert first["since"] == first["checks"][0]["looks"][0]["collected"]
    assert first["also_affected"] == ["b"]
    assert first["checks"][0]["looks"][0]["evidence"] == "log:3"
    assert first["checks"][0]["looks"][0]["verdict"] == "pass"
    assert set(first["claim"]) == set(LANGUAGES)
    assert [p["state"] for p in told["promises"]] == ["proven", "failing", "unproven"]
    assert told["promises"][1]["reason_check"] == "b.look"


def test_the_stale_variant_says_stale_and_when_that_began(page):
    told = api.promises(all_stale(page), all_stale(page).rows)

    assert [p["state"] for p in told["promises"]] == ["stale", "stale", "unproven"]
    assert told["stale"] is True
    assert told["promises"][0]["since"] == told["valid_until"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_feed_is_valid_atom_and_newest_first(page, press, language):
    root = ET.fromstring(api.feed(page, press, language))

    assert root.tag == f"{ATOM}feed"
    for name in ("id", "title", "updated", "author"):
        assert len(root.findall(f"{ATOM}{name}")) == 1
    entries = root.findall(f"{ATOM}entry")
    for entry in entries:
        for name in ("id", "title", "updated", "link", "content"):
            assert len(entry.findall(f"{ATOM}{name}")) == 1
    times = [entry.findtext(f"{ATOM}updated") for entry in entries]
    assert times == sorted(times, reverse=True)
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == len(ids)
    terms = {c.get("scheme"): c.get("term") for c in entries[0].findall(f"{ATOM}category")}
    assert terms["urn:troth:evidence"] == "log:3"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_stale_feed_says_only_that(page, press, language):
    raw = api.feed(all_stale(page), press, language)

    (entry,) = ET.fromstring(raw).findall(f"{ATOM}entry")
    assert {c.get("term") for c in entry.findall(f"{ATOM}category")} == {"stale"}
    for word in (press.phrases[language]["states"][state] for state in GREEN):
        assert word.encode() not in raw


def test_security_txt_is_what_its_parser_wants(page):
    raw = api.security_txt(page.masthead, page.generated)

    parsed = Parser(raw, urls=[f"{page.masthead.site.app}/.well-known/security.txt"])
    assert parsed.errors == []
    assert f"# Key of the evidence log: {page.masthead.fingerprint}".encode() in raw
    witnessed = api.security_txt(replace(page.masthead, log_key="log+1a+AZ"), page.generated)
    assert b"# The same, as witnesses take it: log+1a+AZ\n" in witnessed
    assert raw == api.security_txt(page.masthead, page.generated + timedelta(hours=3))
