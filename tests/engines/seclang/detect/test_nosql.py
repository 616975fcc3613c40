import pytest
from harmless import ALL
from hypothesis import given
from hypothesis import strategies as st

from troth.engines.seclang.detect import nosql


@pytest.mark.parametrize(
    "value",
    [
        b"user[$ne]",
        b"filter[age][$gte]",
        b"[$regex]",
        b"$where",
        b"user.$gt",
        b'{"$gt": ""}',
        b'{"user": {"$ne": null}, "pass": {"$exists": true}}',
        b"{'$or': [{}, {'a': 1}]}",
        b'{ $where: "this.a == 1" }',
        b"x' || this.pass != 'y",
        b"x'; return this.a == 'b' || 'c'=='d",
        b"1; sleep(9000)",
        b"'; while(true){} var x='",
        b"'+sleep(900)+'",
        b"a'||'1'=='1",
        b'" || ""=="',
        b"x' && this.password.match(/^a/) || 'b'=='c",
        b"'; db.users.drop(); '",
        b"db.users.find({})",
        b"x\r\nCONFIG SET dir /srv",
        b"x\n*3\r\n$3\r\nSET",
        b"%7B%22%24ne%22%3A1%7D",
        b"eyIkbmUiOiBudWxsfQ==",
    ],
)
def test_an_operator_or_a_script_is_an_attack(value):
    assert nosql.find(value) is not None


MORE = [
    b"it costs $5 or $10",
    b"the price[$] is $not known",
    b"$HOME/.bashrc and ${x}",
    b"for this and that, wait for the date",
    b"this.is.fine",
    b"a || b && c",
    b'{"price": "$12", "where": "home"}',
    b"a[0]=b[1]",
    b"new Date",
    b"config set; line",
    b"Subject: hello\nset the table",
]


@pytest.mark.parametrize("value", ALL + MORE)
def test_what_people_write_is_none(value):
    assert nosql.find(value) is None


@given(st.binary(max_size=99) | st.text("$[]{}'\"|&=;()thisne \n", max_size=60).map(str.encode))
def test_nothing_raises(value):
    assert nosql.find(value) is None or isinstance(nosql.find(value), str)
