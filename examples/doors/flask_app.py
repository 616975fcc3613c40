"""A Flask application behind the guard, no edge: `waitress-serve flask_app:app`."""

from flask import Flask, request

from troth.roles.wsgi import TrothMiddleware

app = Flask(__name__)
app.wsgi_app = TrothMiddleware(app.wsgi_app, config="troth.toml")  # type: ignore[method-assign]


@app.get("/search")
def search() -> dict[str, str]:
    """What was asked for, as it arrived."""
    return {"q": request.args.get("q", "")}


@app.post("/message")
def message() -> dict[str, str]:
    """A form that somebody filled in."""
    return {"received": request.get_data(as_text=True)}
