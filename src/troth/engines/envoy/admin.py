"""Envoy's admin door: a unix socket that only its owner and group may open."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from troth.adapters import unix_http
from troth.engines.envoy.errors import EnvoyError

OK = 200


class Admin:
    """Questions and orders to one running Envoy. All raise EnvoyError when it does not answer."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket

    def is_ready(self) -> bool:
        """Whether it serves: configuration loaded, listeners open."""
        try:
            return unix_http.request(self.socket, "/ready").status == OK
        except unix_http.UnixHttpError:
            return False

    def stats(self, pattern: str) -> dict[str, int | str]:
        """Counters, gauges and texts whose name matches a regular expression."""
        found: dict[str, int | str] = {}
        for line in self._get(f"/stats?filter={_quoted(pattern)}").splitlines():
            name, _, value = line.partition(": ")
            found[name] = int(value) if value.isdigit() else value.strip('"')
        return found

    def listeners(self) -> tuple[str, ...]:
        """Addresses it listens on, as `ip:port`."""
        told: dict[str, Any] = json.loads(self._get("/listeners?format=json"))
        places = []
        for status in told.get("listener_statuses", []):
            first = [status["local_address"]] if "local_address" in status else []
            for each in first + status.get("additional_local_addresses", []):
                where = each["socket_address"]
                places.append(f"{where['address']}:{where['port_value']}")
        return tuple(places)

    def rejected(self) -> str:
        """Why the last listener or cluster was refused, as far as Envoy tells; may be empty."""
        dump: dict[str, Any] = json.loads(self._get("/config_dump"))
        kinds = ("dynamic_listeners", "dynamic_active_clusters", "dynamic_warming_clusters")
        for config in dump.get("configs", []):
            for each in (each for kind in kinds for each in config.get(kind, [])):
                if "error_state" in each:
                    return str(each["error_state"].get("details", ""))
        return ""

    def certificates(self) -> dict[str, Any]:
        """What `/certs` tells: the certificates in use, with their serial numbers and expiry."""
        told: dict[str, Any] = json.loads(self._get("/certs"))
        return told

    def drain(self) -> None:
        """Stop taking new connections and let the open ones finish."""
        self._post("/drain_listeners?graceful&skip_exit")

    def reopen_logs(self) -> None:
        """Write out what is buffered and open the access log again (it may have been renamed)."""
        self._post("/reopen_logs")

    def quit(self) -> None:
        """End the process."""
        self._post("/quitquitquit")

    def _get(self, target: str) -> str:
        return self._ask(target, "GET")

    def _post(self, target: str) -> None:
        self._ask(target, "POST")

    def _ask(self, target: str, method: str) -> str:
        try:
            answer = unix_http.request(
                self.socket, target, method=method, timeout=timedelta(seconds=5)
            )
        except unix_http.UnixHttpError as error:
            raise EnvoyError(error.what, where=error.where, mend="is the edge running?") from error
        if answer.status != OK:
            raise EnvoyError(f"refuses {target}: {answer.text[:200]}", where=str(self.socket))
        return answer.text


def _quoted(pattern: str) -> str:
    return "".join(c if c.isalnum() or c in "._-" else f"%{ord(c):02X}" for c in pattern)
