"""No way around the door: the code itself is read for anything that could reach documents without a clearance.

Connections are opened in `auth/database.py`, which asks who is reading. Whatever else opens one, or speaks of the
role that reads, stands in EXCEPTIONS with what it is allowed and why; a clearance is made in `auth` alone.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("auth", "retrieval", "finetune", "bot", "migrations")
THE_DOOR = "auth/database.py"

DRIVERS = {"psycopg", "psycopg2", "psycopg_pool", "asyncpg", "pg8000", "aiopg"}
ENGINES = {
    "create_engine",
    "create_async_engine",
    "engine_from_config",
    "async_engine_from_config",
    "create_pool",
}
QUEUES = {"PsycopgConnector", "SyncPsycopgConnector", "AiopgConnector", "Psycopg2Connector"}
ROLES = {"ostiary_owner", "ostiary_app", "ostiary_reader", "ostiary_search"}
SETTINGS = {"ostiary.label_ids", "ostiary.workspace_id"}
"""What row-level security compares rows with: whoever sets it says who is reading."""
THE_DOORS_OWN = {
    "_reader",
    "_app",
    "_snapshots",
    "_unchecked",
    "_apart",
    "_engine",
    "_BIND_READER",
    "_BIND_WORKSPACE",
    "_BIND_DECIDER",
}

DRIVER, ENGINE, QUEUE, ROLE, SETTING = (
    "a driver",
    "an engine",
    "a queue's pool",
    "a database role",
    "a setting",
)
PRIVATE, UNSAID, FORGED = "what is the door's own", "a reading of nobody", "a clearance made by hand"

EXCEPTIONS = {
    "auth/server/client.py": {DRIVER},  # founds the embedded server's database, before there is a table in it
    "auth/clearance.py": {FORGED},  # where clearances are made: from roles and labels
    "auth/copying.py": {
        DRIVER
    },  # copies into temporary tables alone, inside the transaction that it is given
    "auth/retention.py": {ENGINE, ROLE},  # as the owner, empties details whose time is over
    "auth/rights.py": {FORGED},  # the empty one, of somebody who may read nothing
    "bot/queue.py": {
        QUEUE,
        ROLE,
        PRIVATE,
        SETTING,
    },  # Procrastinate's own pool, as the app role, which notes in a workspace how far its jobs are; `_app` is its
    "bot/opening.py": {ROLE},  # hands the embedded server's logins to the door
    "bot/settings.py": {ROLE},  # the help of two settings says whose login they are
    "migrations/upgrade.py": {ENGINE, ROLE},  # as the administrator who makes roles and tables
    "migrations/vector_index.py": {ROLE},  # the owner's index
    "migrations/walls.py": {ROLE, SETTING},  # row-level security itself
    "migrations/versions/": {ROLE, SETTING},  # what each role may do, step by step
}


def ways_around(source: str) -> set[tuple[int, str]]:
    """Lines of a module that could lead past the door, and what stands there."""
    tree = ast.parse(source)
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call) and _says_who(node)}
    told = set(_docstrings(tree))
    return {
        (getattr(node, "lineno", 0), what)
        for node in ast.walk(tree)
        if node not in told
        for what in _found(node, called)
    }


def _found(node: ast.AST, called: set[ast.expr]) -> Iterator[str]:
    match node:
        case ast.Import():
            yield from (DRIVER for alias in node.names if alias.name.partition(".")[0] in DRIVERS)
        case ast.ImportFrom():
            if (node.module or "").partition(".")[0] in DRIVERS:
                yield DRIVER
            for alias in node.names:
                yield from _named(alias.name)
                if alias.name in THE_DOORS_OWN and node.module == "auth.database":
                    yield PRIVATE
        case ast.Attribute(attr=name) | ast.Name(id=name):
            yield from _named(name)
            if isinstance(node, ast.Attribute) and name in THE_DOORS_OWN:
                yield PRIVATE
            if name == "reading_as" and node not in called:
                yield UNSAID
        case ast.Call(func=ast.Name(id="Clearance") | ast.Attribute(attr="Clearance")):
            yield FORGED
        case ast.Constant(value=str() as words):
            yield from _spoken_of(words)


def _named(name: str) -> Iterator[str]:
    if name in DRIVERS:
        yield DRIVER
    if name in ENGINES:
        yield ENGINE
    if name in QUEUES:
        yield QUEUE
    if name in {"READER", "OWNER", "connection_options"}:
        yield ROLE


def _spoken_of(words: str) -> Iterator[str]:
    if words.partition(".")[0] in DRIVERS or words in ENGINES | QUEUES | {
        "sqlalchemy",
        "sqlalchemy.ext.asyncio",
    }:
        yield DRIVER  # as in importlib.import_module, or getattr
    if any(role in words for role in ROLES):
        yield ROLE
    if any(setting in words for setting in SETTINGS):
        yield SETTING
    if words in THE_DOORS_OWN:
        yield PRIVATE
    if words == "reading_as":
        yield UNSAID


def _says_who(call: ast.Call) -> bool:
    """One argument, and not one that stands for nobody."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return len(given) == 1 and not isinstance(given[0], ast.Constant | ast.Starred) and not _unpacks(call)


def _unpacks(call: ast.Call) -> bool:
    return any(keyword.arg is None for keyword in call.keywords)


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def allowed(name: str) -> set[str]:
    """By its own name or its folder's."""
    return EXCEPTIONS.get(name, set()) | EXCEPTIONS.get(name.rpartition("/")[0] + "/", set())


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path


def test_no_code_reaches_the_documents_by_another_way() -> None:
    strangers = [
        f"{name}:{line}: {what}"
        for name, path in modules()
        if name != THE_DOOR
        for line, what in sorted(ways_around(path.read_text(encoding="utf-8")))
        if what not in allowed(name)
    ]
    assert strangers == []


def test_no_exception_stands_longer_than_it_is_needed() -> None:
    found = [
        (name, what) for name, path in modules() for _, what in ways_around(path.read_text(encoding="utf-8"))
    ]
    for exception, whats in EXCEPTIONS.items():
        assert whats <= {what for name, what in found if name.startswith(exception)}, exception


def test_the_door_itself_is_seen_by_what_looks_for_ways_around() -> None:
    found = {what for _, what in ways_around((ROOT / THE_DOOR).read_text(encoding="utf-8"))}
    assert found == {DRIVER, ENGINE, ROLE, SETTING, PRIVATE}


@pytest.mark.parametrize(
    ("planted", "what"),
    [
        ("import psycopg", DRIVER),
        ("import psycopg.rows as rows", DRIVER),
        ("from psycopg_pool import AsyncConnectionPool", DRIVER),
        ("def f():\n    import asyncpg", DRIVER),
        ("importlib.import_module('psycopg')", DRIVER),
        ("__import__('sqlalchemy.ext.asyncio')", DRIVER),
        ("from sqlalchemy import create_engine as make", ENGINE),
        ("import sqlalchemy as sa\nsa.create_engine(url)", ENGINE),
        ("from sqlalchemy.ext.asyncio import create_async_engine", ENGINE),
        ("getattr(module, 'create_async_engine')(url)", DRIVER),
        ("procrastinate.PsycopgConnector(conninfo=url)", QUEUE),
        ("from auth.database import READER", ROLE),
        ("connect(options=connection_options(role))", ROLE),
        ("text('SET ROLE ostiary_reader')", ROLE),
        ("f'-c role=ostiary_reader {more}'", ROLE),
        ("text(\"SELECT set_config('ostiary.label_ids', :all, true)\")", SETTING),
        ("database._reader.connect()", PRIVATE),
        ("getattr(database, '_reader')", PRIVATE),
        ("from auth.database import _engine", PRIVATE),
        ("with database.reading_as():\n    pass", UNSAID),
        ("database.reading_as(None)", UNSAID),
        ("database.reading_as(*who)", UNSAID),
        ("database.reading_as(**who)", UNSAID),
        ("read = database.reading_as", UNSAID),
        ("functools.partial(database.reading_as, clearance)", UNSAID),
        ("getattr(database, 'reading_as')(everything)", UNSAID),
        ("Clearance(workspace_id, every_label, 1)", FORGED),
        ("auth.clearance.Clearance(1, labels, 1)", FORGED),
    ],
)
def test_a_way_around_would_be_found(planted: str, what: str) -> None:
    assert what in {found for _, found in ways_around(planted)}


@pytest.mark.parametrize(
    "innocent",
    [
        '"""Reads as ostiary_reader, by psycopg."""',
        "with database.reading_as(clearance) as connection:\n    pass",
        "database.reading_as(clearance=rights.clearance)",
        "from sqlalchemy import text",
        "def f(clearance: Clearance) -> Clearance:\n    return clearance",
    ],
)
def test_what_stays_before_the_door_is_left_alone(innocent: str) -> None:
    assert ways_around(innocent) == set()
