"""Payloads and answers of the real Slack, which lie beside the repository where they do: their keys, and themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

SAMPLES = Path(__file__).parents[2] / "shared" / "slack-samples"
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the samples lie beside the repository, where they do"
)
# What is told apart by its type or by ids that anybody chooses, so that its keys say nothing.
_OPEN = (
    "blocks",
    "elements",
    "values",
    "state",
    "attachments",
    "room",
    "actions",
    "reactions",
    "channels_info",
)
Keys = frozenset[str]


@dataclass(frozen=True)
class Sample:
    """`kind`: events_api, slash_commands or interactive. `full`: every key there may be, with blank values."""

    name: str
    kind: str
    payload: dict[str, Any]
    full: bool = False

    @property
    def about(self) -> str:
        """The event and its subtype, the interaction, or the command."""
        event = self.payload.get("event")
        if isinstance(event, dict):
            return ".".join(filter(None, (event.get("type"), event.get("subtype"))))
        return str(self.payload.get("type") or "command")


def samples() -> Iterator[Sample]:
    """Every payload that Slack would deliver."""
    yield from _events_in_full()
    yield from _interactions_in_full()
    yield from _literals()
    for path in sorted((SAMPLES / "python-slack-sdk" / "socket-envelopes").glob("*.json")):
        envelope = json.loads(path.read_text())
        if "payload" in envelope:
            yield Sample(path.stem, envelope["type"], envelope["payload"])


def _events_in_full() -> Iterator[Sample]:
    for path in sorted((SAMPLES / "java-slack-sdk" / "events").glob("*.json")):
        yield Sample(path.stem, "events_api", json.loads(path.read_text()), full=True)


def _interactions_in_full() -> Iterator[Sample]:
    for path in sorted((SAMPLES / "java-slack-sdk" / "app-backend").rglob("*.json")):
        kind = "slash_commands" if path.parent.name == "slash-commands" else "interactive"
        yield Sample(path.stem, kind, json.loads(path.read_text()), full=True)


def _literals() -> Iterator[Sample]:
    for path in sorted((SAMPLES / "bolt-python").glob("*.json")):
        for name, value in json.loads(path.read_text()).items():
            for index, payload in enumerate(_payloads_in(value)):
                yield Sample(f"{path.stem}-{name}-{index}", _kind(payload), payload)


def _payloads_in(value: Any) -> Iterator[dict[str, Any]]:
    """A literal is a payload, a form that is one or holds one, or a list of such."""
    if isinstance(value, list):
        for each in value:
            yield from _payloads_in(each)
    elif isinstance(value, dict) and "__form_body__" in value:
        form = dict(parse_qsl(value["__form_body__"], keep_blank_values=True))
        yield json.loads(form["payload"]) if "payload" in form else form
    elif isinstance(value, dict):
        yield value


def _kind(payload: dict[str, Any]) -> str:
    if "command" in payload:
        return "slash_commands"
    return "events_api" if "event" in payload or payload.get("type") == "event_callback" else "interactive"


def keys_of(tree: Any, path: str = "") -> Keys:
    """The paths of all keys, dots between them; lists stand for what is in them."""
    if isinstance(tree, list):
        return frozenset().union(*(keys_of(part, path) for part in tree))
    if not isinstance(tree, dict):
        return frozenset()
    found = set[str]()
    for name, value in tree.items():
        here = f"{path}.{name}" if path else name
        found.add(here)
        if name not in _OPEN:
            found |= keys_of(value, here)
    return frozenset(found)


_ONE_OF = {"members": "user", "channels": "channel", "usergroups": "usergroup", "messages": "message"}


def normalised(keys: Iterable[str]) -> Keys:
    """Lists of things read like the thing alone: what users.list says of one is what users.info says."""
    heads = (key.partition(".") for key in keys)
    return frozenset(f"{_ONE_OF.get(head, head)}{dot}{rest}" for head, dot, rest in heads)


def answer_keys() -> Keys:
    """Every key of any method's answers: of the SDK's shapes, and of the documented examples."""
    shapes = [json.loads(path.read_text()) for path in (SAMPLES / "java-slack-sdk" / "api").glob("*.json")]
    documented = (SAMPLES / "slack-api-specs" / "web-api").glob("*.json")
    examples = [json.loads(path.read_text()).get("ok_example") for path in documented]
    return normalised(frozenset().union(*map(keys_of, [*shapes, *examples])))


def documented_methods() -> dict[str, tuple[str, frozenset[str]]]:
    """Method -> its rate tier in words, and the errors that it may answer with."""
    lines = (SAMPLES / "METHODS.tsv").read_text().splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    return {row[0]: (row[1], frozenset(filter(None, row[4].split(",")))) for row in rows}
