"""A Starlette application behind the guard, no edge: `uvicorn starlette_app:app`."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from troth.roles.asgi import TrothMiddleware


async def search(request: Request) -> JSONResponse:
    """What was asked for, as it arrived."""
    return JSONResponse({"q": request.query_params.get("q", "")})


async def message(request: Request) -> JSONResponse:
    """A form that somebody filled in."""
    return JSONResponse({"received": (await request.body()).decode()})


app = Starlette(
    routes=[Route("/search", search), Route("/message", message, methods=["POST"])],
    middleware=[Middleware(TrothMiddleware, config="troth.toml")],
)
