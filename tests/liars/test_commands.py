"""The one line that a stranger is given: it passes on the honest system and fails on a liar."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from liars.ground import System
from liars.liar import HONEST
from liars.matrix import LIARS
from troth.adapters import chance
from troth.adapters.vantage import synthetic_client
from troth.catalogue import CATALOGUE, declared
from troth.kernel.model import Check, Method

AREAS = ("edge", "guard", "payments")
FOREIGN = ("testssl.sh", "sslyze")  # tools that a machine may lack
RESTS_ON = {promise.slug: {promise.slug, *promise.rests_on} for promise in CATALOGUE}
QUICK = [
    (promise.slug, check)
    for promise in CATALOGUE
    for check in promise.checks
    if promise.area in AREAS and check.method is not Method.DRILL
]


def run(check: Check, system: System, home: Path) -> int:
    """As a stranger with an address of his own: what another guessed is not held against him."""
    if "npx " in check.command:
        pytest.skip("it asks a package registry")
    for tool in FOREIGN:
        if tool in check.command and shutil.which(tool) is None:
            pytest.skip(f"{tool} is not on this machine")
    site = system.site
    places = {
        "APP": site.app,
        "HTTP": site.http,
        "TROTH": site.troth,
        "STATUS": f"{site.status}/",
        "CA": site.ca_file,
        "CURL_HOME": str(home),
    }
    client = synthetic_client(f"{check.id} {chance.system().getrandbits(64)}")
    (home / ".curlrc").write_text(f'interface = "{client}"\n', "utf-8")
    done = subprocess.run(
        ["sh", "-c", check.command],
        env=os.environ | places,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode


@pytest.mark.parametrize(("slug", "check"), QUICK, ids=[check.id for _, check in QUICK])
def test_a_command_agrees_on_the_honest_system_and_not_on_a_liar(place, slug, check, tmp_path):
    with place.up(HONEST) as system:
        known = {promise.slug: promise for promise in declared(system.settings)}
        if because := known[slug].not_applicable_because:
            pytest.skip(because)
        assert run(check, system, tmp_path) == 0, check.command
    for liar in (liar for liar in LIARS if liar.slug in RESTS_ON[slug] and not liar.is_slow):
        with place.up(liar) as system:
            if run(check, system, tmp_path) != 0:
                return
    pytest.fail(f"no liar is seen by: {check.command}")
