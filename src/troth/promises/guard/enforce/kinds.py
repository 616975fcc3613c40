"""Parameters that have a kind: a value of another kind is refused before any rule is asked.

Off unless the operator turned it on. Fails open for bodies that nobody hands over and for forms
that cannot be read (those are the rules' business); a path is compared as every route is.
"""

from troth.kernel.redact import is_secret
from troth.kernel.request import FINE, GuardCheck, Hit, Known, Opinion, Refusal, Request
from troth.promises.guard.enforce.waf import SLUG
from troth.promises.guard.rules import fields, kinds
from troth.promises.guard.rules.paths import Pattern, pattern, spelled
from troth.promises.guard.settings.learn import Learn, Parameter

CODE = "type"
MAX_HIT_BYTES = 256


def checks(learn: Learn) -> tuple[GuardCheck, ...]:
    """The check under these settings; none when it is off or knows no parameter."""
    if learn.check == "off" or not learn.parameters:
        return ()
    routes: dict[str, tuple[Pattern, dict[str, Parameter]]] = {}
    for each in learn.parameters:
        routes.setdefault(each.path, (pattern(each.path), {}))[1][each.name] = each

    def check(request: Request, _: Known) -> Opinion:
        path = spelled(request.target)
        wanted = {
            name: parameter
            for route, named in routes.values()
            if route.match(path) is not None
            for name, parameter in named.items()
        }
        if not wanted:
            return FINE
        hits = tuple(
            _hit(name, value, wanted[name].kind)
            for name, value in fields_of(request)
            if name in wanted and not kinds.fits(value, wanted[name].kind, wanted[name].max_length)
        )
        if not hits:
            return FINE
        if learn.check == "watch":
            return Opinion(hits=hits, counted="type.watched")
        return Opinion(refusal=Refusal(slug=SLUG, code=CODE, status=400), hits=hits)

    return (check,)


def fields_of(request: Request) -> tuple[tuple[str, str], ...]:
    """Names (without places in lists) and values of query and body."""
    query = fields.urlencoded(request.target.partition(b"?")[2]).pairs
    types = request.values(b"content-type")
    body = fields.read(types[0] if types else b"", request.body or b"").pairs
    return tuple((kinds.name_of(name), value) for name, value in (*query, *body))


def _hit(name: str, value: str, kind: str) -> Hit:
    shown = "" if is_secret(name) else value
    return Hit(
        rule="0",
        place=f"ARGS:{name}",
        value=shown.encode("utf-8", "replace")[:MAX_HIT_BYTES],
        message=f"is no {kind}",
    )
