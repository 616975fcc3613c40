import pytest
from harmless import ALL
from hypothesis import given
from hypothesis import strategies as st

from troth.engines.seclang.detect import ldap


@pytest.mark.parametrize(
    "value",
    [
        b"*)(uid=*))(|(uid=*",
        b"x)!(cn=*",
        b"*)|(cn=*)",
        b"*)(objectClass=*",
        b"admin)(&)",
        b"admin)(|(password=*))",
        b"x)(cn=*",
        b"admin)(!(a=b))",
        b"x))(|(cn=a",
        b"*))%00",
        b"admin*)((|userPassword=*)",
        b"(|(uid=a)(uid=b))",
        b"(&(objectClass=user)(!(disabled=TRUE)))",
        b"a)(givenName:caseIgnoreMatch:=b)",
        b"x)(uid>=a",
        b"*)\x00",
        b"*%29%28uid%3D*",
    ],
)
def test_a_value_that_leaves_its_filter_is_an_attack(value):
    assert ldap.find(value) is not None


MORE = [
    b"(a) (b) (c)",
    b"Smith (Anna) (HR)",
    b"f(x)(y) = z",
    b"(x=1)",
    b"cn=Anna Smith,ou=People,dc=example,dc=org",
    b":-) (-:",
    b"1) one 2) two (and more)",
    b"a) first; b) second",
    b"*important* (*)",
    b"if (a) (b)",
    b"see [1](https://example.org/?a=b) (new)",
]


@pytest.mark.parametrize("value", ALL + MORE)
def test_what_people_write_is_none(value):
    assert ldap.find(value) is None


@given(st.binary(max_size=99) | st.text("()*&|!=ab \0", max_size=60).map(str.encode))
def test_nothing_raises(value):
    assert ldap.find(value) is None or isinstance(ldap.find(value), str)
