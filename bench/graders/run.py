"""Outside graders on a running demo, beside our own computations: `run.py READY_FILE`."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from troth.adapters import chance, clock
from troth.adapters.vantage import Vantage
from troth.engines.sslyze.scan import ScanError, locate
from troth.kernel.site import Site
from troth.promises.edge.judge import grade as judges
from troth.promises.edge.probe import grade as probes
from troth.roles import scan

HERE = Path(__file__).parent
PACKAGES = {"@mdn/mdn-http-observatory": "1", "csp_evaluator": "1"}
FORGED = (("Origin", "https://stranger.example"), ("Sec-Fetch-Site", "cross-site"))


def pages(ready: dict) -> list[str]:
    """What is graded: pages, an asset, an API, what is not there, and our own pages."""
    app, troth, status = ready["app"], ready["troth"], ready["status"].rstrip("/")
    own = [f"{troth}/trust/{language}" for language in ("", "it/", "de/", "fr/")]
    more = [f"{troth}/api/v1/promises.json", f"{troth}/verify.py", f"{troth}/no-such-page"]
    theirs = ["/", "/courts", "/login", "/api/slots?court=1", "/static/style.css", "/no-such-page"]
    return [*(app + path for path in theirs), *own, *more, f"{status}/"]


def install(folder: Path) -> Path | None:
    """The packages in a folder of their own; None without npm."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return None
    names = [f"{name}@{version}" for name, version in PACKAGES.items()]
    argv = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", *names]
    subprocess.run(argv, cwd=folder, check=True, timeout=300, stdout=subprocess.DEVNULL)
    modules = folder / "node_modules"
    # The published package leaves out the browsers' preload list; nobody here is on it.
    (modules / "@mdn/mdn-http-observatory/conf/hsts-preload.json").write_text("{}")
    return modules


def node(script: str, *words: str, ca: str, stdin: str = "") -> object:
    """What a script of ours prints as JSON."""
    done = subprocess.run(
        ["node", str(HERE / script), *words],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "NODE_EXTRA_CA_CERTS": ca},
    )
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1][:120] if done.stderr else "?"}
    return json.loads(done.stdout)


def ours(vantage: Vantage, url: str) -> judges.observatory.Score:
    """Our score of one page."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    told = probes.answered("page", url, vantage.fetch(url))
    return judges.score_of(
        msgspec.convert({**told, **probes.around_host(vantage, origin)}, judges.Answer)
    )


def headers(ready: dict, vantage: Vantage, modules: Path | None) -> int:
    """The Observatory and the CSP evaluator on every page; how many disagree or find a fault."""
    faults = 0
    print(f"{'page':58} {'ours':>7} {'MDN':>7}  CSP evaluator")
    for url in pages(ready):
        mine = ours(vantage, url)
        theirs, policy = "-", "-"
        if modules is not None:
            parts = urlsplit(url)
            plain = urlsplit(ready["http"]).port or 80
            if url.startswith(ready["status"]):
                plain = 1  # it has no plain-HTTP port of its own
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            package = str(modules / "@mdn/mdn-http-observatory")
            words = (str(parts.hostname), str(parts.port or 443), str(plain), path)
            told = node("observatory.mjs", package, *words, ca=ready["ca"])
            theirs = told.get("error") or f"{told['grade']} {told['score']}"
            faults += told.get("score") != mine.score
            values = vantage.fetch(url).all("content-security-policy")
            if values:
                found = node(
                    "csp.mjs", str(modules / "csp_evaluator"), ca=ready["ca"], stdin=values[0]
                )
                policy = json.dumps(found)
                faults += found != []
        print(f"{url[-58:]:58} {mine.grade:>3} {mine.score:>3} {theirs:>7}  {policy}")
        faults += mine.score < judges.observatory.A_FROM
    return faults


def profile(ready: dict) -> int:
    """Mozilla's intermediate profile by sslyze on every host."""
    try:
        python = locate()
    except ScanError as missing:
        print(f"sslyze: left out ({missing})")
        return 0
    faults = 0
    for url in (ready["app"], ready["troth"], ready["status"]):
        parts = urlsplit(url)
        target = f"{parts.hostname}:{parts.port or 443}{{127.0.0.1}}"
        argv = [str(python), "-m", "sslyze", "--mozilla_config=intermediate"]
        done = subprocess.run(
            [*argv, f"--certinfo_ca_file={ready['ca']}", target],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        said = done.stdout.partition("COMPLIANCE AGAINST")[2].splitlines()[2:]
        told = [line.strip() for line in said if line.strip()]
        print(f"sslyze, Mozilla intermediate, {parts.hostname}:")
        print(*(f"    {line}" for line in told[1:]), sep="\n")
        faults += done.returncode != 0
    return faults


def main() -> int:
    """Run all, print a table, count faults."""
    ready = json.loads(Path(sys.argv[1]).read_text())
    site = Site(
        name="demo",
        app=ready["app"],
        http=ready["http"],
        troth=ready["troth"],
        status=ready["status"].rstrip("/"),
        ca_file=ready["ca"],
    )
    vantage = Vantage(site=site, name="graders", now=clock.now(), rng=chance.system())
    hosts = [urlsplit(url).netloc for url in (ready["app"], ready["troth"], ready["status"])]
    graded = scan.scan(hosts, now=clock.now(), rng=chance.system(), ca_file=ready["ca"])
    print(*scan.lines(graded), sep="\n")
    with tempfile.TemporaryDirectory(prefix="troth-graders-") as name:
        modules = install(Path(name))
        if modules is None:
            print("npm was not found: the Observatory and the CSP evaluator are left out")
        faults = headers(ready, vantage, modules)
    faults += profile(ready)
    print(f"{faults} faults")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
