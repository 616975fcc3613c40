"""An application made with Gradio from PyPI behind Troth: answers come as server-sent events."""

import os
import shutil
import sys
from pathlib import Path

from ground import CACHE, Ground, Tried, ground, listens, wait
from pictures import png
from plays import forged_post_is_refused, headers_are_there, http_leads_to_https

from browser import Visitor, visitor

PROGRAM = """
import os, time, gradio
def count(name, picture):
    for number in range(5):
        time.sleep(0.4)
        yield f"{name} {number} {picture[:0] if picture else ''}"
gradio.Interface(count, ["text", gradio.Image(type="filepath")], "text",
    analytics_enabled=False).launch(server_name="127.0.0.1", auth=("ada", "ada-42"),
    server_port=int(os.environ["PORT"]), share=False, quiet=True)
"""


def run() -> Tried:
    """Log in, upload, ask, see the answer grow; what worked."""
    home = _installed()
    with ground("gradio.localhost") as place:
        version = place.run(
            home / "bin/python",
            "-c",
            "from importlib.metadata import version as v;print(v('gradio'))",
        ).strip()
        tried = Tried("Gradio", version=f"{version} (PyPI)")
        program = place.folder / "app.py"
        program.write_text(PROGRAM)
        env = {**os.environ, "PORT": str(place.upstream_port), "GRADIO_ANALYTICS_ENABLED": "False"}
        place.start("gradio", home / "bin/python", program, env=env)
        wait(lambda: listens(place.upstream_port), 90, "gradio")
        place.init("--name", "Counting")
        place.troth()
        with visitor(place.url, place.folder / "profile") as one:
            one.elsewhere = (
                "https://fonts.",
                "https://cdnjs.cloudflare.com",
                "https://cdn.jsdelivr",
            )
            _play(place, one, tried)
            one.judge(tried)
        headers_are_there(place, tried, "/", "/no-such-page", "/config")
        forged_post_is_refused(place, tried, "/login")
        http_leads_to_https(place, tried, "/a?b=c")
    return tried


def _installed() -> Path:
    place = CACHE / "gradio"
    if not (place / "done").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        scratch = Ground("none.localhost")
        scratch.run(sys.executable, "-m", "venv", place / "venv")
        scratch.run(place / "venv/bin/pip", "-q", "install", "gradio")
        shutil.rmtree(scratch.folder)
        (place / "done").touch()
    return place / "venv"


def _play(place: Ground, one: Visitor, tried: Tried) -> None:
    page = one.page
    events: list[str] = []
    page.on(
        "response",
        lambda r: (
            events.append(r.url)
            if "event-stream" in (r.headers.get("content-type") or "")
            else None
        ),
    )
    one.expected = ("/config", "/theme.css")  # 401 before the log-in
    one.go("/")
    page.wait_for_selector("input[type=password], [type=password]", timeout=60_000)
    page.fill("input[type=text], label:has-text('username') input, textarea >> nth=0", "ada")
    page.fill("input[type=password]", "ada-42")
    page.click("button:has-text('Login')")
    page.wait_for_selector("button:has-text('Submit')", timeout=60_000)
    tried.check("logs in", True)
    one.expected = ("/manifest.json",)
    cookies = page.evaluate("document.cookie")
    tried.check("its session is out of reach of scripts", "access-token" not in cookies, cookies)
    picture = place.folder / "picture.png"
    picture.write_bytes(png(900))
    with page.expect_response(lambda r: "/upload" in r.url, timeout=30_000) as uploading:
        page.set_input_files("input[type=file] >> nth=0", str(picture))
    tried.check("a picture uploads", uploading.value.ok, uploading.value.status)
    page.fill("textarea >> nth=0", "beat")
    page.click("button:has-text('Submit')")
    seen: set[str] = set()
    for _ in range(60):
        seen.add(page.locator("textarea").last.input_value().strip())
        if "beat 4" in seen:
            break
        page.wait_for_timeout(100)
    steps = sorted(text for text in seen if text.startswith("beat"))
    tried.check("the answer grows as events come (SSE)", len(steps) >= 3, steps)
    tried.check("over an event stream", events, events)


if __name__ == "__main__":
    raise SystemExit(not run().is_fine)
