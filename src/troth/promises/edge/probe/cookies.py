"""Cookies that the application sets, as they leave the edge; values are blanked at once."""

from collections.abc import Iterable
from urllib.parse import urlencode

from troth.adapters.http import Response
from troth.adapters.vantage import Vantage
from troth.kernel.model import Observation
from troth.promises.edge.probe.answers import Kind
from troth.promises.edge.probe.crawl import crawled
from troth.promises.edge.probe.forms import filled
from troth.promises.edge.settings import EdgeSettings, Form


def one(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """The cookies of the form that `[edge.probe] cookie` names."""
    form = settings.probe.cookie
    answers = [_post(vantage, form)] if form else []
    return _observed(answers, asked=len(answers))


def every(vantage: Vantage, settings: EdgeSettings) -> Observation:
    """The cookies of every form that `[edge.probe]` names, and of every page a crawl reaches."""
    forms = [form for form in (settings.probe.cookie, *settings.probe.forms) if form]
    answers = [_post(vantage, form) for form in forms]
    pages: list[Kind] = crawled(vantage, settings)
    answers += [answer for kind, answer in pages if kind in {"page", "crawled", "missing"}]
    return _observed(answers, asked=len(answers))


def _post(vantage: Vantage, form: Form) -> Response:
    """Post it as a browser does that has the page open: no redirect is followed."""
    return vantage.fetch(
        vantage.site.app + form.path,
        method="POST",
        headers=(
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Origin", vantage.site.app),
            ("Sec-Fetch-Site", "same-origin"),
            ("Sec-Fetch-Mode", "navigate"),
        ),
        body=urlencode(filled(form, vantage)).encode(),
    )


def _observed(answers: Iterable[Response], *, asked: int) -> Observation:
    fields = [_blank(value) for answer in answers for value in answer.all("set-cookie")]
    return Observation(
        facts={"set_cookie": fields, "asked": asked, "cookies_seen": len(fields)},
        public=frozenset({"cookies_seen"}),
    )


def _blank(field: str) -> str:
    """The field with its value left out: a session is nobody's business."""
    pair, semicolon, rest = field.partition(";")
    name, equals, _ = pair.partition("=")
    return f"{name}{equals}{semicolon}{rest}"
