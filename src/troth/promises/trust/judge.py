"""Pure: what was seen of the page -> verdict. Unknown is never a pass."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from troth.kernel.model import Judgement, State, Verdict
from troth.promises.trust.settings import TrustSettings

OK = 200
DAY_S = 86_400  # Source: the promise: a report younger than a day
YEAR_S = int(timedelta(days=366).total_seconds())  # Source: RFC 9116, 2.5.5
# What a promise with a date ahead may be shown as. Source: kernel.state, the order of states.
MAY_BE_PLANNED = frozenset({State.PLANNED.value, State.FAILING.value, State.NOT_APPLICABLE.value})
STATES = frozenset(state.value for state in State)
MAX_FEED = 100  # entries; older changes are in the log alone

T = TypeVar("T", bound=Struct)


class _Facts(Exception):  # noqa: N818 -- never leaves this file
    """Facts that are not those of the probe."""


def _read(facts: Mapping[str, Any], shape: type[T]) -> T:
    try:
        return msgspec.convert(facts, shape)
    except msgspec.ValidationError as error:
        raise _Facts(f"not the facts of this probe: {error}") from error


def _error(why: str) -> Judgement:
    return Judgement(Verdict.ERROR, why)


def _by_faults(faults: list[str], passed: str) -> Judgement:
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        return Judgement(Verdict.FAIL, faults[0] + more)
    return Judgement(Verdict.PASS, passed)


class _List(Struct, frozen=True):
    status: int
    api: list[str]
    page: list[tuple[str, str, int, int]]
    loose: int


def measure_list(facts: Mapping[str, Any], _settings: TrustSettings) -> Judgement:
    """The page lists what the API lists, each sentence with id, state and evidence."""
    try:
        seen = _read(facts, _List)
    except _Facts as error:
        return _error(str(error))
    if not seen.api:
        return _error("the API lists nothing to compare with")
    listed = [slug for slug, _, _, _ in seen.page]
    faults = [] if seen.status == OK else [f"the page answers {seen.status}"]
    faults += [f"{slug} is not on the page" for slug in sorted(set(seen.api) - set(listed))]
    faults += [f"{slug} is on the page only" for slug in sorted(set(listed) - set(seen.api))]
    faults += [f"{slug} is listed twice" for slug in sorted(set(listed)) if listed.count(slug) > 1]
    faults += [f"{seen.loose} sentences belong to no promise"] if seen.loose else []
    for slug, state, sentence, evidence in seen.page:
        if state not in STATES:
            faults.append(f"{slug} has no state")
        if not sentence:
            faults.append(f"{slug} has no sentence")
        if not evidence:
            faults.append(f"{slug} links no evidence")
    return _by_faults(faults, f"{len(listed)} promises, each with its state and evidence")


class _InLog(Struct, frozen=True):
    log: dict[str, str]
    page: dict[str, str]
    links: dict[str, int]


def measures_in_log(facts: Mapping[str, Any], _settings: TrustSettings) -> Judgement:
    """The page says what the log's catalogue says, and its evidence can be opened."""
    try:
        seen = _read(facts, _InLog)
    except _Facts as error:
        return _error(str(error))
    if not seen.log:
        return _error("the log's catalogue is empty")
    faults = [f"{slug} is in the log, not on the page" for slug in seen.log.keys() - seen.page]
    faults += [f"{slug} is on the page, not in the log" for slug in seen.page.keys() - seen.log]
    faults += [
        f"{slug} says something else than the log"
        for slug, sentence in seen.page.items()
        if seen.log.get(slug) and " ".join(seen.log[slug].split()) != sentence
    ]
    faults += [f"{link} answers {status}" for link, status in seen.links.items() if status != OK]
    faults += [] if seen.links else ["no evidence is linked"]
    return _by_faults(sorted(faults), f"{len(seen.page)} sentences are those of the log")


class _Shown(Struct, frozen=True):
    items: list[tuple[str, str, str, bool, bool]]
    counted: dict[str, int]


class _Planned(Struct, frozen=True):
    planned: list[str]
    pages: dict[str, _Shown | None]
    colours: list[tuple[str, str]]
    has_rule: bool


def planned(facts: Mapping[str, Any], settings: TrustSettings) -> Judgement:
    """What is planned looks planned, with its date, in every language; nothing else does."""
    try:
        seen = _read(facts, _Planned)
    except _Facts as error:
        return _error(str(error))
    shown = {name: page for name, page in seen.pages.items() if page is not None and page.items}
    if set(shown) != set(settings.languages):
        return _error("not every language could be read")
    faults = [] if seen.has_rule else ["the stylesheet does not tell planned from the rest"]
    if not seen.colours or any(one == other for one, other in seen.colours):
        faults.append("planned and proven have one colour")
    for name, page in shown.items():
        faults += [f"{name}: {fault}" for fault in _mislabelled(page, set(seen.planned))]
    count = len(seen.planned)
    return _by_faults(faults, f"{count} planned, apart from the others in every language")


def _mislabelled(page: _Shown, planned_slugs: set[str]) -> list[str]:
    words: dict[str, set[str]] = {}
    faults = []
    for slug, state, word, has_icon, has_date in page.items:
        words.setdefault(state, set()).add(word)
        if slug in planned_slugs and state not in MAY_BE_PLANNED:
            faults.append(f"{slug} is planned and shown as {state}")
        if state == State.PLANNED and not (slug in planned_slugs and has_date):
            faults.append(f"{slug} is shown as planned without its date")
        if not word or not has_icon:
            faults.append(f"{slug} has no word or icon of its state")
    flat = [word for several in words.values() for word in several]
    if len(flat) != len(words):
        faults.append("a state with two words, or two with one")
    if len(set(flat)) != len(flat):
        faults.append("two states with the same word")
    proven = sum(state == State.PROVEN for _, state, _, _, _ in page.items)
    if page.counted.get(State.PROVEN, 0) != proven:
        faults.append(f"{page.counted.get(State.PROVEN, 0)} are counted as proven, {proven} are")
    return faults


class _Said(Struct, frozen=True):
    lang: str
    items: list[tuple[str, str, list[str], str]]
    foreign: list[str]


class _Languages(Struct, frozen=True):
    pages: dict[str, _Said | None]
    repeats: list[str]


def languages(facts: Mapping[str, Any], settings: TrustSettings) -> Judgement:
    """Ids, states and evidence are the same in every language, and each sentence is translated."""
    try:
        seen = _read(facts, _Languages)
    except _Facts as error:
        return _error(str(error))
    first = seen.pages.get(settings.languages[0])
    if first is None or not first.items:
        return _error("the first language could not be read")
    faults = [f"{slug} is not translated" for slug in seen.repeats]
    want = [(slug, state, evidence) for slug, state, evidence, _ in first.items]
    for name in settings.languages:
        page = seen.pages.get(name)
        if page is None:
            faults.append(f"{name} is not there")
            continue
        if page.lang != name:
            faults.append(f"{name} says that it is {page.lang or 'nothing'}")
        if [(slug, state, evidence) for slug, state, evidence, _ in page.items] != want:
            faults.append(f"{name} says other ids, states or evidence")
        faults += [f"{name}: {slug} has other words than declared" for slug in page.foreign]
    return _by_faults(faults, f"{len(want)} promises are the same in {len(seen.pages)} languages")


class _Ran(Struct, frozen=True):
    check: str
    is_shown: bool
    code: int
    facts: dict[str, Any]


class _Retest(Struct, frozen=True):
    checks: list[tuple[str, bool, bool]]
    ran: _Ran


def retest(facts: Mapping[str, Any], settings: TrustSettings) -> Judgement:
    """Every check shows a command of the reader's own tools; the one that was run agrees.

    A command may see less than the probe. But where the probe passes, the command must too.
    """
    try:
        seen = _read(facts, _Retest)
    except _Facts as error:
        return _error(str(error))
    if not seen.checks:
        return _error("no check is published")
    faults = [f"{check} shows no command" for check, is_shown, _ in seen.checks if not is_shown]
    faults += [
        f"{check} needs more than a reader has" for check, _, is_own in seen.checks if not is_own
    ]
    ran = seen.ran
    if not ran.is_shown:
        faults.append(f"{ran.check} shows another command than the one declared")
    elif ran.check not in _SAMPLED:
        return _error(f"{ran.check} is not what is sampled")
    else:
        ours = _SAMPLED[ran.check](ran.facts, settings).verdict
        if ours is Verdict.PASS and ran.code:
            faults.append(f"the command of {ran.check} says no where we say yes")
        if not faults and ours is Verdict.ERROR:
            return _error(f"{ran.check} could not be compared")
    return _by_faults(faults, f"{len(seen.checks)} commands are shown; that of {ran.check} agrees")


_SAMPLED = {
    "public-measure-list.page": measure_list,
    "planned-labelled.page": planned,
    "page-languages.same": languages,
}


class _Report(Struct, frozen=True):
    linked: bool
    status: int
    source: str
    named: str
    served: str
    age_s: int | None
    signature: str


def tls_report(facts: Mapping[str, Any], _settings: TrustSettings) -> Judgement:
    """The linked report is younger than a day, signed, and of the certificate that is served."""
    try:
        seen = _read(facts, _Report)
    except _Facts as error:
        return _error(str(error))
    if not seen.served:
        return _error("no certificate was seen to compare with")
    if not seen.linked:
        return Judgement(Verdict.FAIL, "the page links no report")
    if seen.status != OK:
        return Judgement(Verdict.FAIL, f"the report answers {seen.status}")
    if not seen.source:
        return _error("the report has no scan yet")
    faults = []
    if seen.age_s is None or not -60 <= seen.age_s < DAY_S:  # noqa: PLR2004 -- a minute of skew
        faults.append("the report is not of the last day")
    if seen.named != seen.served:
        faults.append("the report names another certificate than the one served")
    if seen.signature != "good":
        faults.append(f"the report's signature is {seen.signature}")
    return _by_faults(faults, "a signed report of the last day names the certificate served")


class _Feed(Struct, frozen=True):
    status: int
    fault: str
    entries: list[tuple[str, str, str]]
    states: dict[str, str]
    fails: list[tuple[str, str]]
    is_stale: bool


def feed(facts: Mapping[str, Any], _settings: TrustSettings) -> Judgement:
    """The feed's newest word on each promise is its state, and breaks in the log are in it."""
    try:
        seen = _read(facts, _Feed)
    except _Facts as error:
        return _error(str(error))
    if seen.is_stale:
        return _error("the page is stale, and its feed says only that")
    if not seen.states:
        return _error("no promise is published")
    if seen.status != OK or seen.fault:
        return Judgement(Verdict.FAIL, seen.fault or f"the feed answers {seen.status}")
    newest: dict[str, str] = {}
    for slug, state, _ in seen.entries:
        newest.setdefault(slug, state)
    is_whole = len(seen.entries) < MAX_FEED
    faults = [
        f"{slug} is {state}, the feed says {newest.get(slug, 'nothing')}"
        for slug, state in seen.states.items()
        if (slug not in newest and is_whole)
        or (state != State.STALE and newest.get(slug, state) != state)
    ]
    told = {(slug, evidence) for slug, _, evidence in seen.entries}
    if is_whole:
        faults += [
            f"{slug} broke in {leaf}, the feed does not tell"
            for slug, leaf in seen.fails
            if (slug, leaf) not in told and slug in seen.states and newest.get(slug) != "stale"
        ]
    return _by_faults(faults, f"the feed tells the {len(seen.entries)} changes that the log holds")


class _Stands(Struct, frozen=True):
    name: bool
    address: bool
    mail: bool
    status: int = OK


class _Security(Struct, frozen=True):
    status: int
    agrees: bool
    lasts_s: int | None
    canonical: bool


class _Contact(Struct, frozen=True):
    set: _Stands
    pages: dict[str, _Stands | None]
    security: dict[str, _Security]
    imprint: _Stands | None
    privacy: _Stands | None


def contact(facts: Mapping[str, Any], settings: TrustSettings) -> Judgement:
    """Name, address and mail stand in every language; security.txt, imprint, privacy agree."""
    try:
        seen = _read(facts, _Contact)
    except _Facts as error:
        return _error(str(error))
    faults = [f"no {name} is set" for name in _missing(seen.set)]
    for language in settings.languages:
        page = seen.pages.get(language)
        if page is None:
            return _error(f"the page in {language} could not be read")
        faults += [f"{language}: the page lacks the {name}" for name in _missing(page)]
    for host, text in seen.security.items():
        faults += [f"security.txt on {host}: {fault}" for fault in _wrong(text)]
    faults += _linked("imprint", seen.imprint, whole=True)
    faults += _linked("privacy page", seen.privacy, whole=False)
    return _by_faults(faults, "name, address and mail stand everywhere, and agree")


def _missing(stands: _Stands) -> list[str]:
    return [name for name in ("name", "address", "mail") if not getattr(stands, name)]


def _wrong(text: _Security) -> list[str]:
    if text.status != OK:
        return [f"answers {text.status}"]
    faults = [] if text.agrees else ["another contact than the page's"]
    if text.lasts_s is None or not 0 < text.lasts_s < YEAR_S:
        faults.append("expired, or for more than a year")
    if not text.canonical:
        faults.append("does not name its own address")
    return faults


def _linked(what: str, page: _Stands | None, *, whole: bool) -> list[str]:
    """A page of the application; of the privacy page name and mail are asked."""
    if page is None:
        return [f"no {what} is named"]
    if page.status != OK:
        return [f"the {what} answers {page.status}"]
    return [f"the {what} lacks the {n}" for n in _missing(page) if whole or n != "address"]
