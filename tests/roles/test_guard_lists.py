"""Blocklists of a guard: read, fetched, kept, grown stale."""

import asyncio
import http.server
import os
import threading
import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from troth.adapters import clock
from troth.promises.guard.settings.addresses import Blocklist
from troth.roles import guard_lists
from troth.roles.guard_lists import Lists

WITHIN_S = 30


class Play:
    def __init__(self, spool, *said):
        self.events, self.later = [], timedelta(0)
        self.lists = Lists(
            [msgspec.convert(each, Blocklist) for each in said], spool,
            lambda *event: self.events.append(event), lambda: datetime.now(UTC) + self.later,
        )  # fmt: skip

    def until(self, condition):
        async def scene():
            async with asyncio.TaskGroup() as group:
                running = group.create_task(self.lists.run())
                end = time.monotonic() + WITHIN_S
                while not condition():
                    assert time.monotonic() < end
                    await asyncio.sleep(0.01)
                running.cancel()

        asyncio.run(scene())

    @property
    def shown(self):
        return {each["name"]: each for each in self.lists.shown()}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(guard_lists, "LOOK_S", 0.01)
    monkeypatch.setattr(guard_lists, "MAX_PAUSE_S", 0.02)


@pytest.fixture
def site():
    class Handler(http.server.BaseHTTPRequestHandler):
        answer, asked = (200, b"192.0.2.1\n"), []

        def do_GET(self):
            self.asked.append(self.headers.get("X-Api-Key"))
            status, body = type(self).answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Handler.url = f"http://127.0.0.1:{server.server_port}/list?key=s3cret"
    Handler.stop = server.shutdown
    yield Handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_is_read_and_read_again(tmp_path):
    path = tmp_path / "drop.txt"
    path.write_text("192.0.2.0/24\n")
    play = Play(tmp_path, {"name": "drop", "source": f"file:{path}", "refresh_s": 1})

    assert "192.0.2.7" in play.lists.by_name["drop"]  # nobody is served without it
    path.write_text("198.51.100.1\n")
    play.until(lambda: "198.51.100.1" in play.lists.by_name["drop"])
    assert "192.0.2.7" not in play.lists.by_name["drop"]
    assert (play.shown["drop"]["count"], play.shown["drop"]["stale"]) == (1, False)


def test_an_old_file_is_stale_and_still_used(tmp_path):
    path = tmp_path / "drop.txt"
    path.write_text("192.0.2.0/24\n")
    os.utime(path, (1, 1))
    play = Play(tmp_path, {"name": "drop", "source": f"file:{path}"})

    play.until(lambda: "192.0.2.7" in play.lists.by_name["drop"])

    assert play.shown["drop"]["stale"]


def test_what_is_fetched_outlives_its_source(tmp_path, site, monkeypatch):
    monkeypatch.setenv("LIST_KEY", "k3y")
    said = {"name": "feed", "source": site.url, "refresh_s": 1, "key": "env:LIST_KEY"}
    play = Play(tmp_path, said)
    play.until(lambda: "192.0.2.1" in play.lists.by_name["feed"])
    assert site.asked[0] == "k3y"
    assert "s3cret" not in repr(play.events) + repr(play.shown)

    site.answer = (404, b"<html>gone</html>")
    play.until(lambda: play.shown["feed"]["problem"])
    site.answer = (200, b"<html>\n<body>\nmaintenance\n</html>")
    play.until(lambda: "no addresses" in play.shown["feed"]["problem"])
    assert "192.0.2.1" in play.lists.by_name["feed"]
    play.later = timedelta(days=3)
    assert play.shown["feed"]["stale"]
    site.stop()

    again = Play(tmp_path, said)  # a restart without the source
    assert "192.0.2.1" in again.lists.by_name["feed"]
    assert not again.shown["feed"]["stale"]


def test_other_settings_keep_what_is_the_same(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text("192.0.2.1\n")
    one, two = ({"name": n, "source": f"file:{tmp_path}/{n}"} for n in "ab")
    play = Play(tmp_path, one)
    play.until(lambda: "192.0.2.1" in play.lists.by_name["a"])

    play.lists.renew([msgspec.convert(each, Blocklist) for each in (one, two)])
    assert "192.0.2.1" in play.lists.by_name["a"]
    assert "192.0.2.1" in play.lists.by_name["b"]
    play.lists.renew([])
    assert play.lists.by_name == {}


def test_a_file_that_is_not_there_is_told_once(tmp_path):
    play = Play(tmp_path, {"name": "drop", "source": "file:/none"})

    play.until(lambda: play.shown["drop"]["problem"])
    play.until(lambda: True)

    assert [name for name, _ in play.events] == ["list.kept"]
    assert play.shown["drop"]["stale"]


def test_what_another_process_fetched_is_not_fetched_again_while_it_is_fresh(tmp_path, site):
    said = {"name": "feed", "source": site.url, "refresh_s": 3600}
    for _ in range(3):
        play = Play(tmp_path, said)
        play.until(lambda play=play: play.lists._lists["feed"].due > 0)
        assert "192.0.2.1" in play.lists.by_name["feed"]

    assert len(site.asked) == 1


def test_a_list_that_is_not_shown_is_in_use_all_the_same(tmp_path):
    path = tmp_path / "drop.txt"
    path.write_text("192.0.2.0/24\n")
    said = {"name": "drop", "source": f"file:{path}"}
    lists = guard_lists.Lists(
        [msgspec.convert(said, Blocklist)], tmp_path, lambda *_: None, clock.now, is_shown=False
    )
    lists._tell()

    assert "192.0.2.7" in lists.by_name["drop"]
    assert not (tmp_path / guard_lists.SHOWN).exists()
