import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from harmless import ALL
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.detect import sql, sqlgrammar, sqlreading, sqltokens

SHARED = Path(__file__).parents[5] / "shared" / "corpora"
ATTACKS = [
    # a condition that holds whatever the row is
    b"7 OR 2=2",
    b"7 and 3>2",
    b"x' or 'b'='b",
    b'x" or "b"="b',
    b"x') or ('b'='b",
    b"' or true -- ",
    b"' || 5 = 5 #",
    b"'or'7",
    b"admin' and 1 between 0 and 2 -- -",
    b"9 or not 1 like 2",
    b"7/**/or/**/2/**/like/**/2",
    b"nobody' or name like '%a%' -- ",
    b"x' or column_a = column_a or 'y",
    # the rest of the query cut off
    b"admin'--",
    b"admin' #",
    b"admin'/*",
    b"admin');-- x",
    b"12--",
    # an operator between the application's quotes
    b"'='",
    b"a'-'b",
    b"a'+'b",
    b"x'&0^'1",
    b"x'|!'y",
    # other tables
    b"3 union select name, pass from accounts",
    b"-3 UNION ALL SELECT NULL,NULL,NULL",
    b"x' union (select 1,2,3) -- ",
    b"5 UnIoN/*!50000SeLeCt*/ 1,version()",
    b"5 union%0aselect".replace(b"%0a", b"\n") + b" 1,2",
    b"0x1 union distinct select `a`,`b` from `c`.`d`",
    b"(select pass from accounts limit 1)",
    b"1 and (select count(*) from accounts) > 0",
    b"1 into outfile '/srv/x.php'",
    b"SELECT name, mail FROM people WHERE id = 3",
    # more statements
    b"1; DROP TABLE accounts",
    b"x'; update accounts set role='admin' where name='me' -- ",
    b"1; exec master..xp_cmdshell 'dir'",
    b"x'; waitfor delay '0:0:9' -- ",
    b"1); insert into log(a) values (1)--",
    b"1;declare @q varchar(99);set @q=0x41",
    b"x' if 1=1 waitfor delay '0:0:9'--",
    b"x' or glob(a,a);",
    # functions that act or tell
    b"x' and sleep(9) and 'y'='y",
    b"1 and benchmark(9000000,md5(7))",
    b"1 || pg_sleep(9)",
    b"x' and extractvalue(1,concat(0x7e,version())) -- ",
    b"1 or ascii(substr(user(),1,1))=99",
    b"if(now()=sysdate(),sleep(9),0)",
    b"(case when 5=6 then 1 else null end)",
    b"password::int",
    b"1 and @@version like '8%'",
    # order, groups, limits
    b"1 order by 12-- ",
    b"1 group by a having 3=3",
    b"1 limit 1 into @a",
    b"1 procedure analyse(1)",
    # what resembles the quotations that people write
    b"me '-- x",
    b"me '--all' x",
    b"'--all' ",
    b'me "#x" y',
    b"x` union select 1,2 -- ",
    b"x`#",
    b"some words 'select a from b where 'c'='c",
    b"some words 'select a from b where c like '",
    b"some words' or \"",
    b"sleep(9) x from y",
    b"sleep(9), name from y",
    b"1 and sleep(9) or so on",
    b"ascii(1), abs(2), sleep(3)",
    b"x' drop table y--",
    b"1; show tables;",
    b"x'; use master;",
    b"x'; drop event trigger x;",
    b"exec sp 'x'",
    b"1 union-- ",
    # dialects' strings
    b"$$x$$ union select a, b from c",
    b"N'x' union select 1,2",
    b"U&'x' union select a from b",
    b"\\N union select 1,2",
]


@pytest.mark.parametrize("value", ATTACKS)
def test_a_value_that_continues_a_statement_is_an_attack(value):
    assert sql.recognise(value) is not None


@pytest.mark.parametrize("value", ALL)
def test_what_people_write_is_none(value):
    assert sql.find(value) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"x%2527%2520or%25202%253D2%2523", "url+url:tautology"),
        (base64.b64encode(b"x' union select a,b from c -- "), "base64:union-strong"),
        (b'{"q": {"name": "x\\u0027 or 2=2 -- "}}', "script:tautology"),
        (b"x\\' or 2=2 -- ", "script:tautology"),
        ("x\uff07 || \uff07a".encode(), "wide:condition"),
        (b"3+and+4+like+4", "url:tautology"),
        (b"x&#39; or 2=2#", "entity:tautology"),
    ],
)
def test_it_is_found_through_encodings(value, reason):
    assert sql.find(value) == reason


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (b"1 or 2.5e3", "n&n"),
        (b"0x1F x'41' 0b1", "nnn"),
        (b"'a''b' \"c\\\"d\"", "ss"),
        (b"N'a' _utf8'b' $$c$$ $t$d$t$", "ssss"),
        (b"@a @@b @`c` ? $1 :d", "vvvvvv"),
        (b"a b.c `d` [e f]", "wwww"),
        (b"f(1), g /**/ (2)", "f(n),f(n)"),
        (b"a /* b */ c -- d\n e # f\n g", "wwww"),
        (b"a -- b", "w#"),
        (b"a /* b", "w#"),
        (b"union/*!50000 select*/ 1", "ktn"),
        (b"a <=> b || c :: d", "w=w&wow"),
        (b"not null is unknown", "uc=c"),
        (b"1or 2and 3union", "n&n&nk"),
        (b"1a", "w"),
    ],
)
def test_the_tokens(text, kinds):
    assert "".join(token.kind for token in sqltokens.tokens(text)) == kinds


@pytest.mark.parametrize(
    ("value", "end"),
    [(b"a'b", 2), (b"a''b'c", 5), (b"a\\'b'c", 5), (b"abc", -1), (b"''", -1)],
)
def test_where_a_string_ends_that_the_application_began(value, end):
    assert sqltokens.inside(value, b"'") == end


def test_a_reading_says_what_it_met():
    reading = sqlgrammar.read(b"x' and (1=1) order by 2 -- y", 2, wants_operand=False, after="s")

    assert reading.shape == "b&T&(b"
    assert reading.facts == {"order-by"}
    assert (reading.ending, reading.comment) == ("comment", b"-- y")


def test_prose_breaks_off_after_a_word_or_two():
    reading = sqlgrammar.read(b"Let us union our teams and select", 0, wants_operand=True)

    assert reading.ending == "broken"
    assert reading.count == 0


PIECES = (
    b"' \" ` ( ) , ; -- # /* */ /*! 1 0x1 1e a b.c @ @@v select union from where or and not = <"
    b" like in between case when then end || && :: + - * ! ~ \\ $$ $a$ [ ] { } into sleep("
    b" order by \n \0"
).split(b" ")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map(b" ".join) | st.binary(max_size=99))
def test_nothing_raises(value):
    assert sql.find(value) is None or isinstance(sql.find(value), str)


@pytest.mark.parametrize("piece", [b"1+", b"'' ", b"(", b"a,", b"1 or ", b"/*", b"';", b"select "])
def test_the_tokens_read_are_bounded(piece, monkeypatch):
    read = []
    tokens = sqltokens.tokens

    def counted(*arguments: object) -> Iterator[sqltokens.Token]:
        for token in tokens(*arguments):
            read.append(token)
            yield token

    monkeypatch.setattr(sqlreading.sql, "tokens", counted)
    sql.recognise(piece * 20_000)

    assert len(read) <= 5 * (sqlreading.MAX_TOKENS + 2)  # three quotations, and two as it is


def lines(name: str) -> list[bytes]:
    file = SHARED / name
    if not file.is_file():
        pytest.skip(f"no {file}")
    return [line.strip() for line in file.read_bytes().split(b"\n") if line.strip()]


def missed(find: Callable[[bytes], str | None], values: list[bytes]) -> list[bytes]:
    return [value for value in values if find(value) is None]


@pytest.mark.shared
def test_the_payloads_are_found():
    assert missed(sql.find, lines("payloads/sqli/true-positives.txt")) == []
    assert len(missed(sql.find, lines("payloads/sqli/false-positives.txt"))) == 1


@pytest.mark.shared
def test_libinjections_attacks_are_found():
    files = sorted((SHARED / "libinjection" / "data").glob("sqli-*.txt"))
    values = [
        unquote_to_bytes(line.replace(b"+", b" "))
        for file in files
        for line in lines(f"libinjection/data/{file.name}")
        if not line.startswith(b"#")
    ]
    if not values:
        pytest.skip("no attacks in ../shared")

    assert len(missed(sql.find, values)) <= len(values) * 0.01


# A comment that hides nothing and cuts nothing off runs nothing: libinjection calls it an attack.
COMMENTS_ALONE = {f"test-sqli-{number:03d}.txt" for number in (7, 12, 13, 30, 33, 34)}


@pytest.mark.shared
def test_libinjections_units_agree():
    """Its cases with a verdict (`sqli`); those of folding and tokens speak of its own classes."""
    cases = sorted((SHARED / "libinjection" / "tests").glob("test-sqli-*.txt"))
    if not cases:
        pytest.skip("no unit cases in ../shared")
    less = []
    for case in cases:
        _, _, rest = case.read_bytes().partition(b"--INPUT--\n")
        value, _, expected = rest.partition(b"--EXPECTED--")
        if expected.strip() and sql.find(value.strip()) is None:
            less.append(case.name)

    assert set(less) <= COMMENTS_ALONE
