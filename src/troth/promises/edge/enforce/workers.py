"""Service workers: a script that stands between visitor and service, so only where it is named."""

from troth.kernel.fragment import Fragment
from troth.promises.edge.enforce.cookies import quoted

REFUSED = 403


def scopes(named: tuple[str, ...]) -> Fragment:
    """Refuse a worker's script outside the named scopes (Service Workers, 'Service-Worker').

    A wider scope than the script's own folder (`Service-Worker-Allowed`) must be named as well.
    """
    is_worker = {"name": "service-worker", "string_match": {"exact": "script"}}
    outside = [
        {"name": ":path", "string_match": {"prefix": scope}, "invert_match": True}
        for scope in named
    ]
    prefixes = ", ".join(quoted(scope) for scope in named)
    return Fragment(
        promise="security-headers",
        routes=(
            {
                "match": {"prefix": "/", "headers": [is_worker, *outside]},
                "direct_response": {"status": REFUSED},
            },
        ),
        response_lua=f"""\
local wider, fine = headers:get("service-worker-allowed"), false
if not wider then return end
for _, at in ipairs({{{prefixes}}}) do fine = fine or wider:sub(1, #at) == at end
if not fine then headers:remove("service-worker-allowed") end
""",
    )
