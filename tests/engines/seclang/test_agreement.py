"""A small sample of `bench/agreement.py`: the same rules in libmodsecurity, the same requests."""

import sys
from pathlib import Path

import pytest

from troth.engines import seclang
from troth.engines.seclang import Source, parse
from troth.roles import rules

sys.path.insert(0, str(Path(__file__).parent))

import generated
import oracle

CRS = Path("/usr/share/modsecurity-crs/rules")


@pytest.mark.skipif(not CRS.is_dir(), reason="Debian's modsecurity-crs is not installed")
def test_the_same_rules_match(tmp_path):
    sources, data = rules.sources_of(CRS)
    sources = (*sources, Source("grammars", oracle.GRAMMARS))
    asked = oracle.crs(sources, data, tmp_path, paranoia=1)
    program = seclang.compile(parse(sources, data), paranoia=1)
    apart = []
    for message in generated.requests(seed=4, count=120):
        theirs, ours = set(asked.ids(message)), set(program.inspect(message).rules)
        rest = (theirs ^ ours) - oracle.UNTOLD
        if any(not oracle.is_explained(message, rule) for rule in rest):
            apart.append((message, rest))
    asked.close()

    assert apart == []
