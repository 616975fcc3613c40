"""SQL's other statements: is a verb followed by what its grammar demands, or is it English?"""

import re

_S = rb"(?:[\s\x00]|/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/|/\*![0-9]*|\*/|--[^\n]*\n)"
_NAME = rb"(?:[\w$@#.\x80-\xff]+|`[^`]*`|\"[^\"]*\"|\[[^\]]*\])"
_STOP = rb"(?:%b*(?:;|--|\#|/\*|\Z))" % _S
_OBJECT = (
    rb"(?:(?:or%b+replace|temp|temporary|unlogged|unique|fulltext|materialized|global|aggregate)%b+)*"
    rb"(?:table|database|schema|view|index|function|procedure|proc|trigger|user(?:%b+mapping|(?!%b+mapping\b))|role|login|sequence"
    rb"|event(?:%b+trigger|(?!%b+trigger\b))|tablespace|column|extension|language|type|synonym|package|assembly|server|directory)"
) % ((_S,) * 6)


def _shape(text: bytes) -> bytes:
    """Written out: `~` white space or comments, `&` none or some, `%N` a name, `%.` a stop."""
    return (
        text.replace(b"~", _S + b"+").replace(b"&", _S + b"*").replace(b"%N", _NAME)
        .replace(b"%O", _OBJECT).replace(b"%.", _STOP)
    )  # fmt: skip


# Behind a semicolon, or where a statement can only be one: the second word decides.
_STACKED = (
    (
        rb"(?:drop|alter|create)~%O~(?:if~(?:not~)?exists~)?%N(?:%.|~(?:as|add|cascade|drop|modify|identified"
        rb"|with|for|on|set|owner|rename|returns|is|begin|to|from)\b|&\()"
    ),
    rb"drop~%N&(?:;|--|\#)",
    rb"truncate~(?:table~)?%N%.",
    rb"(?:insert|replace)~(?:low_priority~|ignore~)*(?:into~)?%N(?:&\(|~(?:values|select|set|default)\b)",
    rb"update~(?:only~)?%N~(?:as~%N~)?set~%N&=",
    rb"delete~(?:low_priority~|quick~|ignore~)*from~%N(?:%.|~(?:where|using|limit)\b)",
    rb"(?:exec|execute)(?:&\(|&'|~(?:@|immediate\b|as~(?:login|user)\b|master|xp_|sp_|sys\.|dbms_|%N(?:%.|&[',@(]|~N?')))",
    (
        rb"declare~(?:@|%N~(?:cursor|int|integer|varchar2?|nvarchar|char|text|table|number|bigint|record)\b"
        rb"|@@)"
    ),
    rb"set~(?:@|(?:global|session|local|transaction|names|role|password)~|%N&(?::?=|~(?:on|off)%.))",
    rb"waitfor~(?:delay|time)&'",
    rb"shutdown(?:%.|~with\b|&abort%.)",
    (
        rb"(?:if|while)&(?:\(&)*(?:['@]|[0-9]+&[=<>]|not~exists|exists&\(|select\b"
        rb"|(?:ascii|substring|substr|len|length|char|db_name|user|user_name|system_user|unicode|lower|upper"
        rb"|is_srvrolemember)&\()"
    ),
    rb"begin~(?:declare~|select~|%N\.%N&\(|execute~|exec~|update~|insert~|delete~|null&;|set~@)",
    rb"begin(?:%.|~shutdown\b)",
    rb"end(?:&;|&--|~(?:if|while)\b)",
    rb"do(?:&\(|~(?:sleep|benchmark|release_lock|get_lock)&\(|~\$\$)",
    rb"call~%N&\(",
    rb"copy~(?:%N|\()(?:&\([^)]*\))?(?:[^;]{0,200})?~(?:from|to)&(?:'|program|std)",
    rb"(?:grant|revoke)~[\w ,]{1,60}~(?:on|to|from)~%N",
    rb"load~(?:data|xml)~(?:local~|low_priority~|concurrent~)*infile\b",
    rb"load~extension\b",
    rb"merge~into~%N~using\b",
    rb"show~(?:full~)?(?:tables|databases|schemas|columns|variables|grants|processlist|create|status|index)\b",
    rb"use~%N%.",
    rb"prepare~%N~(?:from|as)\b",
    rb"handler~%N~(?:open|read)\b",
    rb"attach~(?:database~)?'",
    rb"rename~(?:table|user)~%N~to\b",
    rb"print&(?:'|@|\()",
    rb"raiserror&[(']",
    rb"(?:explain|describe|desc|analyze)~(?:select|update|delete|insert|extended|analyze)\b",
    rb"pragma~%N%.|pragma~%N&[=(]",
    rb"(?:backup|restore)~(?:database|log)~%N~(?:to|from)\b",
    rb"bulk~insert~%N~from\b",
    rb"dbcc~%N",
    rb"reconfigure%.",
    rb"(?:commit|rollback|vacuum|unlock~tables)%.",
    rb"deallocate~(?:prepare~)?%N%.",
    rb"(?:open|close)~%N&;",
    rb"perform~%N&\(",
    rb"goto~%N%.",
    rb"(?:listen|notify)~%N%.",
    rb"lock~tables?~%N",
    rb"kill~(?:query~)?[0-9]+%.",
    rb"throw&[0-9;]",
    rb"with~(?:recursive~)?%N&(?:\([^)]{0,200}\)&)?as&\(",
)
# A value that is a statement from its first word: people do write "drop table reservations".
_WHOLE = (
    rb"(?:drop|alter|create|truncate)~%O~(?:if~(?:not~)?exists~)?%N(?:&\(|&;|&--|~(?:add~column|identified~by)\b)",
    rb"(?:insert|replace)~into~%N&(?:\([\w\s,.`\"\[\]]*\)&)?(?:values&\(|select~|\(&select\b)",
    rb"update~%N~set~%N&=&(?:[0-9'\"(@]|%N&(?:\(|,|where\b|%.))",
    rb"delete~(?:low_priority~|quick~|ignore~)*from~%N~where~%N&(?:[=<>!]|like~'|in&\()",
    rb"(?:exec|execute)(?:&\(&['@\"]|~(?:@|immediate&'|master\.|xp_|sp_|sys\.|dbms_|%N~'|%N'[^'\s]*'))",
    rb"declare~(?:@\w+~|%N~cursor~for\b)",
    rb"set~@\w+&:?=",
    rb"waitfor~(?:delay|time)&'",
    rb"begin~(?:dbms_|declare~|%N\.%N&\()",
    rb"do&(?:\(&[0-9'@]|(?:sleep|benchmark)&\()",
    rb"call~(?:dbms_|sys\.)",
    rb"copy~%N~from&(?:'|program)",
    rb"load~data~(?:local~)?infile&'",
    rb"if&\(&(?:[0-9]+&[=<>]|select\b|exists\b|ascii&\(|substring&\()",
    rb"(?:bulk~insert|backup~database)~%N~(?:from|to)&'",
    rb"attach~(?:database~)?'",
    rb"with~(?:recursive~)?%N&(?:\([^)]{0,200}\)&)?as&\(&select\b",
    rb"show~(?:full~)?(?:tables|databases|grants|processlist)%.",
)
# What no sentence has, wherever it stands: the prefix may be anything that an application adds to.
_UNMISTAKABLE = (
    (
        rb"union(?:~|&\(&)(?:all(?:~|&\(&)|distinct~)?(?:\(&)*select(?:&[(*'\"@`-]|~(?:[0-9]|null\b"
        rb"|%N&,|%N&\(|%N~from~%N))"
    ),
    rb"(?:out|dump)file&['\"(]",
    rb"waitfor~(?:delay|time)&['\"(]",
    rb"information_schema`?&\.&`?(?:tables|columns|schemata)\b",
    rb"drop~(?:table|database)~%N&(?:;|--|\#)",
    rb"xp_(?:cmdshell|dirtree|regread|fileexist|servicecontrol)&['@\"(]",
)
_FLAGS = re.IGNORECASE | re.DOTALL


def _compiled(shapes: tuple[bytes, ...]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(_shape(shape) for shape in shapes), _FLAGS)


_STACKED_PATTERN, _WHOLE_PATTERN = _compiled(_STACKED), _compiled(_WHOLE)
_FOUND_PATTERN = _compiled(_UNMISTAKABLE)
_HINTS = re.compile(rb"union|(?:out|dump)file|waitfor|information_schema|drop|xp_")
_REACH = 2000
_MOST_HINTS = 200


def recognise(value: bytes, start: int, *, is_stacked: bool) -> bool:
    """Whether a statement stands at an offset; the strict shapes unless something ended before."""
    pattern = _STACKED_PATTERN if is_stacked else _WHOLE_PATTERN
    return pattern.match(value, start, start + _REACH) is not None


def contains(value: bytes) -> bool:
    """Whether a part of a statement stands somewhere that is nothing else in any language."""
    lowered = value.lower()
    if not (b"union" in lowered or b"file" in lowered or b"waitfor" in lowered) and not (
        b"information_schema" in lowered or b"drop" in lowered or b"xp_" in lowered
    ):  # a substring is found ten times as fast as an alternation
        return False
    for number, hint in enumerate(_HINTS.finditer(lowered)):
        if number == _MOST_HINTS:
            break
        place = hint.start()
        if _FOUND_PATTERN.match(value, place, place + _REACH) is not None:
            return hint.group() != b"drop" or value[:place].rstrip()[-1:] == b";"
    return False
