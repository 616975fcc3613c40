"""A refused request is explained, excluded and proven; what would open more is not written."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from troth.adapters import clock
from troth.adapters.spool import Bounds, Spool
from troth.catalogue import Settings
from troth.enforce import requests
from troth.enforce.decide import Decision
from troth.kernel.errors import Failure
from troth.kernel.request import Known, Request, Response
from troth.promises.guard.enforce import exclusions, kinds, waf
from troth.promises.guard.settings.learn import Learn, Parameter
from troth.promises.guard.settings.waf import Rules
from troth.roles import exclude, explain, rules_load, up
from troth.roles.places import Places

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SET = r"""
SecRuleEngine On
SecRequestBodyAccess On
SecDefaultAction "phase:2,pass,log"
SecAction "id:100,phase:1,pass,nolog,setvar:tx.anomaly_score=0,\
    setvar:tx.inbound_anomaly_score_threshold=5"
SecRule ARGS "@rx (?i)union\s+select|'\s*or\s*'|;\s*cat\s" \
    "id:101,phase:2,t:none,msg:'SQL or shell',severity:2,setvar:tx.anomaly_score=+5"
SecRule ARGS|ARGS_NAMES "@rx (?i)<script|onerror=" \
    "id:102,phase:2,t:none,msg:'markup',severity:2,setvar:tx.anomaly_score=+5"
SecRule ARGS "@rx \.\./" "id:103,phase:2,t:none,msg:'path',severity:2,setvar:tx.anomaly_score=+5"
SecRule TX:ANOMALY_SCORE "@ge %{tx.inbound_anomaly_score_threshold}" \
    "id:104,phase:2,deny,status:403,t:none,msg:'score'"
"""


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "all.conf").write_text(SET)
    (folder / "crs-setup.conf").write_text("")
    return Rules(set=str(folder), sha256=rules_load.digest_of(folder))


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "data")
    made.prepare()
    return made


def said(rules: Rules) -> str:
    return f"""
        [troth]
        name = "n"
        host = "t.localhost"
        [application]
        host = "a.localhost"
        upstream = "http://127.0.0.1:1"
        [status]
        host = "s.localhost"
        [guard.rules]
        set = "{rules.set}"
        sha256 = "{rules.sha256}"
    """


def settings(rules: Rules) -> Settings:
    return msgspec.toml.decode(said(rules), type=Settings)


def form(path: bytes, body: bytes) -> Request:
    return Request(
        method=b"POST", target=path, host=b"a.localhost", body=body,
        headers=(
            (b"host", b"a.localhost"),
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"content-length", b"%d" % len(body)),
        ),
    )  # fmt: skip


def store(places: Places, rules: Rules, request: Request, event: str = "00ff00ff") -> Decision:
    """As the guard does: decide, and keep what was refused."""
    opinion = waf.check(rules_load.program_of(rules), rules)(request, Known(now=NOW))
    decision = Decision(refusal=opinion.refusal, hits=opinion.hits)
    way = Spool(places.spool / "requests", lambda *_: None, Bounds(mode=0o600))
    way.put(lambda: requests.record(event, request, decision, clock.now()))
    way.close()
    return decision


MESSAGE = b"message=Which union select the players?&name=Tom"


def test_a_refusal_is_explained_with_rule_place_and_value(places: Places, rules: Rules):
    decision = store(places, rules, form(b"/contact", MESSAGE))
    assert decision.refusal.status == 403

    told = explain.explain(settings(rules), places, "00ff00ff")

    (reason,) = told.then
    assert (reason.rule, reason.place) == ("101", "ARGS:message")
    assert reason.value == "Which union select the players?"
    assert reason.where.startswith("all.conf:7")
    assert told.now[0].rule == "101"
    assert told.refusal is not None
    text = "\n".join(explain.lines(told))
    assert "rule 101: SQL or shell  [all.conf:7]" in text
    assert "refuse it for the same" in text
    assert told.as_json()["refused_now"] is True


def test_the_exclusion_is_of_one_rule_one_place_one_route(places: Places, rules: Rules):
    store(places, rules, form(b"/contact", MESSAGE))

    proposal = exclude.propose(settings(rules), places, "00ff00ff")

    (made,) = proposal.exclusions
    assert (made.path, made.parameter, made.rule) == ("/contact", "ARGS:message", 101)
    assert proposal.probes > 20
    program = rules_load.program_of(rules)
    check = waf.check(program, msgspec.structs.replace(rules, exclusions=(made,)))

    def is_refused(path: bytes, body: bytes) -> bool:
        return check(form(path, body), Known(now=NOW)).refusal is not None

    assert not is_refused(b"/contact", MESSAGE)
    assert is_refused(b"/contact", b"name=x union select y")
    assert is_refused(b"/contact", b"message=<script>")
    assert is_refused(b"/other", MESSAGE)
    assert is_refused(b"/contact/below", MESSAGE)
    assert is_refused(b"/x/../contact", MESSAGE)


def test_what_one_named_rule_cannot_open_is_not_proposed(places: Places, rules: Rules):
    store(places, rules, form(b"/contact", b"message=<script> union select"))

    with pytest.raises(Failure, match="without rule 101 as well"):
        exclude.propose(settings(rules), places, "00ff00ff", rule=101)
    both = exclude.propose(settings(rules), places, "00ff00ff")
    assert {each.rule for each in both.exclusions} == {101, 102}


def test_a_route_must_cover_the_request(places: Places, rules: Rules):
    store(places, rules, form(b"/teams/17", MESSAGE))
    given = settings(rules)

    proposal = exclude.propose(given, places, "00ff00ff", path="/teams/{id}")
    assert proposal.exclusions[0].path == "/teams/{id}"
    with pytest.raises(Failure, match="does not cover"):
        exclude.propose(given, places, "00ff00ff", path="/courts/{id}")


def test_a_doubtful_path_has_no_exclusions(places: Places, rules: Rules):
    store(places, rules, form(b"/x/..%2fcontact", MESSAGE))

    with pytest.raises(Failure, match="doubtful path"):
        exclude.propose(settings(rules), places, "00ff00ff")


def test_what_would_open_more_is_refused(
    places: Places, rules: Rules, monkeypatch: pytest.MonkeyPatch
):
    """A mistake in how exclusions are applied (every place of the rule) is found by the probes."""
    store(places, rules, form(b"/contact", MESSAGE))
    monkeypatch.setattr(waf.Policy, "excluded", lambda self, _: tuple(
        (each.rule, exclusions.selector_of("ARGS")) for each in self._exclusions
    ))  # fmt: skip

    with pytest.raises(Failure, match="let in more"):
        exclude.propose(settings(rules), places, "00ff00ff")


def test_rules_that_refuse_nothing_prove_nothing(places: Places, tmp_path: Path):
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "crs-setup.conf").write_text("")
    (folder / "a.conf").write_text(
        'SecRuleEngine On\nSecRequestBodyAccess On\n'
        'SecRule ARGS "@streq odd" "id:9,phase:2,deny,log,severity:2,msg:\'odd\'"\n'
    )  # fmt: skip
    odd = Rules(set=str(folder), sha256=rules_load.digest_of(folder))
    store(places, odd, form(b"/contact", b"message=odd"))

    with pytest.raises(Failure, match="refuse none of the attacks"):
        exclude.propose(settings(odd), places, "00ff00ff")


def test_what_passes_already_needs_no_exclusion(places: Places, rules: Rules):
    store(places, rules, form(b"/contact", MESSAGE))
    (Path(rules.set) / "all.conf").write_text(SET.replace("union", "onion"))
    other = msgspec.structs.replace(rules, sha256=rules_load.digest_of(Path(rules.set)))

    with pytest.raises(Failure, match="passes already"):
        exclude.propose(settings(other), places, "00ff00ff")
    assert "let it pass" in "\n".join(
        explain.lines(explain.explain(settings(other), places, "00ff00ff"))
    )


def test_unknown_events_are_said_to_be(places: Places, rules: Rules):
    for event in ("00000000", "no id", "../../etc"):
        with pytest.raises(Failure):
            explain.find(places, event)


def test_secrets_are_not_in_the_store(places: Places, rules: Rules):
    body = b"message=a union select b&password=hunter2&card=4111111111111111"
    request = form(b"/contact?token=abc123", body)
    store(places, rules, request)

    raw = next((places.spool / "requests").glob("*.jsonl"))
    text = (
        raw.read_text() + base64.b64decode(msgspec.json.decode(raw.read_bytes())["body"]).decode()
    )
    assert "hunter2" not in text
    assert "abc123" not in text
    assert "411111111" not in text
    assert raw.stat().st_mode & 0o777 == 0o600
    assert not explain.find(places, "00ff00ff").is_whole


def test_it_is_written_beside_what_stands_there_and_then_holds(
    places: Places, rules: Rules, tmp_path: Path
):
    config = tmp_path / "troth.toml"
    config.write_text(
        said(rules) + "# Anna's own\n[[guard.rules.exclusions]]\n"
        'path = "/old"\nparameter = "ARGS:x"\nrule = 102\n'
    )
    store(places, rules, form(b"/contact", MESSAGE))
    proposal = exclude.propose(up.read(config), places, "00ff00ff")

    exclude.write(config, places, proposal)

    assert "# Anna's own" in config.read_text()
    old, new = up.read(config).guard.rules.exclusions
    assert (old.path, old.rule) == ("/old", 102)
    assert new == proposal.exclusions[0]
    assert explain.explain(up.read(config), places, "00ff00ff").refusal is None
    with pytest.raises(Failure, match="passes already"):
        exclude.propose(up.read(config), places, "00ff00ff")


def browsed(target: bytes, *referer: bytes) -> Request:
    host = b"a.localhost"
    headers = ((b"host", host), *((b"referer", each) for each in referer))
    return Request(method=b"GET", target=target, host=host, headers=headers)


PAGE = b"/courts?note=Which+union+select+the+players%3F"


def headed(rules: Rules) -> Rules:
    """The same with a rule that asks the same of headers, as real sets do."""
    path = Path(rules.set) / "headers.conf"
    path.write_text(
        "SecRule REQUEST_HEADERS \"@rx (?i)union\\s+select|'\\s*or\\s*'|;\\s*cat\\s\" "
        "\"id:201,phase:2,deny,log,t:none,t:urlDecodeUni,msg:'SQL or shell',severity:2\"\n"
    )
    return msgspec.structs.replace(rules, sha256=rules_load.digest_of(Path(rules.set)))


def test_a_page_and_what_a_browser_loads_with_it(places: Places, rules: Rules):
    rules = headed(rules)
    store(places, rules, browsed(PAGE))

    (made,) = exclude.propose(settings(rules), places, "00ff00ff").exclusions

    assert (made.path, made.parameter, made.rule) == ("/courts", "ARGS:note", 101)
    given = msgspec.structs.replace(rules, exclusions=(made,))
    check = waf.check(rules_load.program_of(given), given)
    page = b"https://a.localhost" + PAGE
    said = [
        check(browsed(target, page), Known(now=NOW)).refusal
        for target in (b"/style.css", b"/logo.png", b"/api/free?day=1", PAGE)
    ]
    assert said == [None] * 4
    assert check(browsed(b"/style.css", page.replace(b"courts", b"x")), Known(now=NOW)).refusal
    assert check(browsed(b"/style.css", page.replace(b"note", b"x")), Known(now=NOW)).refusal


def test_a_picture_refused_for_its_page_leads_to_the_pages_parameter(places: Places, rules: Rules):
    rules = headed(rules)
    store(places, rules, browsed(b"/logo.png", b"https://a.localhost" + PAGE))

    proposal = exclude.propose(settings(rules), places, "00ff00ff")

    (made,) = proposal.exclusions
    assert (made.path, made.parameter, made.rule) == ("/courts", "ARGS:note", 101)


def test_a_page_that_comes_from_itself_needs_no_exclusion_of_the_header(
    places: Places, rules: Rules
):
    rules = headed(rules)
    store(places, rules, browsed(PAGE, b"https://a.localhost" + PAGE))

    (made,) = exclude.propose(settings(rules), places, "00ff00ff").exclusions

    assert made.parameter == "ARGS:note"


def test_referrers_that_let_in_more_are_found(
    places: Places, rules: Rules, monkeypatch: pytest.MonkeyPatch
):
    """A mistake (any page's address counts as the excluded one's) is found by the probes."""
    rules = headed(rules)
    store(places, rules, browsed(PAGE))
    monkeypatch.setattr(
        exclusions, "own_page", lambda request: (b"", b"/courts", request.values(b"referer")[0])
        if request.values(b"referer") else None
    )  # fmt: skip
    monkeypatch.setattr(exclusions, "_without", lambda query, place: b"")

    with pytest.raises(Failure, match="let in more"):
        exclude.propose(settings(rules), places, "00ff00ff")


def withheld(places: Places, rules: Rules, target: bytes, body: bytes) -> Decision:
    """As the guard does with an answer."""
    request = browsed(target)
    answer = Response(status=500, headers=((b"content-type", b"text/plain"),), body=body)
    opinion = waf.answer_check(rules_load.program_of(rules), rules)(request, answer, Known(now=NOW))
    decision = Decision(refusal=opinion.refusal, hits=opinion.hits)
    way = Spool(places.spool / "requests", lambda *_: None, Bounds(mode=0o600))
    way.put(lambda: requests.record("00ff00ff", request, decision, clock.now()))
    way.close()
    return decision


TRACE = b'Traceback (most recent call last):\n  File "/srv/app.py", line 3, in pay\n'


def test_an_answer_that_was_withheld_is_explained_without_what_it_said(places: Places):
    given = Rules()
    assert withheld(places, given, b"/tools/traces", TRACE).refusal.status == 500

    told = explain.explain(settings(given), places, "00ff00ff")

    text = "\n".join(explain.lines(told))
    assert "rule 9018040: A stack trace of Python  [50-leak.conf:" in text
    assert "RESPONSE_BODY = ***" in text
    assert "troth rules exclude 00ff00ff" in text
    assert "/srv/app.py" not in text
    assert told.as_json()["of_answer"] is True


def test_the_exclusion_of_an_answer_is_of_one_rule_and_one_route(places: Places):
    given = Rules()
    withheld(places, given, b"/tools/traces", TRACE)

    proposal = exclude.propose(settings(given), places, "00ff00ff")

    (made,) = proposal.exclusions
    assert (made.path, made.parameter, made.rule) == ("/tools/traces", "RESPONSE_BODY", 9018040)
    assert proposal.probes > 40
    assert "leaks of other kinds" in "\n".join(exclude.lines(proposal))
    check = waf.answer_check(rules_load.program_of(given), Rules(exclusions=(made,)))
    answer = Response(status=500, headers=((b"content-type", b"text/plain"),), body=TRACE)
    assert check(browsed(b"/tools/traces?a=b"), answer, Known(now=NOW)).refusal is None
    assert check(browsed(b"/tools"), answer, Known(now=NOW)).refusal
    with pytest.raises(Failure, match="not withheld for rule 7"):
        exclude.propose(settings(given), places, "00ff00ff", rule=7)


def test_an_exclusion_that_would_let_out_more_is_refused(
    places: Places, monkeypatch: pytest.MonkeyPatch
):
    given = Rules()
    withheld(places, given, b"/tools/traces", TRACE)
    monkeypatch.setattr(exclusions.Policy, "excluded", lambda self, _: tuple(
        (0, exclusions.selector_of("RESPONSE_BODY")) for _ in self._exclusions
    ))  # fmt: skip

    with pytest.raises(Failure, match="let out more"):
        exclude.propose(settings(given), places, "00ff00ff")


def test_a_value_of_another_kind_is_explained_by_its_kind(places: Places):
    said = Learn(check="block", parameters=(Parameter(path="/free", name="n", kind="integer"),))
    (check,) = kinds.checks(said)
    request = browsed(b"/free?n=abc")
    opinion = check(request, Known(now=NOW))
    decision = Decision(refusal=opinion.refusal, hits=opinion.hits)
    way = Spool(places.spool / "requests", lambda *_: None, Bounds(mode=0o600))
    way.put(lambda: requests.record("00ff00ff", request, decision, clock.now()))
    way.close()
    whole = settings(Rules())
    whole = msgspec.structs.replace(whole, guard=msgspec.structs.replace(whole.guard, learn=said))

    told = explain.explain(whole, places, "00ff00ff")

    assert told.refusal.code == "type"
    text = "\n".join(explain.lines(told))
    assert "ARGS:n = abc" in text
    assert "[[guard.learn.parameters]]" in text
    assert "rules exclude" not in text
    with pytest.raises(Failure, match=r"guard.learn.parameters"):
        exclude.propose(whole, places, "00ff00ff")
