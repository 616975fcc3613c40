import pytest

from troth.engines.seclang import grammar
from troth.engines.seclang.model import Action, Operator, RuleError, Selector, Source


def parsed(text):
    return [(line.name, line.words, line.where) for line in grammar.lines(Source("a.conf", text))]


def test_continuations_are_joined_and_comments_are_gone():
    text = '# no\nSecRule ARGS "@rx a" \\\n    "id:1,\\\n    deny"\n\n  # no \\\nSecMarker END\r\n'

    assert parsed(text) == [
        ("SecRule", ("ARGS", "@rx a", "id:1,    deny"), "a.conf:2"),
        ("SecMarker", ("END",), "a.conf:7"),
    ]


def test_in_quotes_only_the_quote_is_escaped():
    assert parsed(r"""SecRule A "@rx \"\d\\" 'b"c' """)[0][1] == ("A", r'@rx "\d\\', 'b"c')


@pytest.mark.parametrize("text", ['SecRule A "b', 'SecRule A "b"c', "SecRule A 'b"])
def test_a_quote_must_be_closed(text):
    with pytest.raises(RuleError) as caught:
        parsed("\n" + text)
    assert caught.value.where == "a.conf:2"


@pytest.mark.parametrize(
    ("text", "name", "argument", "is_negated"),
    [
        ("@rx a b", "rx", "a b", False),
        ("!@endsWith .pdf", "endswith", ".pdf", True),
        ("^a|b$", "rx", "^a|b$", False),
        ("!^a", "rx", "^a", True),
        ("@detectSQLi", "detectsqli", "", False),
        ("@rx " + "\\" * 4 + "c", "rx", "\\" * 2 + "c", False),
        ("@rx [" + "\\" * 2 + "/]", "rx", "[" + "\\" * 2 + "/]", False),
    ],
)
def test_operators(text, name, argument, is_negated):
    expected = Operator(name=name, argument=argument, is_negated=is_negated)

    assert grammar.operator(text) == expected


def test_selectors():
    found = grammar.selectors(r"ARGS|!ARGS:/^a\/b|c/|&TX:X|XML:/*|XML://@*|TX:'/D|E/'", "x")

    assert found == (
        Selector(collection="ARGS"),
        Selector(collection="ARGS", key="^a/b|c", is_pattern=True, is_exclusion=True),
        Selector(collection="TX", key="x", is_count=True),
        Selector(collection="XML", key="/*"),
        Selector(collection="XML", key="//@*"),
        Selector(collection="TX", key="D|E", is_pattern=True),
    )


@pytest.mark.parametrize("text", ["ARGS||B", "ARGS:/a", "TX:'a", "", "!"])
def test_selectors_that_cannot_be_read(text):
    with pytest.raises(RuleError):
        grammar.selectors(text, "x")


def test_actions():
    found = grammar.actions(r"id:1, deny ,msg:'a, \'b\': c',setvar:tx.a=+%{tx.b},t:none", "x")

    assert found == (
        Action("id", "1"),
        Action("deny"),
        Action("msg", "a, 'b': c"),
        Action("setvar", "tx.a=+%{tx.b}"),
        Action("t", "none"),
    )


@pytest.mark.parametrize("text", ["msg:'a", "msg:'a'b", ":a"])
def test_actions_that_cannot_be_read(text):
    with pytest.raises(RuleError):
        grammar.actions(text, "x")
