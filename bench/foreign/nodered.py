"""Node-RED from npm behind Troth: an editor that lives on a WebSocket."""

import json
import os
import shutil
from pathlib import Path

from ground import CACHE, Ground, NotHereError, Tried, ground, listens, wait
from plays import (
    forged_post_is_refused,
    headers_are_there,
    http_leads_to_https,
    reports_are_learnt,
)

from browser import Visitor, visitor

VERSION = "4.1.15"
PASSWORD = "correct-horse-battery-staple-42"


def run() -> Tried:
    """Log in, edit, deploy, be told over the WebSocket; what worked."""
    home = _installed()
    with ground("red.localhost") as place:
        tried = Tried("Node-RED", version=f"{VERSION} (npm)")
        _start(place, home)
        place.init("--name", "Flows")
        place.troth()
        with visitor(place.url, place.folder / "profile") as one:
            _play(place, one, tried)
            one.judge(tried)
        headers_are_there(place, tried, "/", "/no-such-page", "/vendor/vendor.js")
        forged_post_is_refused(place, tried, "/flows")
        http_leads_to_https(place, tried, "/a?b=c")
        reports_are_learnt(place, tried)
    return tried


def _installed() -> Path:
    if not shutil.which("npm") or not shutil.which("node"):
        raise NotHereError("apt install nodejs npm")
    place = CACHE / f"node-red-{VERSION}"
    if not (place / "done").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        scratch = Ground("none.localhost")
        flags = ("--no-audit", "--no-fund", "--omit=dev")
        scratch.run("npm", "install", *flags, f"node-red@{VERSION}", cwd=place)
        shutil.rmtree(scratch.folder)
        (place / "done").touch()
    return place / "node_modules"


def _start(place: Ground, modules: Path) -> None:
    home = place.folder / "red"
    home.mkdir()
    make = "require('bcryptjs').hash(process.argv[1], 8).then(console.log)"
    hashed = place.run("node", "-e", make, PASSWORD, cwd=modules.parent).strip()
    user = {"username": "ada", "password": hashed, "permissions": "*"}
    settings = {
        "uiHost": "127.0.0.1",
        "uiPort": place.upstream_port,
        "flowFile": "flows.json",
        "credentialSecret": os.urandom(16).hex(),
        "adminAuth": {"type": "credentials", "users": [user]},
        "telemetry": {"enabled": False},
        "editorTheme": {"tours": False, "palette": {"catalogues": []}},
    }
    (home / "settings.js").write_text(f"module.exports = {json.dumps(settings)};\n")
    flow = [
        {"id": "t1", "type": "tab", "label": "Flow 1"},
        {
            "id": "i1",
            "type": "inject",
            "z": "t1",
            "name": "tick",
            "props": [{"p": "payload"}],
            "repeat": "1",
            "once": True,
            "payload": "beat",
            "payloadType": "str",
            "x": 100,
            "y": 100,
            "wires": [["d1"]],
        },
        {
            "id": "d1",
            "type": "debug",
            "z": "t1",
            "name": "said",
            "active": True,
            "tosidebar": True,
            "complete": "payload",
            "x": 300,
            "y": 100,
            "wires": [],
        },
    ]
    (home / "flows.json").write_text(json.dumps(flow))
    place.start("red", "node", modules / "node-red" / "red.js", "-u", home, cwd=home)
    wait(lambda: listens(place.upstream_port), 60, "node-red")


def _play(place: Ground, one: Visitor, tried: Tried) -> None:
    page = one.page
    said: list[str] = []
    page.on("websocket", lambda door: door.on("framereceived", lambda text: said.append(str(text))))
    one.expected = ("/settings", "/icons")  # 401 before the log-in
    one.go("/")
    page.wait_for_selector("#node-dialog-login-username", timeout=60_000)
    page.fill("#node-dialog-login-username", "ada")
    page.fill("#node-dialog-login-password", PASSWORD)
    page.click("#node-dialog-login-submit")
    page.wait_for_selector("#red-ui-workspace-chart, .red-ui-workspace-chart", timeout=60_000)
    tried.check("logs in", True)
    tried.check("opens its WebSocket", any("/comms" in url for url in one.sockets), one.sockets)
    page.wait_for_timeout(3500)
    beats = [text for text in said if "beat" in text]
    tried.check("messages keep coming over it", len(beats) >= 2, said[:2])
    one.expected = ()
    page.evaluate("RED.nodes.dirty(true)")  # as if a node had been moved
    with page.expect_response(
        lambda r: r.url.endswith("/flows") and r.request.method == "POST", timeout=30_000
    ) as deploying:
        page.click("#red-ui-header-button-deploy", timeout=10_000)
    tried.check("deploys (POST)", deploying.value.ok, deploying.value.status)
    forged = place.curl(
        *("--http1.1", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Connection: Upgrade"),
        *("-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13", "-b", "canary=1"),
        *("-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"{place.url}/comms"),
        *("-H", "Origin: https://stranger.example"),
    )
    tried.check("a foreign page's handshake is refused", forged == "403", forged)


if __name__ == "__main__":
    raise SystemExit(not run().is_fine)
