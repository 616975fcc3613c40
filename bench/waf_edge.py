"""What a firewall costs end to end: Envoy and the guard beside nginx with ModSecurity.

Run `python bench/waf_edge.py [--seconds S] [--rounds N]`. All stacks stand at once, with TLS, before
the same upstream (nginx, `return 200`, a unix socket), and are loaded in turn (A, B, C, A, B, C,
...), so that what else the machine does hits them alike: trust the ratios, not the digits. Every
request is a new one: arguments, form and JSON are drawn from words and numbers for each, so that
nobody answers from memory alone; only headers and cookie are those of one visitor.

    modsecurity   Debian's nginx with ModSecurity v3 and the OWASP CRS 3.3.4, no audit log
    ours, pack    what `troth up` runs, with our own rules: every fragment, both guards, access log
    ours, CRS     the same with the very rules that ModSecurity has

Requests per core are those that one second of CPU of the stack pays for, as the kernel counted it
for every thread of its processes (/proc/PID/task/*/schedstat); the upstream is not counted. Before
it is loaded each stack must let every kind of request pass and refuse an attack in each. Exits 1
where one does not, never for slowness; says what is missing where something is.
"""

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import edge
from seclang import FIRST, RULES, SETUP

from troth.adapters import chance, clock, config, files, http
from troth.catalogue import Settings
from troth.enforce.envoy import compile_edge
from troth.engines.certificates import authority
from troth.engines.envoy import binary, push
from troth.roles import edge_plan, rules_cache, rules_load
from troth.roles.places import Places

CONNECTIONS = 16
MODULE = Path("/usr/lib/nginx/modules/ngx_http_modsecurity_module.so")
KINDS = (
    "GET",
    "ten arguments",
    "form, 7 fields",
    "form, 19 fields",
    "JSON, 9 values",
    "JSON, 14 objects",
)
PEER, PACK, SAME = "modsecurity", "ours, pack", "ours, CRS"
ATTACK = "1' UNION SELECT login, password FROM users WHERE '1'='1"
WORDS = (
    "court rain move evening please Zürich booking Tuesday player thanks racket indoor friend half "
    "group later member garden lesson coach cancel family invoice Genève perché domani könnten wir "
    "treffen samedi terrain demain merci"
).split()
# Each request anew; `kind` is the first argument after the URL. The seed differs each time.
SCRIPT = """
local words = {{ {words} }}
local kind
local function word() return words[math.random(#words)] end
local function words_of(n)
  local t = {{}}
  for i = 1, n do t[i] = word() .. (i % 5 == 0 and "," or "") end
  return table.concat(t, " ")
end
local function esc(s)
  return (s:gsub("[^%w%-%._~]", function(c) return string.format("%%%02X", c:byte()) end))
end
local function day() return string.format("2026-%02d-%02d", math.random(12), math.random(28)) end
function init(args)
  kind = args[1]
  math.randomseed(tonumber(args[2]))
end
function request()
  local n = math.random(1000000)
  if kind == "GET" then
    return wrk.format("GET", "/courts/" .. n .. "?day=" .. day())
  elseif kind == "ten arguments" then
    return wrk.format("GET", "/search?q=" .. esc(words_of(3)) .. "&city=" .. esc(word()) ..
      "&from=" .. day() .. "&to=" .. day() .. "&page=" .. n % 50 .. "&sort=price&max=" .. n % 900 ..
      "&indoor=true&mail=" .. esc(word():lower() .. n .. "@example.org") .. "&near=46." .. n .. "%2C8." .. n)
  elseif kind:sub(1, 4) == "form" then
    wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
    local more = ""
    if kind == "form, 19 fields" then
      for i = 1, 12 do more = more .. "&answer" .. i .. "=" .. esc(words_of(12)) end
    end
    return wrk.format("POST", "/contact", nil, "name=" .. esc(word() .. " " .. word()) .. "&mail=" ..
      esc(n .. "@example.org") .. "&phone=" .. esc("+41 44 " .. n) .. "&day=" .. day() ..
      "&players=" .. n % 8 .. "&topic=" .. word() .. "&message=" .. esc(words_of(25)) .. more)
  end
  wrk.headers["Content-Type"] = "application/json"
  if kind == "JSON, 14 objects" then
    local rows = {{}}
    for i = 1, 14 do
      rows[i] = string.format('{{"id":%d,"day":"%s","name":"%s %s","mail":"%d@example.org","note":"%s"}}',
        n + i, day(), word(), word(), n + i, words_of(10))
    end
    return wrk.format("POST", "/api/bookings", nil, '{{"batch":[' .. table.concat(rows, ",") .. "]}}")
  end
  return wrk.format("POST", "/api/bookings", nil, string.format(
    '{{"court":%d,"day":"%s","slots":[%d,%d],"player":{{"name":"%s %s","mail":"%d@example.org"}},'
    .. '"note":"%s","paid":false}}', n % 90, day(), n % 40, n % 40 + 1, word(), word(), n, words_of(20)))
end
"""


@dataclass(frozen=True, slots=True)
class Round:
    """One load of one stack: CPU in us a request, by part; requests a second; p50 in ms."""

    edge_us: float
    guard_us: float
    per_s: float
    p50_ms: float

    @property
    def per_core(self) -> float:
        return 1e6 / (self.edge_us + self.guard_us)


def _peer_rules(folder: Path) -> str:
    """ModSecurity's own file: the same foundation and the same rules as ours has, no audit log."""
    first = folder / "first.conf"
    text = FIRST.format(paranoia=1) + "SecResponseBodyAccess Off\nSecAuditEngine Off\n"
    includes = (SETUP, *sorted(RULES.glob("*.conf")))
    first.write_text(text + "".join(f"Include {path}\n" for path in includes), "utf-8")
    return f"modsecurity on; modsecurity_rules_file {first};"


@contextmanager
def ours(folder: Path, app: str, extra: str):
    """A whole edge with both guards: its stack and its authority's file."""
    places, (port, http_port) = Places(folder), edge.free_ports(2)
    places.prepare()
    text = edge.SETTINGS.format(
        host=edge.HOST, troth=edge.TROTH, socket=app, port=port, http_port=http_port
    )
    path = places.data / "troth.toml"
    path.write_text(text + "[guard.rules]\nban_after = 0\n" + extra)
    settings = config.load(path, Settings)
    authority.keep(
        places.tls, (edge.HOST, edge.TROTH), name="Bench", now=clock.now(), rng=chance.system()
    )
    plan = edge_plan.plan(settings, places)
    for host, certificate in plan.certificates.items():
        push.write_certificate(host, certificate)
    began = time.monotonic()
    built = rules_cache.compile_for(settings.guard.rules, places, lambda *_: None)
    workers = edge_plan.workers(settings, os.cpu_count() or 1)
    print(
        f"  {settings.guard.rules.set}: {built.total} databases in {time.monotonic() - began:.0f} s,"
        f" Envoy has {workers} of nginx's {edge.WORKERS} workers"
    )
    with ExitStack() as stack:
        guards = []
        for index in (0, 1):
            argv = [sys.executable, "-m", "troth.roles.guard", "--index", str(index)]
            argv += ["--config", str(path), "--data", str(places.data)]
            up = edge.listens(str(places.socket(f"guard-{index}")))
            log = places.logs / f"guard-{index}.log"
            guards.append(stack.enter_context(edge.running(argv, up, log, limit_s=60)))
        made = compile_edge(plan, edge_plan.fragments(settings))
        pid = stack.enter_context(edge.envoy(places.edge, made, workers))
        yield port, (pid,), tuple(guards), str(places.tls / "ca.pem"), plan.certificates[edge.HOST]


@contextmanager
def stacks(folder: Path):
    """All three: name to stack, and the file of its authority."""
    app, port = str(folder / "app.sock"), edge.free_ports(1)[0]
    pinned = rules_load.digest_of(RULES)
    with ExitStack() as stack:
        upstream = edge.UPSTREAM.format(socket=app, body=edge.BODY)
        stack.enter_context(edge.nginx(folder / "up", upstream, edge.listens(app), 1))
        found, pair, ca = {}, None, ""
        for name, extra in ((PACK, ""), (SAME, f'set = "{RULES}"\nsha256 = "{pinned}"\n')):
            made = stack.enter_context(ours(folder / name[-4:].strip(), app, extra))
            own, edges, guards, authority_file, certificate = made
            found[name] = edge.Stack(name, own, edges, guards), authority_file
            pair, ca = (certificate, authority_file) if pair is None else (pair, ca)
        proxy = edge.PROXY.format(
            socket=app, port=port, host=edge.HOST, chain=pair.chain, key=pair.key
        )
        proxy = proxy.replace("location / {", f"location / {{ {_peer_rules(folder)}", 1)
        main = f"load_module {MODULE};"
        pids = stack.enter_context(
            edge.nginx(folder / "px", proxy, edge.listens(port), edge.WORKERS, main=main)
        )
        yield {PEER: (edge.Stack(PEER, port, pids), ca), **found}


def check(stack: edge.Stack, ca: str) -> None:
    """Every kind passes, and is refused with an attack in it; exits where that is not so."""
    pairs = [tuple(line.split(": ", 1)) for line in edge.BROWSER]
    form = [*pairs, ("Content-Type", "application/x-www-form-urlencoded")]
    own = ("Origin", f"https://{edge.HOST}:{stack.port}")
    json_ = [*pairs, ("Content-Type", "application/json")]
    for text, expected in (("the court is wet", 200), (ATTACK, 403)):
        word = quote(text)
        asked = {
            "GET": ("GET", f"/courts/1?day={word}", pairs, None),
            "ten arguments": ("GET", f"/search?a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9&q={word}", pairs, None),
            "form": ("POST", "/contact", [*form, own], f"name=Anna&message={word}"),
            "JSON": ("POST", "/api/bookings", [*json_, own], f'{{"court":1,"note":"{text}"}}'),
        }  # fmt: skip
        for kind, (method, path, headers, body) in asked.items():
            answer = http.fetch(
                f"https://{edge.HOST}:{stack.port}{path}", method=method, headers=headers,
                body=body.encode() if body else b"", ca_file=ca,
            )  # fmt: skip
            if answer.status != expected:
                sys.exit(f"waf_edge: {stack.name}: {kind}: {answer.status}, not {expected}")


def load(stack: edge.Stack, kind: str, script: Path, seconds: float, seed: int) -> Round:
    """Load it once with one kind. Exits when an answer was none or a refusal."""
    origin = f"Origin: https://{edge.HOST}:{stack.port}"
    headers = [word for line in (*edge.BROWSER, origin) for word in ("-H", line)]
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "--latency", *headers]
    argv += ["-s", str(script), f"https://{edge.HOST}:{stack.port}/", "--", kind, str(seed)]
    groups = (stack.edge, stack.guard)
    before = [edge.cpu_us(pids) for pids in groups]
    said = subprocess.run(
        argv, capture_output=True, text=True, timeout=seconds + 30, check=False
    ).stdout
    after = [edge.cpu_us(pids) for pids in groups]
    done = re.search(r"(\d+) requests in", said)
    if done is None or not int(done[1]) or re.search(r"Non-2xx|Socket errors", said):
        sys.exit(f"waf_edge: {stack.name} gave wrong answers to {kind}:\n{said}")
    p50 = re.search(r"50%\s+([\d.]+)(us|ms|s)\b", said)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])
    spent = [(b - a) / int(done[1]) for a, b in zip(before, after, strict=True)]
    return Round(*spent, rate, float(p50[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[p50[2]])


def table(found: dict[tuple[str, str], list[Round]]) -> None:
    """Per kind and stack: medians, and the ratio of medians to the peer."""
    print(f"  {'CPU us/request, medians':32}{'edge':>7}{'guard':>7}{'total':>7}"
          f"{'per core':>10}{'p50 ms':>8}{'ratio':>8}{'p50':>7}")  # fmt: skip
    for kind in KINDS:
        peer = found[PEER, kind]
        for name in (PEER, PACK, SAME):
            rounds = found[name, kind]
            edge_us, guard_us, per_core, p50 = (
                statistics.median(getattr(one, part) for one in rounds)
                for part in ("edge_us", "guard_us", "per_core", "p50_ms")
            )
            ratio = per_core / statistics.median(one.per_core for one in peer)
            slower = statistics.median(one.p50_ms for one in peer) / p50
            print(f"  {f'{kind}, {name}':32}{edge_us:7.0f}{guard_us:7.0f}{1e6 / per_core:7.0f}"
                  f"{per_core:10.0f}{p50:8.2f}{f'{ratio:.1f} x':>8}{f'{slower:.1f} x':>7}")  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    known = parser.parse_args()
    missing = [name for name in ("wrk", "nginx") if not edge.program(name)]
    missing += [str(path) for path in (MODULE, RULES, SETUP) if not path.exists()]
    if missing:
        print(f"waf_edge: skipped, no {' and no '.join(missing)} here (Debian: apt install "
              "nginx-light wrk libnginx-mod-http-modsecurity modsecurity-crs)")  # fmt: skip
        return 0
    before = os.getloadavg()[0]
    rounds: dict[tuple[str, str], list[Round]] = {}
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as name:
        folder = Path(name)
        script = folder / "requests.lua"
        files.write_atomic(
            script, SCRIPT.format(words=", ".join(f'"{word}"' for word in WORDS)).encode()
        )
        with stacks(folder) as found:
            for stack, ca in found.values():
                check(stack, ca)
            for kind in KINDS:
                for stack, _ in found.values():
                    load(stack, kind, script, 1, 0)  # warm
            for turn in range(1, known.rounds + 1):
                for kind in KINDS:
                    for stack, _ in found.values():
                        got = load(stack, kind, script, known.seconds, turn)
                        rounds.setdefault((stack.name, kind), []).append(got)
    print(
        f"  {platform.system()} {platform.release()}, {os.cpu_count()} CPUs, load {before:.1f} "
        f"before and {os.getloadavg()[0]:.1f} after, Envoy "
        f"{binary.identify(binary.locate()).version}, CRS 3.3.4 at paranoia 1"
    )
    print(
        f"  wrk -t1 -c{CONNECTIONS}, HTTPS kept alive, {known.rounds} rounds of "
        f"{known.seconds:.0f} s in turn; every request is a new one"
    )
    table(rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
