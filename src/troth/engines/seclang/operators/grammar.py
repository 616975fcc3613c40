"""Operators that ask a grammar of our own whether a value is an attack (`detect`)."""

import importlib
from collections.abc import Mapping

from troth.engines.seclang.model import Found, OperatorFunction

TOPICS = {
    "detectsqli": "sql",
    "detectxss": "html",
    "detectshell": "shell",
    "detectpath": "path",
    "detecttemplate": "template",
    "detectxxe": "xml",
    "detectssrf": "ssrf",
    "detectdeserial": "deserial",
    "detectlookup": "lookup",
    "detectmail": "mail",
    "detectcode": "code",
}


class _Grammar:
    def __init__(self, topic: str) -> None:
        self.topic = topic

    def __call__(self, _argument: str, _data: Mapping[str, bytes]) -> OperatorFunction:
        try:
            module = importlib.import_module(f"troth.engines.seclang.detect.{self.topic}")
        except ModuleNotFoundError as error:
            raise ValueError(f"no grammar of {self.topic}") from error
        ask = module.find

        def find(value: bytes) -> Found | None:
            reason = ask(value)
            return None if reason is None else (reason.encode(),)

        return find


OPERATORS = {name: _Grammar(topic) for name, topic in TOPICS.items()}
