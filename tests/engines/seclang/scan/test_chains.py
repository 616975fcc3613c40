"""A value through many chains, each function once: the same outcomes as one chain at a time."""

from tests.engines.seclang.scan.values import values

from troth.engines.seclang.scan.chains import Chain, Chains
from troth.engines.seclang.transform import FUNCTIONS

CHAINS: tuple[Chain, ...] = (
    (),
    ("lowercase",),
    ("urldecodeuni", "lowercase"),
    ("urldecodeuni", "htmlentitydecode", "lowercase"),
    ("utf8tounicode", "urldecodeuni", "htmlentitydecode", "jsdecode", "cssdecode", "removenulls"),
    ("urldecodeuni", "cmdline", "normalizepath", "lowercase"),
    ("urldecode", "replacecomments", "compresswhitespace"),
    ("urldecodeuni", "base64decode"),
    ("lowercase", "urldecodeuni"),
    ("length",),
    ("sha1", "hexencode"),
)


def test_every_chain_ends_where_it_would_alone():
    chains = Chains({chain: 1 << at for at, chain in enumerate(CHAINS)}, FUNCTIONS)

    for value in values(1500, 1):
        expected: dict[bytes, int] = {}
        for at, chain in enumerate(CHAINS):
            text = value
            for name in chain:
                text = FUNCTIONS[name](text)
            expected[text] = expected.get(text, 0) | 1 << at
        found = {text: mask for text, mask in chains.outcomes(value) if mask}
        assert found == expected


def test_each_function_is_called_once_for_a_distinct_value():
    calls: list[tuple[str, bytes]] = []

    def counted(name: str):
        def call(value: bytes) -> bytes:
            calls.append((name, value))
            return FUNCTIONS[name](value)

        return call

    names = {name for chain in CHAINS for name in chain}
    chains = Chains(dict.fromkeys(CHAINS, 1), {name: counted(name) for name in names})
    chains.outcomes(b"%3Cscript%3E ALERT('x') /* y */ ..//a\xe9")

    assert len(calls) == len(set(calls))
