"""Rules in, ids out: `asked(rules, uri=..., ...)`."""

import sys
from pathlib import Path

import pytest

from troth.engines import seclang
from troth.engines.seclang import Message, Source, parse
from troth.engines.seclang.scan.scanner import Scanner
from troth.engines.seclang.transform import FUNCTIONS

sys.path.insert(0, str(Path(__file__).parent))


def verdicts(rules, *, uri="/", headers=(), method="GET", paranoia=None, settings=None, **more):
    """Of a rule set, without and with a scanner; both must say the same."""
    program = seclang.compile(
        parse([Source("t.conf", rules)], more.pop("data", {})),
        paranoia=paranoia,
        settings=settings or {},
    )
    message = Message(
        method=method.encode(),
        uri=uri.encode("latin-1"),
        headers=tuple((name.encode(), value.encode("latin-1")) for name, value in headers),
        **more,
    )
    scanned = program.with_scan(Scanner(program.tests, FUNCTIONS, program.ruleset.data))
    verdict = program.inspect(message)

    assert scanned.inspect(message) == verdict
    return verdict


@pytest.fixture
def asked():
    return verdicts


@pytest.fixture
def ids(asked):
    return lambda *args, **more: asked(*args, **more).rules
