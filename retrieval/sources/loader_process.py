"""Runs one LangChain loader in a process of its own and writes what it loads as lines of JSON.

    python -m retrieval.sources.loader_process < {"loader": "package.Class", "arguments": {...}}

Started by `retrieval.sources.loaders`, which limits how long it takes and how much it writes. Whatever a loader
prints itself goes to stderr. The last line is {"end": true}, or {"error": sentence}.
"""

import importlib
import json
import os
import sys
from collections.abc import Iterator
from typing import IO, Any

from langchain_core.document_loaders import BaseLoader

FROM_ENVIRONMENT = "env:"
_COMMUNITY = "langchain_community"


class Unloadable(Exception):
    """The loader cannot be used; the message says why."""


def main() -> None:
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        asked = json.load(sys.stdin)
        secrets: list[str] = []
        try:
            for line in _loaded(asked["loader"], _with_secrets(asked["arguments"], secrets)):
                _say(answers, line)
        except Unloadable as error:
            _say(answers, {"error": str(error)})
        except Exception as error:
            _say(answers, {"error": f"{type(error).__name__}: {_without(secrets, str(error))}"})
        else:
            _say(answers, {"end": True})


def _say(answers: IO[str], line: dict[str, Any]) -> None:
    answers.write(json.dumps(line, default=str) + "\n")
    answers.flush()


def _with_secrets(given: Any, secrets: list[str]) -> Any:
    """The arguments with each "env:NAME" replaced by what that variable holds."""
    if isinstance(given, dict):
        return {name: _with_secrets(value, secrets) for name, value in given.items()}
    if isinstance(given, list):
        return [_with_secrets(value, secrets) for value in given]
    if not isinstance(given, str) or not given.startswith(FROM_ENVIRONMENT):
        return given
    name = given.removeprefix(FROM_ENVIRONMENT)
    if name not in os.environ:
        raise Unloadable(f"the environment variable {name} is not set where sources are read")
    secrets.append(os.environ[name])
    return os.environ[name]


def _without(secrets: list[str], said: str) -> str:
    for secret in secrets:
        said = said.replace(secret, "***") if secret else said
    return said


def _loaded(name: str, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for document in loader_called(name)(**arguments).lazy_load():
        yield {"text": document.page_content, "metadata": document.metadata}


def loader_called(name: str) -> type[BaseLoader]:
    """The class of this dotted name. Raises Unloadable, saying what to install."""
    module, _, called = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), called)
    except ModuleNotFoundError as error:
        missing = (error.name or module).partition(".")[0]
        what = "ostiary[connectors]" if missing == _COMMUNITY else missing
        raise Unloadable(f"it needs a package that is not there: pip install '{what}'") from error
    except (ImportError, AttributeError, ValueError) as error:
        raise Unloadable(f"there is no such loader ({error})") from error
    if not isinstance(found, type) or not issubclass(found, BaseLoader):
        raise Unloadable("it is no loader: a loader is a subclass of langchain_core's BaseLoader")
    return found


if __name__ == "__main__":
    main()
