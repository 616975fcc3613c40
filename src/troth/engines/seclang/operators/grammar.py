"""Operators that ask whether a value is an attack.

`@detectSQLi` and `@detectXSS` say what libinjection says (`inject`): rule sets are tuned to it. The
others ask grammars of our own (`detect`), which look through encodings and see more.
"""

from collections.abc import Callable, Mapping

from troth.engines.seclang.detect import (
    budget,
    code,
    deserial,
    graphql,
    html,
    ldap,
    lookup,
    mail,
    nosql,
    path,
    shell,
    sql,
    ssrf,
    template,
    xml,
)
from troth.engines.seclang.detect.signs import SIGNS
from troth.engines.seclang.inject import html as inject_html
from troth.engines.seclang.inject import sql as inject_sql
from troth.engines.seclang.model import Found, OperatorBuilder, OperatorFunction


def _asking(recognise: Callable[[bytes], str | None]) -> OperatorBuilder:
    def find(value: bytes) -> Found | None:
        reason = recognise(value)
        return None if reason is None else (reason.encode(),)

    def build(_argument: str, _data: Mapping[str, bytes]) -> OperatorFunction:
        return find

    return build


OPERATORS: Mapping[str, OperatorBuilder] = {
    "detectsqli": _asking(inject_sql.find),
    "detectxss": _asking(inject_html.find),
    "detectsql": _asking(sql.find),
    "detecthtml": _asking(html.find),
    "detectshell": _asking(shell.find),
    "detectpath": _asking(path.find),
    "detecttemplate": _asking(template.find),
    "detectxxe": _asking(xml.find),
    "detectssrf": _asking(ssrf.find),
    "detectdeserial": _asking(deserial.find),
    "detectlookup": _asking(lookup.find),
    "detectmail": _asking(mail.find),
    "detectcode": _asking(code.find),
    "detectnosql": _asking(nosql.find),
    "detectldap": _asking(ldap.find),
    "detectgraphql": _asking(graphql.find),
    "detectexhausted": _asking(budget.find),
}
"""What they find, and capture, is the grammar's reason."""

SIGN_OF: Mapping[str, bytes] = {
    "detectsqli": inject_sql.SIGN,
    "detectxss": inject_html.SIGN,
    "detectxxe": SIGNS["xml"],
    "detectexhausted": SIGNS["budget"],
} | {name: sign for topic, sign in SIGNS.items() if (name := f"detect{topic}") in OPERATORS}
"""What one of a value's forms must match, if the operator is to find anything (`detect.signs`)."""

FLOODS: Mapping[str, bytes] = {"detecthtml": b"=", "detectshell": b";|&`\n\r$<>("}
"""Marks of which more than `layers.MANY` in a value may be a find by themselves."""
