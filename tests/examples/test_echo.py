"""The echo upstream tells the truth about what it received."""

import hashlib
import json
import time

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import unix_connect


def test_websocket_messages_come_back(echo):
    with unix_connect(str(echo.path), "ws://example/ws") as socket:
        for message in ("grüezi", b"\x00\xff", "x" * 200_000, ""):
            socket.send(message)
            assert socket.recv(10) == message
        socket.send(["in ", "two ", "parts"])
        assert socket.recv(10) == "in two parts"
        assert socket.ping().wait(10)


def test_only_one_path_speaks_websocket(echo):
    with pytest.raises(InvalidStatus, match="200"):
        unix_connect(str(echo.path), "ws://example/other")
    assert echo.ask("GET", "/ws")[0] == 426  # and there it wants nothing else


def test_events_arrive_one_by_one(echo):
    answer, connection = echo.open("GET", "/sse?events=3&pause=0.3")
    assert answer.headers["Content-Type"] == "text/event-stream"
    seen = [(time.monotonic(), line) for line in answer if line.startswith(b"data: ")]
    connection.close()
    assert [line for _, line in seen] == [b"data: event %d\n" % number for number in range(3)]
    assert seen[2][0] - seen[0][0] > 0.5


@pytest.mark.parametrize("chunked", [False, True])
def test_it_tells_what_came(echo, chunked):
    body = b"body" * 50_000
    sent = iter([body[:7], body[7:]]) if chunked else body
    status, headers, content = echo.ask("PUT", "/a?b=c", sent, {"X-Two": "1"})
    told = json.loads(content)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert (told["method"], told["path"]) == ("PUT", "/a?b=c")
    assert ["X-Two", "1"] in told["headers"]
    assert told["body"] == {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def test_its_answer_can_be_shaped(echo):
    target = "/x?status=503&text=no&header=Set-Cookie:%20a=1&header=Set-Cookie:%20b=2"
    status, headers, content = echo.ask("GET", target)
    assert (status, content) == (503, b"no")
    assert headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert echo.ask("HEAD", "/x?text=no")[2] == b""
    assert echo.ask("GET", "/x?status=204")[0] == 204
    split = echo.ask("GET", "/x?header=X-A:%201%0d%0aX-B:%202")[1]
    assert "X-B" not in split
