"""A browser that is asked and told. Skips where no Chromium is."""

import pytest

from troth.adapters import browser
from troth.adapters.devtools import Instead, browsing

HTML = ("content-type", "text/html; charset=utf-8")


@pytest.fixture(scope="module")
def chromium():
    try:
        return browser.find()
    except browser.BrowserMissing as missing:
        pytest.skip(str(missing))


def served(**pages):
    """Answers for https://<name>.example/, and nothing else."""

    def answer(paused):
        for name, (headers, body) in pages.items():
            if paused.url == f"https://{name}.example/":
                return Instead(status=200, headers=(HTML, *headers), body=body)
        return Instead(status=404, headers=(HTML,), body=b"")

    return answer


@pytest.mark.browser
def test_pages_run_and_policies_hold(chromium):
    page = b"<!doctype html><title>a</title><script>window.ran = 1</script>"
    strict = (("content-security-policy", "script-src 'none'"),)
    with browsing(chromium) as tab:
        tab.intercept(served(open=((), page), strict=(strict, page)))
        tab.visit("https://open.example/")
        assert tab.evaluate("window.ran") == 1
        tab.visit("https://strict.example/")
        assert tab.evaluate("window.ran") is None
        assert tab.evaluate("document.title") == "a"
        assert tab.has_loaded()
        assert not tab.wait(lambda: False, within_s=0.05)


@pytest.mark.browser
def test_headers_of_a_request_are_seen(chromium):
    seen = []

    def answer(paused):
        seen.append((paused.url, paused.method, paused.headers.get("referer", "")))
        return Instead(status=200, headers=(HTML,), body=b"<a href=https://b.example/>b</a>")

    with browsing(chromium) as tab:
        tab.intercept(answer)
        tab.visit("https://a.example/")
        tab.evaluate("document.querySelector('a').click()")
        assert tab.wait(lambda: ("https://b.example/", "GET", "https://a.example/") in seen)


@pytest.mark.browser
def test_what_throws_and_what_nobody_knows(chromium):
    with browsing(chromium) as tab:
        tab.intercept(served())
        tab.visit("https://a.example/")
        with pytest.raises(browser.BrowserError, match="threw"):
            tab.evaluate("nobody.knows")
        with pytest.raises(browser.BrowserError, match="Nobody"):
            tab.call("Nobody.knows")


def test_a_browser_that_is_none(tmp_path):
    with pytest.raises(browser.BrowserError), browsing(tmp_path / "none") as tab:
        tab.visit("https://a.example/")


def test_a_browser_that_says_nothing(tmp_path):
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexec sleep 30\n")
    silent.chmod(0o755)

    with pytest.raises(browser.BrowserError, match="no answer"), browsing(silent, within_s=0.3):
        pass
