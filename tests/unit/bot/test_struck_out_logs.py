"""No secret reaches a log."""

import logging

import pytest

from bot.logging import _Redacting, _strike_out_all, _without_bodies, configure_logging, strike_out


# Put together here, so that no scanner takes them for real ones.
@pytest.mark.parametrize("kind", ["xoxb", "xoxp", "xoxe", "xapp"])
def test_tokens_are_struck_out_wherever_they_stand(kind: str) -> None:
    token = "-".join([kind, "1", "23456", "aBcDeF"])
    assert strike_out(f"token={token}, then") == "token=x***, then"
    assert strike_out(f"({token}) {token}") == "(x***) x***"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_passwords_of_databases_are_struck_out(scheme: str) -> None:
    assert strike_out(f"{scheme}://app:hunter2@db:5432/x") == f"{scheme}://app:***@db:5432/x"


def test_a_row_that_postgresql_shows_with_an_error_is_struck_out() -> None:
    shown = (
        'psycopg.errors.NotNullViolation: null value in column "asker"\nDETAIL:  Failing row contains (7, What does\n'
        "Ada earn?, null).\n[SQL: INSERT INTO bot.question]\nDETAIL:  Key (text)=(Ada) exists."
    )
    assert strike_out(shown) == (
        'psycopg.errors.NotNullViolation: null value in column "asker"\nDETAIL: ***\n'
        "[SQL: INSERT INTO bot.question]\nDETAIL: ***"
    )


def test_other_text_stays_as_it_was() -> None:
    said = "3 documents read in 0.4 s from postgresql://db/x and https://example.com"
    assert strike_out(said) == said


def test_every_value_of_an_event_is_looked_at() -> None:
    token = "-".join(["xoxb", "1", "2"])
    event = {"event": f"sent {token}", "error": token, "count": 3}
    assert _strike_out_all(None, "info", event) == {"event": "sent x***", "error": "x***", "count": 3}


def test_what_libraries_log_is_struck_out_with_its_arguments_and_traceback() -> None:
    token = "-".join(["xoxb", "1", "2"])
    try:
        raise ValueError(token)
    except ValueError as error:
        told = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("slack", logging.ERROR, "f", 1, "used %s", (token,), told)
    shown = _Redacting("%(message)s").format(record)
    assert token not in shown
    assert "used x***" in shown


@pytest.mark.parametrize(
    "library", ["slack_sdk.web.async_client", "slack_bolt.AsyncApp", "langchain_core", "sqlalchemy"]
)
def test_libraries_that_would_log_messages_in_full_are_not_heard_when_all_is_logged(library: str) -> None:
    assert not _without_bodies(_record(library, logging.DEBUG))
    assert _without_bodies(_record(library, logging.WARNING))


def test_our_own_details_are_heard_when_all_is_logged() -> None:
    assert _without_bodies(_record("bot.answering.answerer", logging.DEBUG))


def _record(name: str, level: int) -> logging.LogRecord:
    return logging.LogRecord(name, level, "f", 1, "Request: what does Ada earn?", None, None)


def test_the_log_is_kept_from_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[logging.Handler] = []
    monkeypatch.setattr(logging, "basicConfig", lambda **options: given.extend(options["handlers"]))
    configure_logging("DEBUG")
    (handler,) = given
    assert not handler.filter(_record("slack_sdk", logging.DEBUG))
