"""A rehearsal of `troth install`: every role as its own user with its own groups, without systemd.

    unshare -m .venv/bin/python bench/install.py

In a mount namespace of its own: users of `sysusers.d` go into a copy of /etc/passwd, directories of
`tmpfiles.d` are made for real, and each role runs as its unit says (user, groups, nothing else).
What systemd adds beyond that (the sandbox) is not tried here. Needs root. Prints what came of it.
"""

import asyncio
import grp
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from troth.adapters import clock
from troth.adapters.process import Identity
from troth.roles import init, install, plan, units, up
from troth.roles.places import Places
from troth.roles.supervisor import Supervisor, Unit

READY_S = 90


def main() -> int:
    """Lay it out, run it, look at it, take it down."""
    if os.geteuid() != 0:
        sys.exit("needs root: unshare -m .venv/bin/python bench/install.py")
    folder = Path(tempfile.mkdtemp(prefix="troth-install-", dir="/var/lib"))
    folder.chmod(0o755)
    try:
        return rehearse(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def rehearse(folder: Path) -> int:
    """The whole of it."""
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    # systemd-sysusers renames new files into place: a whole /etc of our own.
    subprocess.run(["cp", "-a", "/etc", str(folder / "etc")], check=True)
    subprocess.run(["mount", "--bind", str(folder / "etc"), "/etc"], check=True)
    site = folder / "site"
    site.mkdir()
    (site / "index.html").write_text("<!doctype html><title>hello</title><p>hello")
    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    config, data = folder / "troth.toml", folder / "data"
    init.init(
        init.Wish(
            upstream=f"http://127.0.0.1:{server.server_port}",
            host="demo.localhost",
            config=config,
            data=data,
            ports=(28443, 28080, 28444),
        )
    )
    settings = up.read(config)
    wanted = install.Installation(settings=settings, config=config, data=data)
    for path, text in wanted.files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["systemd-sysusers", "/etc/sysusers.d/troth.conf"], check=True)
    subprocess.run(["systemd-tmpfiles", "--create", "/etc/tmpfiles.d/troth.conf"], check=True)
    roles = tuple(as_user(unit) for unit in plan.units(settings, config, Places(data)))
    return asyncio.run(run(roles, Places(data)))


def as_user(unit: Unit) -> Unit:
    """The unit with the user and groups that its systemd unit names."""
    role = units.role_of(unit)
    user = pwd.getpwnam(units.user_of(role))
    names = (units.GROUP, *units.RIGHTS[role].groups)
    groups = tuple(grp.getgrnam(name).gr_gid for name in names)
    gid = grp.getgrnam(units.GROUP).gr_gid
    return replace(unit, identity=Identity(user.pw_uid, gid, groups))


async def run(roles: tuple[Unit, ...], places: Places) -> int:
    """Bring it up; say of each role whether it was ready, and its last words if not."""
    ready: set[str] = set()
    os.environ["HOME"] = "/nonexistent"

    def told(name: str, what: str) -> None:
        print(f"{clock.now():%H:%M:%S} {name}: {what}", flush=True)
        if what == "ready":
            ready.add(name)

    notify = places.data / "notify"
    notify.mkdir(mode=0o755)
    logs = places.data / "rehearsal"
    logs.mkdir()
    supervisor = Supervisor(roles, run=notify, logs=logs, told=told)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(supervisor.keep())
        try:
            await asyncio.wait_for(supervisor.ready(), READY_S)
            await asyncio.sleep(35)
        except TimeoutError:
            pass
        facts = places.public / "api" / "v1" / "promises.json"
        states = (
            {p["slug"]: p["state"] for p in json.loads(facts.read_bytes())["promises"]}
            if facts.exists()
            else {}
        )
        supervisor.stop()
        await keeping
    missing = sorted({unit.name for unit in roles} - ready)
    for name in missing:
        print(f"--- {name}:", (logs / f"{name}.log").read_text()[-800:])
    looked = [path.read_text()[-600:] for path in (logs / "worker.log",) if path.exists()]
    print("\n".join(f"    {state} {slug}" for slug, state in states.items() if state != "proven"))
    print(*looked)
    proven = [slug for slug, state in states.items() if state == "proven"]
    print(f"{len(ready)} of {len(roles)} roles ready; {len(proven)} of {len(states)} proven")
    return 1 if missing or not proven else 0


if __name__ == "__main__":
    sys.exit(main())
