"""A small sample of `bench/agreement.py`: the same rules in libmodsecurity, the same requests."""

import sys
from pathlib import Path

import pytest

from troth.engines import seclang
from troth.engines.seclang import parse
from troth.roles import rules

sys.path.insert(0, str(Path(__file__).parent))

import generated
import oracle

CRS = Path("/usr/share/modsecurity-crs/rules")


@pytest.mark.skipif(not CRS.is_dir(), reason="Debian's modsecurity-crs is not installed")
def test_the_same_rules_match(tmp_path: Path):
    sources, data = rules.sources_of(CRS)
    asked = oracle.crs(sources, data, tmp_path, paranoia=4)
    program = seclang.compile(parse(sources, data), paranoia=4)
    apart = []
    for message in generated.requests(seed=4, count=120):
        theirs, ours = set(asked.ids(message)), set(program.inspect(message).rules)
        if rest := oracle.unexplained(message, ours - oracle.UNTOLD, theirs - oracle.UNTOLD):
            apart.append((message, rest))
    asked.close()

    assert apart == []
