"""A reload is checked first, handed over, and awaited."""

import signal
import threading
from datetime import UTC, datetime, timedelta

import pytest

from troth.adapters import files
from troth.adapters.config import ConfigError
from troth.roles import reload, running
from troth.roles.check import check
from troth.roles.places import Places
from troth.roles.running import RunningError

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TOML = """[troth]
name = "x"
host = "troth.demo.localhost"
[application]
host = "demo.localhost"
upstream = "http://127.0.0.1:1"
[status]
host = "status.demo.localhost"
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "troth.toml"
    path.write_text(TOML)
    return path


@pytest.fixture
def places(tmp_path):
    made = Places(tmp_path / "data")
    made.prepare()
    return made


@pytest.fixture
def supervised(places, config):
    """This process stands for `troth up`; returns what SIGUSR1 does."""
    lock = files.Lock(places.data / running.LOCK)
    running.note(places, config)
    heard = threading.Event()
    before = signal.signal(signal.SIGUSR1, lambda *_: heard.set())
    yield heard
    signal.signal(signal.SIGUSR1, before)
    lock.release()


def tell(places, digest, refused="", *, but=""):
    told = {"edge": places.edge / "state.json"}
    told |= {f"guard-{n}": places.spool / f"guard-{n}.json" for n in (0, 1)}
    for name, path in told.items():
        running.tell(path, config="old" if name == but else digest, now=NOW, refused=refused)


def test_it_waits_until_all_run_it(places, config, supervised):
    digest = check(config).digest
    tell(places, digest, but="guard-1")
    last = threading.Timer(0.3, tell, (places, digest))
    last.start()

    done = reload.reload(config, places)

    last.join()
    assert supervised.is_set()
    assert done.late == {}
    assert 0 < done.took_s < 10


def test_who_does_not_is_named_with_the_reason(places, config, supervised):
    tell(places, check(config).digest, "line 3: no", but="edge")

    done = reload.reload(config, places, within=timedelta(seconds=0.3))

    assert done.late == {"edge": "line 3: no"}
    (places.spool / "guard-0.json").write_text("nonsense")
    done = reload.reload(config, places, within=timedelta(seconds=0.3))
    assert done.late["guard-0"] == "says nothing of what it runs"


def test_a_wrong_one_reaches_nobody(places, config, supervised):
    config.write_text(TOML + "colour = 1\n")

    with pytest.raises(ConfigError, match="colour"):
        reload.reload(config, places)
    assert not supervised.is_set()


def test_another_file_than_what_runs_reads(places, config, supervised, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(TOML)

    with pytest.raises(RunningError, match="reads another file"):
        reload.reload(other, places)
    assert not supervised.is_set()


def test_nothing_runs(places, config):
    with pytest.raises(RunningError, match="nothing runs here"):
        reload.reload(config, places)
    files.Lock(places.data / running.LOCK).release()
    with pytest.raises(RunningError, match="nothing runs here"):
        running.find(places)
