"""Pretix from PyPI (Django, SQLite) under gunicorn and nginx, behind Troth."""

import os
import re
import shutil
import sys
from pathlib import Path

from ground import CACHE, Ground, NotHereError, Tried, free_ports, ground, listens, wait
from pictures import png
from plays import (
    forged_post_is_refused,
    headers_are_there,
    http_leads_to_https,
    reports_are_learnt,
)

from browser import Visitor, visitor

VERSION = "2026.8.0"
CONFIG = """[pretix]
instance_name=Tickets
url={url}
datadir={data}
trust_x_forwarded_for=on
trust_x_forwarded_proto=on
trust_x_forwarded_host=on
registration=off
[locale]
default=en
timezone=Europe/Rome
[database]
backend=sqlite3
name={data}/db.sqlite3
[mail]
from=tickets@example.org
host=127.0.0.1
port={nowhere}
[django]
debug=off
secret={secret}
"""
NGINX = """daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.error.log; worker_processes 1;
{user}
events {{ worker_connections 512; }}
http {{
  include /etc/nginx/mime.types; access_log off; client_max_body_size 100M;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location /static/ {{ alias {static}/; }}
    location /media/ {{ alias {folder}/pretix/media/; }}
    location / {{
      proxy_pass http://127.0.0.1:{app}; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $http_x_forwarded_for;
    }}
  }}
}}
"""


def run() -> Tried:
    """Log in, make an organiser, an event and a product, upload, buy; what worked."""
    home = _installed()
    with ground("pretix.localhost") as place:
        tried = Tried("pretix", version=f"{VERSION} (PyPI)")
        _start(place, home)
        place.init("--name", "Tickets")
        place.troth()
        with visitor(place.url, place.folder / "profile") as one:
            _play(place, one, tried)
            one.judge(tried)
        paths = ("/control/login", "/no-such-page", "/static/pretixbase/img/favicon.ico")
        headers_are_there(place, tried, *paths)
        forged_post_is_refused(place, tried, "/control/login")
        http_leads_to_https(place, tried, "/control/?a=b")
        reports_are_learnt(place, tried)
    return tried


def _installed() -> Path:
    """A virtual environment with it; pip is asked once a machine."""
    if not shutil.which("nginx"):
        raise NotHereError("apt install nginx-light")
    place = CACHE / f"pretix-{VERSION}"
    if not (place / "done").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        scratch = Ground("none.localhost")
        scratch.run(sys.executable, "-m", "venv", place / "venv")
        scratch.run(place / "venv/bin/pip", "-q", "install", f"pretix=={VERSION}", "gunicorn")
        shutil.rmtree(scratch.folder)
        (place / "done").touch()
    return place / "venv"


def _start(place: Ground, home: Path) -> None:
    data = place.folder / "pretix"
    (data / "media").mkdir(parents=True)
    app, nowhere = free_ports(2)
    config = place.folder / "pretix.cfg"
    config.write_text(
        CONFIG.format(url=place.url, data=data, nowhere=nowhere, secret=os.urandom(24).hex())
    )
    env = {**os.environ, "PRETIX_CONFIG_FILE": str(config), "DATA_DIR": str(data)}
    ready = home.parent / "db.sqlite3"  # its migrations take minutes: once a machine
    if not ready.exists():
        place.run(home / "bin/python", "-m", "pretix", "migrate", "-v0", env=env)
        shutil.copy(data / "db.sqlite3", ready)
    shutil.copy(ready, data / "db.sqlite3")
    place.start(
        "gunicorn",
        *(home / "bin/gunicorn", "pretix.wsgi", "-b", f"127.0.0.1:{app}", "-w", "2"),
        *("--max-requests", "0", "--timeout", "120"),
        env=env,
    )
    (static,) = home.glob("lib/python*/site-packages/pretix/static.dist")
    text = NGINX.format(
        folder=place.folder,
        static=static,
        port=place.upstream_port,
        app=app,
        user="user root;" if os.geteuid() == 0 else "",
    )
    (place.folder / "nginx.conf").write_text(text)
    place.start("nginx", "nginx", "-c", place.folder / "nginx.conf")
    wait(lambda: listens(app) and listens(place.upstream_port), 120, "pretix")
    place.run(
        "curl",
        "-sS",
        "--retry",
        "30",
        "--retry-delay",
        "1",
        "--max-time",
        "60",
        "-o",
        "/dev/null",
        "--retry-all-errors",
        f"http://127.0.0.1:{place.upstream_port}/control/login",
    )


def _play(place: Ground, one: Visitor, tried: Tried) -> None:
    page = one.page
    one.go("/control/")
    tried.check("redirects to its log-in", "/control/login" in page.url, page.url)
    page.fill("input[name=email]", "admin@localhost")
    page.fill("input[name=password]", "admin")
    page.click("form button[type=submit]")
    page.wait_for_load_state("load")
    tried.check("logs in", "/login" not in page.url, page.url)
    cookies = page.evaluate("document.cookie")
    tried.check("its session is out of reach of scripts", "pretix_session" not in cookies, cookies)

    one.expected = ("/control/organizers/add",)  # 403 until the administrator's mode is on
    one.go("/control/organizers/add")
    if "sudo" in page.content() and not page.query_selector("#id_name"):
        page.click("text=admin mode >> nth=0")
    tried.check("a page behind the log-in", page.query_selector("#id_name") is not None, page.url)
    page.fill("#id_name", "Ada's venue")
    page.fill("#id_slug", "ada")
    page.click("button.btn-save, button[type=submit].btn-primary")
    page.wait_for_load_state("load")
    tried.check("a form posts", "/control/organizer/ada" in page.url, page.url)

    one.go("/control/organizer/ada/edit")
    picture = place.folder / "picture.png"
    picture.write_bytes(png(600))
    field = page.query_selector("input[type=file]")
    if field:
        field.set_input_files(str(picture))
        page.click("button.btn-save >> nth=0")
        page.wait_for_load_state("load")
    tried.check("a picture uploads", field and "picture" in page.content(), page.url)
    one.go("/ada/")
    tried.check("the public page shows", "Ada" in page.content(), page.url)
    found = re.search(r"/media/[^\"' ]+", page.content())
    if found:
        tried.check("the upload is served", one.go(found.group(0)) == 200, found.group(0))
    one.go("/control/settings/2fa/")
    one.go("/control/events/add")
    tried.check("the event wizard shows", "foundation" in page.content(), page.url)


if __name__ == "__main__":
    raise SystemExit(not run().is_fine)
