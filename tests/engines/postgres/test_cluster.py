"""Real clusters: created, killed, recovered, refused."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import psycopg.errors
import pytest

from troth.adapters import chance, process
from troth.adapters.process import Child, Identity
from troth.engines.postgres.binaries import Binaries, PostgresError
from troth.engines.postgres.cluster import SUPERUSER, Cluster

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
SOON = timedelta(seconds=10)


@pytest.fixture(scope="module")
def made(cluster: Cluster, open_place: Path) -> Cluster:
    """A stopped cluster of this module's own, to be copied."""
    mine = place(cluster, open_place / "template")
    mine.create()
    return mine


def place(like: Cluster, home: Path) -> Cluster:
    home.mkdir(mode=0o755)
    return replace(like, directory=home / "data", socket_directory=home / "run", name=home.name)


@pytest.fixture
def stopped(made: Cluster, open_place: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster that nobody has started yet."""
    home = open_place / f"t{abs(hash(request.node.nodeid)) % 10**8}"
    copy = place(made, home)
    subprocess.run(["cp", "-a", made.directory, copy.directory], check=True)
    yield copy
    shutil.rmtree(home)


@contextlib.contextmanager
def running(cluster: Cluster) -> Iterator[tuple[Child, int]]:
    log = os.open(cluster.directory.parent / "log", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        child = cluster.start(log, SOON)
        try:
            cluster.wait_ready(child, log, SOON)
            yield child, log
        finally:
            cluster.stop(child, SOON)
    finally:
        os.close(log)


def ask(cluster: Cluster, sql: str, role: str = SUPERUSER) -> object:
    with psycopg.connect(cluster.url("postgres", role), autocommit=True) as connection:
        answer = connection.execute(sql)  # type: ignore[call-overload]
        return answer.fetchone() if answer.description else None


def test_it_is_created_once_and_an_interrupted_attempt_is_begun_again(
    cluster: Cluster, open_place: Path
):
    new = place(cluster, open_place / "created")
    leftover = new.directory.with_name(".data.creating")
    leftover.mkdir()
    (leftover / "half").write_text("made")

    assert new.create() is True
    assert new.create() is False
    assert not leftover.exists()
    assert new.directory.stat().st_mode & 0o777 == 0o700


def test_it_says_what_it_is(stopped: Cluster):
    with running(stopped):
        shown = [
            ask(stopped, f"show {name}")
            for name in ("data_checksums", "fsync", "listen_addresses", "server_encoding")
        ]

    assert shown == [("on",), ("on",), ("",), ("UTF8",)]
    assert stopped.socket_directory.stat().st_mode & 0o777 == 0o750


def test_two_clusters_run_beside_each_other(stopped: Cluster, cluster: Cluster):
    with running(stopped):
        ask(stopped, "create table only_here (id int)")
        with pytest.raises(psycopg.errors.UndefinedTable):
            ask(cluster, "select * from only_here")


@ROOT
def test_root_gives_the_server_to_somebody_else(stopped: Cluster):
    with running(stopped) as (child, _):
        owner = Path(f"/proc/{child.pid}").stat().st_uid

    assert stopped.identity is not None
    assert owner == stopped.identity.uid != 0


@ROOT
def test_root_must_name_somebody_else(stopped: Cluster):
    with pytest.raises(PostgresError, match="does not run as root"):
        replace(stopped, identity=None).create()


@ROOT
def test_only_members_get_in_and_only_as_their_roles(stopped: Cluster):
    named = replace(stopped, members={"root": (SUPERUSER, "guard")})
    with running(named):
        ask(named, "create role guard login")
        ask(named, "create role console login")

        assert ask(named, "select current_user", "guard") == ("guard",)
        with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
            ask(named, "select 1", "console")
        named.socket_directory.chmod(0o755)  # let a stranger as far as PostgreSQL's own door
        (named.socket_directory / ".s.PGSQL.5432").chmod(0o666)
        stranger = process.run(
            [named.binaries.directory / "psql", named.url("postgres", "guard"), "-c", "select 1"],
            timeout=SOON,
            identity=Identity(65534, 65534),
            ok=(2,),
        )
        assert b"Peer authentication failed" in stranger.err


@ROOT
def test_a_file_planted_by_the_servers_user_is_not_followed(stopped: Cluster, tmp_path: Path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (stopped.directory / "postgresql.new").symlink_to(victim)

    with running(stopped):
        pass

    assert victim.read_text() == "precious"
    assert victim.stat().st_uid == 0


def test_committed_rows_survive_the_death_of_all_processes(stopped: Cluster):
    with running(stopped) as (child, log):
        ask(stopped, "create table kept (id int)")
        with psycopg.connect(stopped.url("postgres", SUPERUSER)) as open_one:
            open_one.execute("insert into kept values (1)")
            open_one.commit()
            open_one.execute("insert into kept values (2)")
            children = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
            child.send(signal.SIGKILL)
            for pid in children:
                os.kill(int(pid), signal.SIGKILL)
            assert child.wait(SOON) == -signal.SIGKILL
            with contextlib.suppress(psycopg.OperationalError):
                open_one.rollback()
        assert (stopped.directory / "postmaster.pid").exists()
        again = stopped.start(log, SOON)
        stopped.wait_ready(again, log, SOON)

        assert ask(stopped, "select array_agg(id) from kept") == ([1],)
        stopped.stop(again)


def test_no_acknowledged_commit_is_lost_however_often_it_is_killed(stopped: Cluster):
    rng = chance.seeded(7)
    acknowledged = 0
    with running(stopped) as (child, log):
        ask(stopped, "create table counted (n int primary key)")
        for _ in range(5):
            url = stopped.url("postgres", SUPERUSER)
            with (
                contextlib.suppress(psycopg.OperationalError),
                psycopg.connect(url, autocommit=True) as client,
            ):
                for _ in range(rng.randrange(20, 200)):
                    client.execute("insert into counted values (%s)", (acknowledged + 1,))
                    acknowledged += 1
                child.send(signal.SIGKILL)
                client.execute("insert into counted values (%s)", (acknowledged + 1,))
                acknowledged += 1  # the backend outlived its postmaster for one more
            child.wait(SOON)
            child = stopped.start(log, SOON)  # noqa: PLW2901 -- the next life of the same server
            stopped.wait_ready(child, log, SOON)
            found = ask(stopped, "select count(*), coalesce(max(n), 0) from counted")

            # One in flight may have been committed and not acknowledged; none is missing.
            assert found in [(acknowledged,) * 2, (acknowledged + 1,) * 2]
            assert isinstance(found, tuple)
            acknowledged = found[0]
        stopped.stop(child)


def test_a_start_waits_for_the_last_process_of_a_killed_server(stopped: Cluster):
    with running(stopped) as (child, log):
        with psycopg.connect(stopped.url("postgres", SUPERUSER)) as busy:
            child.send(signal.SIGKILL)
            child.wait(SOON)
            again = stopped.start(log, SOON)  # backends of the former one may still be leaving
            stopped.wait_ready(again, log, SOON)
            with contextlib.suppress(psycopg.OperationalError):
                busy.rollback()

        assert ask(stopped, "select 1") == (1,)
        stopped.stop(again)


def test_a_second_server_is_refused(stopped: Cluster):
    with running(stopped), pytest.raises(PostgresError, match="in use by another server"):
        stopped.prepare(timedelta(milliseconds=50))


def test_a_server_started_by_hand_is_seen(stopped: Cluster):
    with running(stopped) as (child, _):
        (stopped.directory.parent / "data.lock").unlink()  # as if it had been started without us

        with pytest.raises(PostgresError, match=f"in use by process {child.pid}"):
            stopped.prepare(SOON)


def test_a_dead_servers_number_that_is_somebody_elses_by_now_is_no_hindrance(stopped: Cluster):
    stale = [str(os.getpid()), str(stopped.directory), "1700000000", "5432", "", "", "0 0", "ready"]
    (stopped.directory / "postmaster.pid").write_text("\n".join(stale) + "\n")
    stopped.socket_directory.mkdir()
    (stopped.socket_directory / ".s.PGSQL.5432.lock").write_text("\n".join(stale) + "\n")

    with running(stopped):
        assert ask(stopped, "select 1") == (1,)


def test_another_version_is_refused_naming_both(stopped: Cluster):
    newer = replace(stopped, binaries=Binaries(stopped.binaries.directory, 19))

    with pytest.raises(PostgresError, match="made by PostgreSQL 18, but the programs are 19"):
        newer.prepare()


def test_another_owner_is_refused_naming_both(stopped: Cluster):
    uid = stopped.directory.stat().st_uid
    other = replace(stopped, identity=Identity(64999, 64999))

    with pytest.raises(PostgresError, match=f"belongs to user {uid}, .* as user 64999"):
        other.prepare()


def test_a_place_without_a_cluster_is_refused(cluster: Cluster, open_place: Path):
    nothing = place(cluster, open_place / "nothing")
    with pytest.raises(PostgresError, match="no cluster here"):
        nothing.start(2)

    nothing.directory.mkdir()
    (nothing.directory / "letter").write_text("from home")
    with pytest.raises(PostgresError, match="not empty"):
        nothing.create()


def test_a_long_path_is_refused_before_anything_is_made(cluster: Cluster, open_place: Path):
    long = replace(cluster, socket_directory=open_place / ("x" * 100), directory=open_place / "y")

    with pytest.raises(PostgresError, match="107 bytes"):
        long.create()
    assert not long.directory.exists()


def test_a_comma_in_the_path_is_refused(cluster: Cluster, open_place: Path):
    with pytest.raises(PostgresError, match="comma"):
        replace(cluster, socket_directory=open_place / "a,b").create()


def test_a_closed_place_is_refused_naming_the_step(cluster: Cluster, open_place: Path):
    closed = open_place / "closed-parent"
    closed.mkdir(mode=0o700)
    hidden = replace(
        cluster, directory=closed / "data", identity=cluster.identity or Identity(64999, 64999)
    )

    with pytest.raises(PostgresError, match="closed to the user") as caught:
        hidden.create()
    assert caught.value.where == str(closed)


def test_a_bad_setting_ends_the_start_with_the_servers_own_words(stopped: Cluster):
    (stopped.directory / "operator.conf").write_text("shared_buffers = 'a lot'\n")
    (stopped.directory / "operator.conf").chmod(0o644)

    said = pytest.raises(PostgresError, match=r"the server ended: .*(FATAL|errors)")
    with said, running(stopped):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_what_initdb_says_is_passed_on_and_nothing_is_left(cluster: Cluster, open_place: Path):
    programs = open_place / "full-bin"
    programs.mkdir(mode=0o755)
    (programs / "initdb").write_text("#!/bin/sh\ncat /dev/zero > /dev/full\n")
    (programs / "initdb").chmod(0o755)
    full = replace(place(cluster, open_place / "full"), binaries=Binaries(programs, 18))

    with pytest.raises(PostgresError, match="No space left on device") as caught:
        full.create()

    assert caught.value.mend == "free some space there"
    assert not list(full.directory.parent.iterdir())


def test_a_killed_supervisor_leaves_a_clean_shutdown(stopped: Cluster):
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from troth.adapters.process import Identity;"
        "from troth.engines.postgres.binaries import Binaries;"
        "from troth.engines.postgres.cluster import Cluster;"
        f"c = Cluster(directory=Path({str(stopped.directory)!r}),"
        f"binaries=Binaries(Path({str(stopped.binaries.directory)!r}), 18),"
        f"socket_directory=Path({str(stopped.socket_directory)!r}), name='x',"
        f"identity={stopped.identity!r});"
        "child = c.start(2); c.wait_ready(child, 2); print('ready', flush=True); signal.pause()"
    )
    log = stopped.directory.parent / "supervised.log"
    with (
        log.open("wb") as err,
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=err
        ) as supervisor,
    ):
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == b"ready\n"
        supervisor.kill()
    os.close(stopped.prepare(SOON))  # returns when the last process is gone

    assert "database system is shut down" in log.read_text()
