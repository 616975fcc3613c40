"""Ghost from npm (SQLite) behind Troth."""

import json
import os
import shutil
import urllib.request
from pathlib import Path

from ground import CACHE, Ground, NotHereError, Tried, ground, listens, wait
from pictures import png
from plays import (
    forged_post_is_refused,
    headers_are_there,
    http_leads_to_https,
    reports_are_learnt,
)

from browser import Visitor, visitor

VERSION = "5.130.6"  # the last one for Node.js 20
PASSWORD = "correct-horse-battery-staple-42"


def run() -> Tried:
    """Set up, log in, write, upload, publish; what worked."""
    package = _installed()
    with ground("ghost.localhost") as place:
        tried = Tried("Ghost", version=f"{VERSION} (npm)")
        _start(place, package)
        place.init("--name", "A magazine")
        place.troth()
        with visitor(place.url, place.folder / "profile") as one:
            # What Ghost itself loads from elsewhere, with or without Troth.
            one.elsewhere = (
                *("https://cdn.jsdelivr.net", "https://static.ghost.org", "https://ghost.org"),
                *("https://fonts.", "https://www.gravatar.com", "https://resources.ghost.io"),
                "https://images.unsplash.com",
            )
            _play(place, one, tried)
            one.judge(tried)
        paths = ("/", "/ghost/", "/no-such-page/", "/ghost/api/admin/site/", "/favicon.ico")
        headers_are_there(place, tried, *paths)
        forged_post_is_refused(place, tried, "/members/api/send-magic-link/")
        http_leads_to_https(place, tried, "/ghost/?a=b")
        reports_are_learnt(place, tried)
    return tried


def _installed() -> Path:
    """The package with its dependencies; npm is asked once a machine."""
    if not shutil.which("npm") or not shutil.which("node"):
        raise NotHereError("apt install nodejs npm")
    place = CACHE / f"ghost-{VERSION}"
    if (place / "done").exists():
        return place / "package"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    scratch = Ground("none.localhost")
    scratch.run("npm", "pack", "-s", f"ghost@{VERSION}", cwd=place)
    scratch.run("tar", "xzf", f"ghost-{VERSION}.tgz", cwd=place)
    described = place / "package" / "package.json"
    words = json.loads(described.read_text())
    words.pop("devDependencies", None)  # some of them are no packages of the registry
    described.write_text(json.dumps(words))
    (place / "package" / "yarn.lock").unlink(missing_ok=True)
    flags = ("--no-audit", "--no-fund", "--omit=dev", "--legacy-peer-deps")
    scratch.run("npm", "install", *flags, cwd=place / "package")
    shutil.rmtree(scratch.folder)
    (place / "done").touch()
    return place / "package"


def _start(place: Ground, package: Path) -> None:
    content = place.folder / "content"
    shutil.copytree(package / "content", content)
    for name in ("data", "images", "files", "media", "logs", "settings", "public", "adapters"):
        (content / name).mkdir(exist_ok=True)
    settings = {
        "url": place.url,
        "server": {"host": "127.0.0.1", "port": place.upstream_port},
        "database": {
            "client": "sqlite3",
            "connection": {"filename": str(content / "data" / "ghost.db")},
            "useNullAsDefault": True,
        },
        "paths": {"contentPath": str(content)},
        "mail": {"transport": "SMTP", "options": {"host": "127.0.0.1", "port": 9}},
        "logging": {"transports": ["stdout"], "level": "error"},
        "privacy": {"useUpdateCheck": False, "useGravatar": False, "useTinfoil": True},
        "imageOptimization": {"resize": False},
        "security": {"staffDeviceVerification": False},
    }
    (place.folder / "config.production.json").write_text(json.dumps(settings))
    (place.folder / "current").symlink_to(package)  # as ghost-cli lays it out
    place.start(
        "ghost",
        *("node", "current/index.js"),
        cwd=place.folder,
        env={**os.environ, "NODE_ENV": "production"},
    )

    def answers() -> bool:
        if not listens(place.upstream_port):
            return False
        request = urllib.request.Request(
            f"http://127.0.0.1:{place.upstream_port}/ghost/api/admin/site/",
            headers={"Host": f"{place.host}:{place.port}", "X-Forwarded-Proto": "https"},
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    wait(answers, 120, "ghost")


def _play(place: Ground, one: Visitor, tried: Tried) -> None:
    page = one.page
    one.expected = ("/ghost/api/admin/session", "/ghost/api/admin/users/me")  # 403: not logged in
    one.go("/ghost/")
    page.wait_for_selector("#blog-title", timeout=60_000)
    page.fill("#blog-title", "A magazine")
    page.fill("#name", "Ada")
    page.fill("#email", "ada@example.org")
    page.fill("#password", PASSWORD)
    page.click("button[type=submit], .gh-btn-signup")
    page.wait_for_selector(".gh-nav, a[href='#/dashboard/']", timeout=60_000)
    tried.check("sets up through its own pages, logs in", True)
    tried.check(
        "its session is out of reach of scripts", "session" not in page.evaluate("document.cookie")
    )
    one.expected = ()
    page.reload()
    page.wait_for_selector(".gh-nav", timeout=60_000)
    tried.check("the log-in holds", True)

    one.go("/ghost/#/site")
    frame = page.wait_for_selector(
        "iframe#site-frame, iframe.site-frame, .gh-main iframe", timeout=60_000
    )
    inner = frame.content_frame()
    inner.wait_for_load_state("load")
    tried.check("its own site shows in its frame", inner.url.startswith(place.url), inner.url)

    one.go("/ghost/#/editor/post")
    page.wait_for_selector("textarea[placeholder='Post title'], .gh-editor-title", timeout=60_000)
    page.fill("textarea[placeholder='Post title'], .gh-editor-title", "Hello through the edge")
    page.click(".koenig-lexical [contenteditable=true], .kg-prose")
    page.keyboard.type("Written in the editor.")
    picture = place.folder / "picture.png"
    picture.write_bytes(png(1200))
    with page.expect_response(lambda r: "/images/upload" in r.url, timeout=60_000) as uploading:
        page.set_input_files("input[type=file][accept*='image'] >> nth=0", str(picture))
    tried.check("a picture uploads", uploading.value.status == 201, uploading.value.status)
    with page.expect_response(
        lambda r: "/posts/" in r.url and r.request.method in ("POST", "PUT"), timeout=60_000
    ) as saving:
        page.keyboard.press("Control+s")
    tried.check("the editor saves (Admin API)", saving.value.ok, saving.value.status)
    made = saving.value.json()["posts"][0]
    # The editor goes on saving by itself; a change beside it would meet a newer version (409).
    page.goto("about:blank")
    one.go("/ghost/")
    published = page.evaluate(
        """async ([id, at]) => (await fetch(`/ghost/api/admin/posts/${id}/`, {method: 'PUT',
        headers: {'content-type': 'application/json'}, body: JSON.stringify({posts:
        [{status: 'published', updated_at: at}]})})).status""",
        [
            made["id"],
            page.evaluate(
                """async id => (await (await fetch(`/ghost/api/admin/posts/${id}/`)).json())
            .posts[0].updated_at""",
                made["id"],
            ),
        ],
    )
    tried.check("it publishes (PUT)", published == 200, published)
    one.go("/")
    tried.check("the public page shows the post", "Hello through the edge" in page.content())
    one.go("/rss/")
    one.go("/sitemap.xml")
    one.go("/ghost/#/dashboard")
    page.wait_for_selector(".gh-nav")


if __name__ == "__main__":
    raise SystemExit(not run().is_fine)
