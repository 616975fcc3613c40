"""SecLang's operators (`@beginsWith /admin`): built once with their argument, asked often.

`OPERATORS[name](argument, data)` gives a function of a value's bytes that answers with what it
found (`model.Found`) or None. Names are in lower case. Each behaves as ModSecurity v3 does; where
it does not, its docstring says so. What needs the outside world is refused when it is built.
"""

from collections.abc import Mapping
from types import MappingProxyType

from troth.engines.seclang.model import OperatorBuilder
from troth.engines.seclang.operators import (
    address,
    encoding,
    grammar,
    identity,
    number,
    outside,
    patterns,
    phrases,
    text,
)
from troth.engines.seclang.scan.rx import rx

OPERATORS: Mapping[str, OperatorBuilder] = MappingProxyType(
    {
        "beginswith": text.begins_with,
        "contains": text.contains,
        "containsword": text.contains_word,
        "endswith": text.ends_with,
        "eq": number.equal,
        "ge": number.at_least,
        "gt": number.greater,
        "ipmatch": address.ip_match,
        "ipmatchf": address.ip_match_from_file,
        "ipmatchfromfile": address.ip_match_from_file,
        "le": number.at_most,
        "lt": number.less,
        "nomatch": text.never,
        "pm": phrases.pm,
        "pmf": phrases.pm_from_file,
        "pmfromfile": phrases.pm_from_file,
        "rx": rx,
        "rxglobal": patterns.rx_global,
        "streq": text.equals,
        "strmatch": text.contains,
        "unconditionalmatch": text.always,
        "validatebyterange": encoding.validate_byte_range,
        "validatenid": identity.validate_nid,
        "validateurlencoding": encoding.validate_url_encoding,
        "validateutf8encoding": encoding.validate_utf8_encoding,
        "verifycc": identity.verify_cc,
        "verifycpf": identity.verify_cpf,
        "verifyssn": identity.verify_ssn,
        "verifysvnr": identity.verify_svnr,
        "within": text.within,
        **grammar.OPERATORS,
        **{name: outside.refuse(name) for name in outside.REFUSED},
    }
)
"""Every operator, by its name in lower case."""
