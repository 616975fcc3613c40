"""The guard inside three small applications: attacks and forgeries stop, people's words arrive."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOORS = Path(__file__).parents[2] / "examples" / "doors"

PLAY = """
import asyncio, importlib, json, sys
import httpx

app = importlib.import_module(sys.argv[1]).app
is_asgi = sys.argv[1] == "starlette_app"
kind = httpx.AsyncClient if is_asgi else httpx.Client
transport = httpx.ASGITransport(app=app) if is_asgi else httpx.WSGITransport(app=app)
host = {"Host": "demo.localhost", "Cookie": "sid=1"}
own = {"Origin": "https://demo.localhost", "Sec-Fetch-Site": "same-origin"}
asked = [
    ("GET", "/search?q=courts+on+Sunday", {}, None),
    ("POST", "/message", own, b"text=See you at the court, Anna & Tom; don't be late!"),
    ("POST", "/message", {"Origin": "https://stranger.example"}, b"text=x"),
    ("POST", "/message", own, b"x" * 2_000_000),
    ("GET", "/-/page.css", {}, None),
    ("GET", "/-/healthz", {}, None),
]

async def main():
    async def ask(client, method, path, headers, body):
        said = {**host, **headers}
        if body is not None:
            said["Content-Type"] = "text/plain"
        answer = client.request(method, path, headers=said, content=body)
        answer = await answer if is_asgi else answer
        return [answer.status_code, answer.headers.get("troth-refused"), answer.text[:200],
                answer.headers.get("troth-event")]

    client = kind(transport=transport, base_url="https://demo.localhost")
    answers = [await ask(client, *each) for each in asked]
    await client.aclose() if is_asgi else client.close()
    return answers

answers = asyncio.run(main())
import gc
from troth.roles.within import Guard
for each in gc.get_objects():
    if isinstance(each, Guard):
        each.recorder.close()
print(json.dumps(answers))
"""


@pytest.mark.parametrize("name", ["starlette_app", "flask_app", "django_app"])
def test_the_guard_within(name: str, tmp_path: Path):
    folder = tmp_path / "doors"
    shutil.copytree(DOORS, folder, ignore=shutil.ignore_patterns("__pycache__"))

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PLAY, name],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    search, message, forged, large, style, health = json.loads(done.stdout)
    assert search[:2] == [200, None]
    assert "courts on Sunday" in search[2]
    assert message[:2] == [200, None]
    assert "don't be late!" in message[2]
    assert forged[:2] == [403, "origin-check"]
    assert large[:2] == [413, "guard"]
    assert style[0] == 200
    assert health[2] == '{"status":"ok"}'
    events = [
        json.loads(line)
        for path in sorted((folder / "data" / "spool" / "events").glob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    assert [event["metadata"]["uid"] for event in events] == [forged[3], large[3]]
