"""No green word without somebody who looks: worker and publisher are killed on a running demo.

Used by `python bench/demo.py --kill`. The supervisor is stopped for the while (SIGSTOP), or it
would start them again within a second; afterwards it may, and the page must be green again.
"""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from troth.adapters import http
from troth.publish.render import Press
from troth.publish.words import LANGUAGES

GREEN = ("proven", "attested")
WELL = {"state": GREEN, "indicator": ("none",), "status": ("operational",)}
STATES = re.compile(r'(?:data-state|term)="(?:proven|attested)"')
LIMIT_S = 60  # after this no green word may stand
WATCHED_S = 75
BACK_S = 120
KINDS = ("/trust/", "/trust/de/", "/api/v1/promises.json", "/trust/changes.atom")
SPEAKING = ("text/html", "application/json", "application/atom+xml")


def words() -> re.Pattern[str]:
    """What the page calls a promise that is kept, in every language."""
    phrases = Press.load().phrases
    said = {phrases[language]["states"][state] for language in LANGUAGES for state in GREEN}
    return re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, said)))})\b")


def in_json(value: object) -> Iterator[str]:
    """Every state, indicator or status in a JSON document that says that all is well."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and inner in WELL.get(key, ()):
                yield f"{key} {inner}"
            yield from in_json(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from in_json(inner)


def addresses(ready: dict, *, briefly: bool) -> list[str]:
    """What both hosts serve that speaks of the present; briefly: one of each kind."""
    data = Path(ready["data"]) / "public/now/manifest.json"
    entries = json.loads(data.read_bytes())["entries"]
    troth, status = ready["troth"], ready["status"].rstrip("/")
    few = ["/trust/", *(f"/trust/{x}/" for x in LANGUAGES[1:]), "/api/v1/promises.json"]
    few += ["/trust/changes.atom", "/api/v2/summary.json", "/history.atom"]
    found = []
    for at, entry in entries.items():
        if not entry["kind"].startswith(SPEAKING) or at.startswith("/errors/"):
            continue
        if entry["stale"] and (at in few or not briefly):
            found += [f"{troth}{at}", f"{status}{at}"]
    if briefly:
        found += [f"{status}/", *(f"{status}/{x}/" for x in LANGUAGES[1:])]
    return found


def green(url: str, ready: dict, pattern: re.Pattern[str]) -> list[str]:
    """The green words at an address. An address that is not there says none."""
    answer = http.fetch(url, ca_file=ready["ca"], timeout_s=10)
    if answer.status != 200:
        return []
    if "json" in (answer.one("content-type") or ""):
        return list(in_json(json.loads(answer.text)))
    return pattern.findall(answer.text) + STATES.findall(answer.text)


def sweep(ready: dict, pattern: re.Pattern[str], *, briefly: bool) -> dict[str, str]:
    """Each address with a green word."""
    found = {url: green(url, ready, pattern) for url in addresses(ready, briefly=briefly)}
    return {url: said[0] for url, said in found.items() if said}


def blackout(ready: dict, supervisor: int, roles: dict[int, str]) -> bool:
    """Kill both, look for green words until well after they must be gone; let them come back."""
    pattern, good = words(), True
    before = sweep(ready, pattern, briefly=False)
    unseen = [at for at in KINDS if f"{ready['troth']}{at}" not in before]
    if unseen:
        print(f"  kill: cannot be measured: no green word before at {', '.join(unseen)}")
        return False
    print(f"  kill: {len(before)} addresses with a green word before")
    doomed = [pid for pid, role in roles.items() if role in {"worker", "publisher"}]
    os.kill(supervisor, signal.SIGSTOP)
    try:
        for pid in doomed:
            os.kill(pid, signal.SIGKILL)
        began, last = time.monotonic(), 0.0
        while (now := time.monotonic() - began) < WATCHED_S:
            said = sweep(ready, pattern, briefly=True)
            if said:
                last = time.monotonic() - began
                if now > LIMIT_S:
                    good = False
            time.sleep(0.5)
        after = sweep(ready, pattern, briefly=False)
        print(f"  kill -9 of worker and publisher: the last green word after {last:.1f} s,"
              f" then none until {time.monotonic() - began:.0f} s")  # fmt: skip
        for url, said in sorted(after.items()):
            print(f"    STILL GREEN: {url}: {said}")
        good &= not after
    finally:
        os.kill(supervisor, signal.SIGCONT)
    began = time.monotonic()
    while {f"{ready['troth']}{at}" for at in KINDS} - set(sweep(ready, pattern, briefly=True)):
        if time.monotonic() - began > BACK_S:
            print(f"  NOT green again after {BACK_S} s")
            return False
        time.sleep(0.5)
    print(f"  started again by the supervisor: green after {time.monotonic() - began:.1f} s")
    return good
