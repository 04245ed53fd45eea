"""Every event of the audit log in one plain sentence."""

from datetime import UTC, datetime
from typing import Any

import pytest

from auth.audit import Event
from bot.audit_words import in_words

NAMES = {
    "UADA": "@ada",
    "UBEN": "@ben",
    "C1": "#board",
    "label:3": "finance",
    "label:4": "every full member",
    "source:2": "the user group @staff",
    "collection:9": "Board",
    "document:7": "file:pay.md",
    "document:8": "file:b.md",
}
PERSON = {
    "id": 1,
    "slack_user_id": "UBEN",
    "handle": "ben",
    "name": "Ben",
    "kind": "member",
    "active": True,
    "is_workspace_admin": False,
    "is_workspace_owner": False,
}
GRANT = {
    "person_id": 1,
    "role": "finance",
    "source": "hand",
    "granted_by": "UADA",
    "reason": "",
    "expires_at": None,
}
LENT = {**GRANT, "source": "loan", "reason": "the audit", "expires_at": "2026-03-04T00:00:00+00:00"}
LABEL = {"id": 3, "policy": "finance"}
GROUP = {"id": 2, "kind": "user_group", "reference": "S1", "name": "staff", "lives_s": 3600, "lapsed": False}
FLAG = {**GROUP, "kind": "flag", "reference": "admin"}
MAPPED = {"source_id": 2, "role": "finance", "guests_too": False, "mapped_by": "UADA"}
COLLECTION = {
    "id": 9,
    "name": "Board",
    "label_id": 3,
    "owner_role": None,
    "lent_role": None,
    "lent_for_s": 86400,
}
DOCUMENT = {"id": 7, "label_id": 3, "uri": "file:pay.md", "collection_id": None}


def event(kind: str, details: dict[str, Any] | None, actor: str = "UADA", **more: Any) -> Event:
    values: dict[str, Any] = {"subject": None, "person": None, "document_id": None, "relation": None, **more}
    return Event(
        5,
        datetime(2026, 3, 2, tzinfo=UTC),
        actor,
        kind,
        policy_version=2,
        change_id=5,
        details=details,
        hash="",
        **values,
    )


def changed(relation: str, was: Any, becomes: Any, names: dict[str, str] | None = None) -> str:
    verb = "added" if was is None else "removed" if becomes is None else "changed"
    details = {"was": was, "becomes": becomes}
    said = event(f"{relation}.{verb}", details, relation=relation, person="UBEN")
    return in_words(said, NAMES if names is None else names).removeprefix("@ada ").removesuffix(".")


@pytest.mark.parametrize(
    ("relation", "was", "becomes", "said"),
    [
        ("person", None, PERSON, "came to know @ben, a full member"),
        ("person", None, {**PERSON, "active": False}, "came to know @ben, a full member, no longer active"),
        ("person", PERSON, {**PERSON, "kind": "guest"}, "noted that @ben is now a guest"),
        ("person", PERSON, {**PERSON, "active": False}, "noted that @ben is no longer active"),
        (
            "person",
            PERSON,
            {**PERSON, "handle": "benny", "is_workspace_admin": True},
            "noted that @ben is now a workspace admin and is now called @benny",
        ),
        ("person", PERSON, None, "forgot @ben"),
        ("role", None, {"name": "finance", "description": ""}, "made the role finance"),
        (
            "role",
            {"name": "x", "description": ""},
            {"name": "x", "description": "y"},
            "described anew the role x",
        ),
        ("role", {"name": "finance", "description": ""}, None, "deleted the role finance"),
        ("role_inherits", None, {"role": "a", "inherits": "b"}, "let whoever holds a hold b too"),
        ("role_inherits", {"role": "a", "inherits": "b"}, None, "no longer lets whoever holds a hold b too"),
        ("grant", None, GRANT, "gave @ben the role finance"),
        (
            "grant",
            GRANT,
            LENT,
            "gave @ben the role finance as a loan anew until the end of 3 March 2026, saying: the audit",
        ),
        ("grant", GRANT, None, "took the role finance from @ben"),
        ("access_label", None, LABEL, "made a label for finance (label 3)"),
        (
            "access_label",
            LABEL,
            {**LABEL, "policy": "everyone"},
            "gave what was for finance to every full member (label 3)",
        ),
        ("access_label", LABEL, None, "dropped a label for finance (label 3)"),
        ("role_source", None, GROUP, "let roles come from the user group @staff"),
        ("role_source", None, FLAG, "let roles come from every workspace admin"),
        (
            "role_source",
            GROUP,
            {**GROUP, "lapsed": True},
            "found the user group @staff too old: it grants nothing until it is read",
        ),
        (
            "role_source",
            {**GROUP, "lapsed": True},
            GROUP,
            "found the user group @staff fresh: it grants its roles",
        ),
        ("role_source", GROUP, None, "no longer lets roles come from the user group @staff"),
        ("role_source_member", None, {"source_id": 2}, "noted that @ben joined the user group @staff"),
        ("role_source_member", {"source_id": 2}, None, "noted that @ben left the user group @staff"),
        ("role_source_role", None, MAPPED, "let members of the user group @staff hold finance"),
        (
            "role_source_role",
            MAPPED,
            {**MAPPED, "guests_too": True},
            "let members of the user group @staff hold finance, guests too",
        ),
        ("role_source_role", MAPPED, None, "no longer lets members of the user group @staff hold finance"),
        ("collection", None, COLLECTION, "made the collection Board, for finance (label 3)"),
        (
            "collection",
            COLLECTION,
            {**COLLECTION, "owner_role": "finance", "lent_role": "guest"},
            "changed the collection Board: it now can be asked for: finance lend guest",
        ),
        ("collection", COLLECTION, None, "deleted the collection Board"),
        ("document", None, DOCUMENT, "added document 7 (file:pay.md), for finance (label 3)"),
        (
            "document",
            DOCUMENT,
            {**DOCUMENT, "label_id": 4},
            "gave document 7 (file:pay.md), which was for finance (label 3), to every full member (label 4)",
        ),
        (
            "document",
            DOCUMENT,
            {**DOCUMENT, "collection_id": 9},
            "put document 7 (file:pay.md) into the collection Board",
        ),
        (
            "document",
            {**DOCUMENT, "collection_id": 9},
            DOCUMENT,
            "took document 7 (file:pay.md) out of the collection Board",
        ),
        ("document", DOCUMENT, None, "deleted document 7 (file:pay.md)"),
    ],
)
def test_a_change_is_told_in_words(relation: str, was: Any, becomes: Any, said: str) -> None:
    assert changed(relation, was, becomes) == said


@pytest.mark.parametrize(
    ("kind", "details", "said"),
    [
        (
            "answer.sent",
            {"part": "channel", "asker": "UBEN", "channel": "C1", "documents": [7, 8]},
            "answered @ben in #board, for everybody there, from document 7 (file:pay.md) and document 8 (file:b.md)",
        ),
        (
            "answer.sent",
            {"part": "asker", "asker": "UBEN", "channel": "C1", "documents": [7]},
            "answered @ben alone, from document 7 (file:pay.md)",
        ),
        ("question.refused", {"question": 4}, "found nothing for @ben that they may read (question 4)"),
        (
            "digest.scheduled",
            {"digest": 2, "channel": "C1", "topic": "pay", "every": "weekly"},
            "set up a weekly digest on pay in #board",
        ),
        ("digest.stopped", {"digest": 2, "channel": "C1"}, "stopped digest 2 in #board"),
        (
            "gap.marked",
            {"gap": 4, "mark": "dismissed", "questions": [4, 6]},
            "marked questions 4, 6, which found nothing, as dismissed",
        ),
        (
            "gap.reopened",
            {"gap": 4, "questions": [4]},
            "took back the mark on question 4, which found nothing",
        ),
        (
            "answer.shared",
            {"question": 5, "from": 4, "channel": "C1"},
            "asked question 4 of @ben again, for everybody in #board",
        ),
        ("change.undone", {"change": 12}, "undid change 12"),
        (
            "audit.withdrawn",
            {"before": "2026-03-01T00:00:00+00:00", "events": 2},
            "withdrew the details of 2 events before 1 March 2026",
        ),
        ("something.new", {"x": 1}, "recorded something.new for @ben"),
    ],
)
def test_what_happened_is_told_in_words(kind: str, details: dict[str, Any], said: str) -> None:
    assert in_words(event(kind, details, person="UBEN"), NAMES) == f"@ada {said}."


@pytest.mark.parametrize(
    ("actor", "called"),
    [
        ("ostiary", "Ostiary"),
        ("command line", "Somebody on the command line"),
        ("migration", "An upgrade of Ostiary"),
        ("UNOBODY", "UNOBODY"),
    ],
)
def test_whoever_acted_is_named(actor: str, called: str) -> None:
    assert in_words(event("change.undone", {"change": 1}, actor=actor), NAMES) == f"{called} undid change 1."


def test_of_withdrawn_details_the_kind_and_the_person_are_left() -> None:
    said = in_words(event("answer.sent", None, actor="ostiary", person="UBEN"), NAMES)
    assert said == "Ostiary: answer.sent for @ben; the details were withdrawn, their time being over."


def test_what_has_no_name_is_named_by_its_id() -> None:
    assert (
        changed("document", None, DOCUMENT, {})
        == "UADA added document 7 (file:pay.md), for the readers of label 3"
    )
    assert changed("grant", None, GRANT, {}) == "UADA gave UBEN the role finance"
