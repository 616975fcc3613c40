"""libmodsecurity, asked: which rules of a rule set match a message."""

from collections.abc import Iterable

import libmodsecurity

from troth.engines.seclang import Message


class Oracle:
    """One rule set in libmodsecurity 3."""

    def __init__(self, rules: Iterable[str]) -> None:
        self._engine = libmodsecurity.ModSecurity()
        self._ids: list[int] = []
        self._engine.set_rule_message_callback(self._told)
        self._rules = libmodsecurity.RulesSet()
        for text in rules:
            if self._rules.load(text) < 0:
                raise ValueError(self._rules.get_parser_error())

    def _told(self, message: libmodsecurity.RuleMessage) -> None:
        self._ids.append(message.rule_id)

    def ids(self, message: Message) -> tuple[int, ...]:
        """Ids of the rules that matched and are logged, in order."""
        self._ids = []
        t = libmodsecurity.Transaction(self._engine, self._rules)
        t.process_connection(message.client, message.port, message.server, message.server_port)
        protocol = message.protocol.decode("latin-1").removeprefix("HTTP/")
        t.process_uri(_text(message.uri), _text(message.method), protocol)
        for name, value in message.headers:
            t.add_request_header(_text(name), _text(value))
        t.process_request_headers()
        if message.body:
            t.append_request_body(message.body)
        t.process_request_body()
        if message.status is not None:
            for name, value in message.response_headers:
                t.add_response_header(_text(name), _text(value))
            t.process_response_headers(message.status, "HTTP/1.1")
            if message.response_body:
                t.append_response_body(message.response_body)
            t.process_response_body()
        t.process_logging()
        return tuple(self._ids)

    def close(self) -> None:
        """Let go of the engine's callback."""
        self._engine.set_rule_message_callback(None)


def _text(value: bytes) -> str:
    return value.decode("utf-8")
