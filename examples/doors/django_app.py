"""A Django application behind the guard, no edge: `waitress-serve django_app:app`."""

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from troth.roles.wsgi import TrothMiddleware

settings.configure(
    ALLOWED_HOSTS=["demo.localhost"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="not a secret: this example keeps nothing",
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
)
django.setup()


def search(request: HttpRequest) -> JsonResponse:
    """What was asked for, as it arrived."""
    return JsonResponse({"q": request.GET.get("q", "")})


@csrf_exempt  # the guard's origin check stands before it
def message(request: HttpRequest) -> JsonResponse:
    """A form that somebody filled in."""
    return JsonResponse({"received": request.body.decode()})


urlpatterns = [path("search", search), path("message", message)]
app = TrothMiddleware(WSGIHandler(), config="troth.toml")
