"""CRS 3.3.4, as Debian ships it, with its own regression tests."""

from pathlib import Path

import pytest

from troth.engines import seclang
from troth.engines.seclang import Message, Source, parse
from troth.roles import rules

CRS = Path("/usr/share/modsecurity-crs/rules")
TESTS = Path(__file__).parents[4] / "shared" / "corpora" / "crs-3.3.4"
SHARE = 0.999

pytestmark = pytest.mark.skipif(
    not CRS.is_dir(), reason="Debian's modsecurity-crs is not installed"
)


@pytest.mark.shared
@pytest.mark.skipif(not TESTS.is_dir(), reason="../shared/corpora/crs-3.3.4 is absent")
def test_its_regression_tests_pass():
    told = rules.test(TESTS, CRS, paranoia=4, progress=lambda _: None)

    assert told.passed + told.failed > 2000
    assert told.passed >= SHARE * (told.passed + told.failed), told.failures


@pytest.fixture(scope="module")
def crs():
    return rules.sources_of(CRS)


def test_at_paranoia_one_hardly_a_set_up_rule_is_left(crs):
    program = seclang.compile(parse(*crs), paranoia=1)

    left = {step.rule.id for step in program.steps}
    assert len(left) < 200
    assert not {901100, 901120, 901160, 942013, 942018, 900990} & left
    assert program.tx[b"critical_anomaly_score"] == b"5"
    assert len(seclang.compile(parse(*crs), paranoia=4).steps) > len(left) + 60


PASSWORD = Message(
    method=b"POST",
    uri=b"/wp-login.php",
    headers=(
        (b"Host", b"a.example"),
        (b"User-Agent", b"x"),
        (b"Accept", b"*/*"),
        (b"Content-Type", b"application/x-www-form-urlencoded"),
        (b"Content-Length", b"49"),
    ),
    body=b"log=anna&pwd=%27;cat+/etc/passwd%3b%22%7c%7csleep(1)",
    client="192.0.2.1",
)


def test_the_exclusions_of_wordpress_work(crs):
    plain = seclang.compile(parse(*crs), paranoia=1)
    wordpress = seclang.compile(parse(*crs), paranoia=1, settings={"crs_exclusions_wordpress": "1"})

    assert plain.inspect(PASSWORD).is_disrupted
    verdict = wordpress.inspect(PASSWORD)
    assert not verdict.is_disrupted
    assert verdict.matches == ()


def test_an_operators_exclusion_takes_away_one_argument(crs):
    sources, data = crs
    for change in (
        'SecRuleUpdateTargetByTag OWASP_CRS "!ARGS:pwd"',
        'SecAction "id:10,phase:1,pass,nolog,ctl:ruleRemoveTargetByTag=OWASP_CRS;ARGS:pwd"',
    ):
        at = 1 if "ctl" in change else len(sources)
        with_change = [*sources[:at], Source("own", change), *sources[at:]]
        verdict = seclang.compile(parse(with_change, data), paranoia=1).inspect(PASSWORD)
        assert not any(match.place == "ARGS:pwd" for match in verdict.matches)
