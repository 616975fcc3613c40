"""The browser door, with a real Chromium where there is one."""

import pytest

from troth.adapters import browser
from troth.adapters.browser import BrowserError, BrowserMissing

PAGE = (
    b"<!doctype html><title>t</title><p id=a>no</p>"
    b"<script>document.getElementById('a').textContent = 'ran in ' + navigator.language</script>"
)
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE
)


@pytest.fixture(scope="module")
def chromium():
    try:
        return browser.find()
    except BrowserMissing as error:
        pytest.skip(str(error))


def test_none_is_a_failure_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BrowserMissing, match="no Chromium"):
        browser.find()
    with pytest.raises(BrowserMissing):
        browser.find(str(tmp_path / "no-such-browser"))


@pytest.mark.browser
def test_a_page_as_a_browser_shows_it(serve, answer, authority, chromium):
    server = serve(answer(ANSWER), authority.context())
    url = f"https://demo.localhost:{server.port}/"

    text = browser.dump_dom(url, browser=chromium, pins=[browser.pin_of_pem(authority.certificate)])

    assert "ran in en" in text


@pytest.mark.browser
def test_an_unknown_certificate_shows_no_page(serve, answer, authority, chromium):
    server = serve(answer(ANSWER), authority.context())

    try:
        text = browser.dump_dom(f"https://demo.localhost:{server.port}/", browser=chromium)
    except BrowserError:
        return
    assert "ran in" not in text


@pytest.mark.browser
def test_a_page_that_never_ends_is_given_up(serve, chromium):
    server = serve(lambda door: door.recv(65536) and door.recv(65536))

    with pytest.raises(BrowserError, match="failed"):
        browser.dump_dom(
            f"http://127.0.0.1:{server.port}/", browser=chromium, timeout_s=2, virtual_time_ms=10**9
        )
