"""The first administrator's way in: a link, a form, done."""

from pathlib import Path

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from troth.adapters import clock
from troth.console.identity import invitation
from troth.console.identity.invitation import InvitationError
from troth.console.settings import MIN_PASSPHRASE

COOKIE = "__Host-troth-setup"
COOKIE_AGE_S = 900
MAX_PASSPHRASE = 256
_GONE = 410
_UNPROCESSABLE = 422
_SEE_OTHER = 303


@sensitive_post_parameters()
@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Take the token out of the address at once, then ask for a passphrase, then make the account.

    The token moves into a cookie so that it stands in no history, no log of a later page and no
    Referer. `Lax`, because the link is opened from a terminal or a mail.
    """
    now = clock.now()
    try:
        if given := request.GET.get("token"):
            invitation.look(given, now=now)
            moved = HttpResponseRedirect(request.path, status=_SEE_OTHER)
            moved.set_cookie(
                COOKIE, given, max_age=COOKIE_AGE_S, secure=True, httponly=True, samesite="Lax"
            )
            return moved
        token = request.COOKIES.get(COOKIE, "")
        open_one = invitation.look(token, now=now)
        problems: list[str] = []
        if request.method == "POST":
            problems = _problems(request)
            if not problems:
                try:
                    invitation.redeem(token, request.POST["passphrase"], now=now)
                except ValidationError as error:
                    problems = list(error.messages)
                else:
                    done = render(request, "identity/done.html", {"email": open_one.email})
                    done.delete_cookie(COOKIE, samesite="Lax")
                    done.cookies[COOKIE]["secure"] = True
                    return done
    except InvitationError:
        return render(request, "identity/invalid.html", status=_GONE)
    return render(
        request,
        "identity/setup.html",
        {"email": open_one.email, "problems": problems, "least": MIN_PASSPHRASE},
        status=_UNPROCESSABLE if problems else 200,
    )


def _problems(request: HttpRequest) -> list[str]:
    passphrase = request.POST.get("passphrase", "")
    if len(passphrase) > MAX_PASSPHRASE:
        return [f"At most {MAX_PASSPHRASE} characters."]
    if passphrase != request.POST.get("again", ""):
        return ["The two are not the same."]
    return []


@require_safe
@cache_control(max_age=3600, public=True)
def style(request: HttpRequest) -> HttpResponse:
    """The account pages' one style sheet."""
    del request
    sheet = Path(__file__).with_name("style.css").read_bytes()
    return HttpResponse(sheet, content_type="text/css; charset=utf-8")
