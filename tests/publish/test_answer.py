"""Serving by the clock: current until its end, stale after; no path of a request is a file's."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from troth.adapters.serve import Request
from troth.publish import tree
from troth.publish.answer import OWN_HEADERS, Reader
from troth.publish.edition import Extras, compose
from troth.publish.words import LANGUAGES

S = timedelta(seconds=1)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def served(bench, press, tmp_path):
    bench.catalogue(bench.promise("hsts"), bench.promise("csp"))
    bench.round({"hsts.look": "pass"}, bench.NOW - 5 * S)
    page = bench.page()
    public = tmp_path / "public"
    public.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (public / "private.txt").write_text("secret")
    tree.publish(public, compose(page, press, Extras()), now=bench.NOW)
    (public / "evidence" / "log").mkdir(parents=True)
    (public / "evidence" / "log" / "3.html").write_text("<!doctype html>evidence")
    clock = Clock(bench.NOW)
    reader = Reader(public, bench.folder, home="/trust/", now=clock)
    return reader, clock, page, public


def get(reader, target, method="GET", **headers):
    return reader.answer(Request(method=method, target=target, headers=headers))


def fields(answer):
    return dict(answer.headers)


@pytest.mark.parametrize("path", ["/trust/", "/trust/hsts", "/trust/de/", "/api/v1/promises.json"])
def test_current_until_its_end_and_stale_from_then_on(served, path):
    reader, clock, page, _ = served
    clock.now = page.valid_until - timedelta(milliseconds=1)
    current = get(reader, path)
    clock.now = page.valid_until
    stale = get(reader, path)

    assert current.status == stale.status == 200
    assert b"proven" in current.body.replace(b"unproven", b"")
    assert b'"state": "proven"' not in stale.body
    assert b'data-state="proven"' not in stale.body
    assert b"stale" in stale.body
    assert fields(current)["etag"] != fields(stale)["etag"]
    assert fields(stale)["cache-control"] == "no-cache"


def test_a_clock_that_went_back_shows_the_stale_variant(served):
    reader, clock, page, _ = served
    clock.now = page.generated - 3 * S

    assert b'"stale": true' in get(reader, "/api/v1/promises.json").body


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(past=st.integers(-1, 120_000))
def test_no_cache_may_keep_it_beyond_its_end(served, past):
    reader, clock, page, _ = served
    clock.now = page.generated + timedelta(milliseconds=past)
    for path in ("/trust/", "/api/v1/promises.json", "/trust/changes.atom", "/", "/history.atom"):
        found = fields(get(reader, path))
        if "max-age" in found.get("cache-control", ""):
            age = int(found["cache-control"].split("max-age=")[1].split(",")[0])
            assert clock.now + age * S <= page.valid_until
            assert parsedate_to_datetime(found["expires"]) <= page.valid_until


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/trust/../../secret.txt", 404),
        ("/trust/%2e%2e/%2e%2e/secret.txt", 404),
        ("/private.txt", 404),
        ("/manifest.json", 404),
        ("/log.vkey", 404),
        ("/now/manifest.json", 404),
        ("/log/../secret.txt", 404),
        ("/log/.writer/journal", 404),
        ("/log/tile/0/../../.writer/lock", 404),
        ("/log/tile/entries/000.p/256", 404),
        ("/log/tile/9/000", 404),
        ("/trust/evidence/log/../../private", 404),
        ("/trust/evidence/log/4", 404),
        ("/trust/evidence/looks/../../x/1", 404),
        ("/errors/404", 404),
        ("//evil.example/", 404),
        ("trust/", 400),
        ("http://evil.example/trust/", 400),
        ("*", 400),
        ("/" + "a" * 2000, 414),
        ("/trust/hsts\x00", 404),
        ("/trust/hsts/", 404),
    ],
)
def test_what_is_not_published_is_not_there(served, target, status):
    answer = get(served[0], target)

    assert answer.status == status
    assert b"secret" not in answer.body


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=st.text(st.characters(codec="latin-1"), max_size=60))
def test_no_target_brings_anything_but_an_answer(served, target):
    answer = get(served[0], "/" + target)

    assert answer.status in {200, 301, 302, 404}
    assert b"secret" not in answer.body


@pytest.mark.parametrize("target", ["/trust/", "/nowhere", "/", "/log/checkpoint", "/trust"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "TRACE"])
def test_every_answer_has_the_whole_header_set(served, target, method):
    answer = get(served[0], target, method)

    found = fields(answer)
    assert all(found[name] == value for name, value in OWN_HEADERS)
    assert "script-src 'unsafe" not in found["content-security-policy"]
    assert len(found) == len(answer.headers)
    assert found["date"] == "Sat, 21 Nov 2026 07:43:12 GMT"
    if method in ("POST", "TRACE"):
        assert (answer.status, found["allow"]) == (405, "GET, HEAD")


def test_a_reader_that_has_it_already_is_told_so(served):
    reader, clock, page, _ = served
    tag = fields(get(reader, "/trust/"))["etag"]

    again = get(reader, "/trust/", **{"if-none-match": f"W/{tag}"})
    clock.now = page.valid_until
    later = get(reader, "/trust/", **{"if-none-match": tag})

    assert (again.status, again.body) == (304, b"")
    assert later.status == 200, "what was current is not what is true now"


def test_the_log_is_served_as_the_format_wants(served, bench):
    reader = served[0]
    checkpoint = get(reader, "/log/checkpoint")
    tile = get(reader, "/log/tile/0/000.p/4")
    entries = get(reader, "/log/tile/entries/000.p/4")

    assert checkpoint.body == bench.log.checkpoint()
    assert fields(checkpoint)["content-type"].startswith("text/plain")
    assert fields(checkpoint)["cache-control"] == "no-cache"
    assert len(tile.body) == 4 * 32
    assert fields(tile)["content-type"] == "application/octet-stream"
    assert "immutable" in fields(tile)["cache-control"]
    assert entries.status == 200


def test_a_partial_tile_that_grew_full_is_found(served, bench):
    reader = served[0]
    bench.log.append([b"leaf %d" % n for n in range(300)], bench.NOW)

    answer = get(reader, "/log/tile/entries/000.p/4")

    assert answer.status == 302
    assert fields(answer)["location"] == "/log/tile/entries/000"
    assert get(reader, "/log/tile/entries/000").status == 200
    assert get(reader, "/log/tile/entries/005.p/4").status == 404


def test_evidence_has_its_page(served):
    answer = get(served[0], "/trust/evidence/log/3")

    assert (answer.status, answer.body) == (200, b"<!doctype html>evidence")


def test_home_differs_by_host(served, bench):
    reader, clock, _, public = served
    status = Reader(public, bench.folder, home="/", now=clock)

    assert fields(get(reader, "/"))["location"] == "/trust/"
    assert b"Status of" in get(status, "/").body
    assert fields(get(reader, "/trust/de"))["location"] == "/trust/de/"


def test_with_nothing_published_it_says_so_with_our_headers(bench, tmp_path):
    reader = Reader(tmp_path / "none", bench.folder, home="/trust/", now=lambda: bench.NOW)

    answer = get(reader, "/trust/")

    assert answer.status == 503
    assert fields(answer)["retry-after"] == "5"
    assert all(fields(answer)[name] == value for name, value in OWN_HEADERS)


def test_a_torn_manifest_is_no_page(served):
    reader, _, _, public = served
    (public / "now" / "manifest.json").write_text("{")
    fresh = Reader(public, public, home="/trust/", now=lambda: datetime.now(UTC))

    assert get(fresh, "/trust/").status == 503
    assert get(reader, "/trust/").status in {200, 503}


def test_renderings_swap_whole_and_old_ones_go(served, bench, press):
    reader, clock, _, public = served
    clock.now = bench.NOW + 5 * S
    bench.round({"csp.look": "pass"}, bench.NOW - S)
    for n in range(1, 6):
        page = bench.page(bench.NOW + n * S)
        tree.publish(public, compose(page, press, Extras()), now=bench.NOW + n * S)

    told = json.loads(get(reader, "/api/v1/promises.json").body)
    assert [p["state"] for p in told["promises"]] == ["proven", "proven"]
    for language in LANGUAGES:
        path = "/trust/" if language == "en" else f"/trust/{language}/"
        assert get(reader, path).body.count(b'data-state="proven"') == 2
    assert len(list(public.glob("r[0-9]*"))) == tree.KEPT


def test_other_logs_that_we_cosigned_stand_beside_ours(served, bench):
    reader = served[0]
    folder = bench.folder / "cosignatures"
    folder.mkdir()
    (folder / "log.example-0123abcd").write_text("a note\n")
    found = get(reader, "/log/cosignatures/log.example-0123abcd")

    assert (found.status, found.body) == (200, b"a note\n")
    assert fields(found)["cache-control"] == "no-cache"
    for odd in ("", "/", "/../checkpoint", "/.hidden", "/none", "/LOG"):
        assert get(reader, f"/log/cosignatures{odd}").status == 404
