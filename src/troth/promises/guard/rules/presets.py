"""How well-known frameworks answer a login. Source: each framework's own documentation or code."""

from dataclasses import dataclass

from troth.kernel.request import Response
from troth.promises.guard.settings.login import LoginRoute, Outcome

MAX_BODY_BYTES = 16 * 1024  # of an answer; what says "wrong password" stands in the first screenful


@dataclass(frozen=True, slots=True)
class Shape:
    """Field names and outcomes of a login."""

    account: str
    password: str
    failure: tuple[Outcome, ...]
    success: tuple[Outcome, ...]

    @property
    def reads_body(self) -> bool:
        """Whether an outcome can only be told from the answer's body."""
        return any(one.body for one in (*self.failure, *self.success))


_REDIRECT = Outcome(status=(302, 303))
PRESETS: dict[str, Shape] = {
    # django.contrib.auth.views.LoginView: the form again, or a redirect; the admin site alike.
    "django": Shape("username", "password", (Outcome(status=(200,)),), (_REDIRECT,)),
    # wp-login.php: the form again with its error, or a redirect.
    "wordpress": Shape("log", "pwd", (Outcome(status=(200,)),), (_REDIRECT,)),
    # Devise 4.9 with Rails 7 answers 422; older ones 200; for JSON 401.
    "devise": Shape(
        "user[email]",
        "user[password]",
        (Outcome(status=(200, 401, 422)),),
        (_REDIRECT, Outcome(status=(201,))),
    ),
    # Laravel's ValidationException: back to the form, or 422 for JSON; else the intended page.
    "laravel": Shape(
        "email",
        "password",
        (Outcome(status=(302,), location="*/login*"), Outcome(status=(401, 422))),
        (_REDIRECT, Outcome(status=(200, 204))),
    ),
    # Spring Security's formLogin: /login?error, or the page that was asked for.
    "spring": Shape(
        "username",
        "password",
        (Outcome(status=(302,), location="*?error*"), Outcome(status=(401,))),
        (_REDIRECT,),
    ),
    # An API: refused, or not.
    "json": Shape(
        "username",
        "password",
        (Outcome(status=(400, 401, 403, 422)),),
        (Outcome(status=(200, 201, 204)),),
    ),
}


def shape(route: LoginRoute) -> Shape:
    """What a route says, and where it says nothing, its preset."""
    preset = PRESETS[route.preset or "json"]
    own = route.failure or route.success
    return Shape(
        account=route.account or preset.account,
        password=route.password or preset.password,
        failure=route.failure or preset.failure,
        # Without a preset a success is what was said, and nothing that was not.
        success=route.success or (() if own and route.preset is None else preset.success),
    )


def is_like_any(outcomes: tuple[Outcome, ...], response: Response) -> bool:
    """Whether an answer is like one of these outcomes."""
    places = response.values(b"location")
    location = places[0].decode("utf-8", "replace") if places else ""
    shown = None if response.body is None else response.body[:MAX_BODY_BYTES]
    body = None if shown is None else shown.decode("utf-8", "replace")
    return any(is_like(each, response.status, location, body) for each in outcomes)


def is_like(outcome: Outcome, status: int, location: str, body: str | None) -> bool:
    """Whether an answer is like an outcome; a body that is not shown is like no text."""
    if not (outcome.status or outcome.location or outcome.body):
        return False
    return (
        (not outcome.status or status in outcome.status)
        and (not outcome.location or _globs(outcome.location, _local(location)))
        and (not outcome.body or (body is not None and outcome.body in body))
    )


def _local(location: str) -> str:
    """A redirect's path and query, whether it was written with its host or without."""
    _, is_absolute, rest = location.partition("://")
    return "/" + rest.partition("/")[2] if is_absolute else location


def _globs(wanted: str, text: str) -> bool:
    """Whether a text is like a pattern in which `*` stands for anything; in linear time."""
    first, *rest = wanted.split("*")
    if not rest:
        return text == wanted
    *middle, last = rest
    if not text.startswith(first) or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return text.endswith(last)
