"""What the audit log says, one plain sentence an event. Pure: names come from whoever calls.

A sentence holds what people wrote (reasons, addresses, names of groups): where it is shown, it is text, no markup.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from auth.audit import ANSWER_SENT, ANSWER_UNSENT, WITHDRAWN, Event
from auth.database import ITSELF
from auth.labels import parse_policy
from auth.people import PersonKind
from auth.sources import SourceKind, source_in_words
from auth.undo import UNDONE
from bot.administering.administration import COMMAND_LINE
from bot.administering.wording import counted, end_in_words, listed, policy_in_words

Names = Mapping[str, str]
"""Id of a Slack user or channel -> how it is called; `label:3`, `document:7`, `source:2`, `person:4` likewise.

What is not in it is named by its id.
"""
Row = Mapping[str, Any]

_ACTORS = {
    ITSELF: "Ostiary",
    COMMAND_LINE: "Somebody on the command line",
    "migration": "An upgrade of Ostiary",
    "expiry": "The clock",
}
_KINDS = {
    PersonKind.MEMBER: "a full member",
    PersonKind.GUEST: "a guest",
    PersonKind.SINGLE_CHANNEL_GUEST: "a guest of a single channel",
    PersonKind.OUTSIDER: "somebody of another organisation",
    PersonKind.BOT: "a bot",
}
_WAYS = {"hand": "", "file": " by the directory file", "loan": " as a loan"}
DOCUMENTS_NAMED = 5


def in_words(event: Event, names: Names) -> str:
    """`@ada gave @ben the role finance until the end of 3 March 2026.`"""
    actor = _ACTORS.get(event.actor) or names.get(event.actor, event.actor)
    if event.details is None:
        return (
            f"{actor}: {event.kind}{_whom(event, names)}; the details were withdrawn, their time being over."
        )
    return f"{actor} {_done(event, event.details, names)}."


def _done(event: Event, details: Row, names: Names) -> str:
    if event.relation in _CHANGES:
        was, becomes = details.get("was"), details.get("becomes")
        return _CHANGES[event.relation](event, was, becomes, names)
    if event.kind in _HAPPENINGS:
        return _HAPPENINGS[event.kind](event, details, names)
    return f"recorded {event.kind}{_whom(event, names)}"


def _whom(event: Event, names: Names) -> str:
    person = f" for {_person(event.person, names)}" if event.person else ""
    document = f" of {_document(event.document_id, names)}" if event.document_id is not None else ""
    return person + document


def _person(slack_user_id: str | None, names: Names) -> str:
    return names.get(slack_user_id, slack_user_id) if slack_user_id else "somebody"


def _document(document_id: int | None, names: Names, uri: str | None = None) -> str:
    address = uri or names.get(f"document:{document_id}")
    return f"document {document_id} ({address})" if address else f"document {document_id}"


def _readers(label_id: int, names: Names) -> str:
    policy = names.get(f"label:{label_id}")
    return f"{policy} (label {label_id})" if policy else f"the readers of label {label_id}"


def _policy(row: Row) -> str:
    return policy_in_words(parse_policy(row["policy"]))


def _of_person(event: Event, was: Row | None, becomes: Row | None, names: Names) -> str:
    somebody = _person(event.person, names)
    if becomes is None:
        return f"forgot {somebody}"
    if was is None:
        gone = "" if becomes["active"] else ", no longer active"
        return f"came to know {somebody}, {_KINDS[PersonKind(becomes['kind'])]}{gone}"
    said = {
        "kind": f"is now {_KINDS[PersonKind(becomes['kind'])]}",
        "active": "is active again" if becomes["active"] else "is no longer active",
        "is_workspace_admin": f"is {'now' if becomes['is_workspace_admin'] else 'no longer'} a workspace admin",
        "is_workspace_owner": f"is {'now' if becomes['is_workspace_owner'] else 'no longer'} a workspace owner",
        "handle": f"is now called @{becomes['handle']}",
        "name": f"now bears the name {becomes['name']}",
    }
    return (
        f"noted that {somebody} {listed([said[name] for name in said if was.get(name) != becomes.get(name)])}"
    )


def _of_role(_event: Event, was: Row | None, becomes: Row | None, _names: Names) -> str:
    verb = "described anew" if was and becomes else "made" if becomes else "deleted"
    return f"{verb} the role {(becomes or was or {})['name']}"


def _of_inheritance(_event: Event, was: Row | None, becomes: Row | None, _names: Names) -> str:
    row = becomes or was or {}
    return f"{'let' if becomes else 'no longer lets'} whoever holds {row['role']} hold {row['inherits']} too"


def _of_grant(event: Event, was: Row | None, becomes: Row | None, names: Names) -> str:
    somebody = _person(event.person, names)
    if becomes is None:
        return f"took the role {(was or {})['role']} from {somebody}"
    until = becomes["expires_at"]
    end = f" until {end_in_words(datetime.fromisoformat(until))}" if until else ""
    reason = f", saying: {becomes['reason']}" if becomes["reason"] else ""
    way = _WAYS.get(becomes["source"], f" by {becomes['source']}")
    return f"gave {somebody} the role {becomes['role']}{way}{' anew' if was else ''}{end}{reason}"


def _of_label(_event: Event, was: Row | None, becomes: Row | None, _names: Names) -> str:
    if was and becomes:
        return f"gave what was for {_policy(was)} to {_policy(becomes)} (label {becomes['id']})"
    row = becomes or was or {}
    return f"{'made' if becomes else 'dropped'} a label for {_policy(row)} (label {row['id']})"


def _of_source(_event: Event, was: Row | None, becomes: Row | None, _names: Names) -> str:
    source = called_source(becomes or was or {})
    if was is None or becomes is None:
        return f"{'let' if becomes else 'no longer lets'} roles come from {source}"
    if was["lapsed"] != becomes["lapsed"]:
        said = (
            "too old: it grants nothing until it is read"
            if becomes["lapsed"]
            else "fresh: it grants its roles"
        )
        return f"found {source} {said}"
    return f"changed the name of {source}, or how long it is believed"


def called_source(row: Row) -> str:
    """A row of auth.role_source in words."""
    return source_in_words(SourceKind(row["kind"]), row["reference"], row["name"])


def _of_member(event: Event, was: Row | None, becomes: Row | None, names: Names) -> str:
    source_id = (becomes or was or {})["source_id"]
    source = names.get(f"source:{source_id}", f"source {source_id} of roles")
    return f"noted that {_person(event.person, names)} {'joined' if becomes else 'left'} {source}"


def _of_mapping(_event: Event, was: Row | None, becomes: Row | None, names: Names) -> str:
    row = becomes or was or {}
    source = names.get(f"source:{row['source_id']}", f"source {row['source_id']} of roles")
    guests = ", guests too" if row["guests_too"] else ", but no guests" if was and becomes else ""
    return f"{'let' if becomes else 'no longer lets'} members of {source} hold {row['role']}{guests}"


def _of_collection(_event: Event, was: Row | None, becomes: Row | None, names: Names) -> str:
    row = becomes or was or {}
    collection = f"the collection {row['name']}"
    if was is None or becomes is None:
        readers = f", for {_readers(row['label_id'], names)}" if becomes else ""
        return f"{'made' if becomes else 'deleted'} {collection}{readers}"
    changes = (
        [f"is for {_readers(becomes['label_id'], names)}"] if was["label_id"] != becomes["label_id"] else []
    )
    if any(was[name] != becomes[name] for name in ("owner_role", "lent_role", "lent_for_s")):
        owner, lent = becomes["owner_role"], becomes["lent_role"]
        changes.append(
            f"can be asked for: {owner} lend {lent}" if owner and lent else "can no longer be asked for"
        )
    if was.get("half_life_days") != becomes.get("half_life_days"):
        days = becomes.get("half_life_days")
        changes.append(f"counts half after {days} days" if days else "does not fade")
    if was["name"] != becomes["name"]:
        changes.append(f"is no longer called {was['name']}")
    return f"changed {collection}: it now {listed(changes)}"


def _of_kept_source(_event: Event, was: Row | None, becomes: Row | None, names: Names) -> str:
    row = becomes or was or {}
    source = _kept_source(row["id"], names)
    if was is None or becomes is None:
        readers = f", for {_readers(row['label_id'], names)}" if becomes else ""
        return f"{'kept' if becomes else 'removed'} {source}{readers}"
    if was["paused"] != becomes["paused"]:
        return f"{'paused' if becomes['paused'] else 'took up again'} {source}"
    if was["label_id"] != becomes["label_id"]:
        readers = (
            f"{_readers(becomes['label_id'], names)}, and no longer for {_readers(was['label_id'], names)}"
        )
        return f"let what comes from {source} be for {readers}"
    return f"changed {source}"


def _kept_source(source_id: int, names: Names) -> str:
    reference = names.get(f"kept:{source_id}")
    return f"source {source_id} of documents{f' ({reference})' if reference else ''}"


def _of_readers_by_value(_event: Event, was: Row | None, becomes: Row | None, names: Names) -> str:
    row = becomes or was or {}
    source = _kept_source(row["source_id"], names)
    readers = _readers(row["label_id"], names)
    if was is not None and becomes is not None:
        readers = f"{readers}, and no longer for {_readers(was['label_id'], names)}"
    return f"{'let' if becomes else 'no longer lets'} what says {row['value']} in {source} be for {readers}"


def _of_document(_event: Event, was: Row | None, becomes: Row | None, names: Names) -> str:
    row = becomes or was or {}
    document = _document(row["id"], names, row["uri"])
    if becomes is None:
        return f"deleted {document}"
    readers = _readers(becomes["label_id"], names)
    if was is None:
        return f"added {document}, for {readers}"
    changes = []
    if was["label_id"] != becomes["label_id"]:
        changes.append(f"gave {document}, which was for {_readers(was['label_id'], names)}, to {readers}")
    if was.get("collection_id") != becomes.get("collection_id"):
        changes.append(_filed(document, was.get("collection_id"), becomes.get("collection_id"), names))
    changes += _of_life(document, was, becomes, names)
    return listed(changes) or f"changed the address of {document}"


def _of_life(document: str, was: Row, becomes: Row, names: Names) -> list[str]:
    """Its owner, its end, and whether it answers."""
    changes = []
    owners = ("owner_id", "owner_role")
    if any(was.get(column) != becomes.get(column) for column in owners):
        person, role = (becomes.get(column) for column in owners)
        owner = names.get(f"person:{person}", f"person {person}") if person else role or "nobody"
        changes.append(f"made {owner} the owner of {document}")
    if was.get("expires_at") != becomes.get("expires_at"):
        end = becomes.get("expires_at")
        until = f"until {end_in_words(datetime.fromisoformat(end).astimezone(UTC))}" if end else "for good"
        changes.append(f"let {document} answer {until}")
    if (why := becomes.get("withdrawn")) != was.get("withdrawn"):
        changes.append(
            f"withdrew {document}, which {_WITHDRAWN[why]}" if why else f"let {document} answer again"
        )
    return changes


_WITHDRAWN = {
    "expired": "had expired",
    "vanished": "its source has no more",
    "stale": "was made from what has changed",
}


def _filed(document: str, was: int | None, becomes: int | None, names: Names) -> str:
    verb, collection_id = ("took", was) if becomes is None else ("put", becomes)
    name = names.get(f"collection:{collection_id}", str(collection_id))
    return f"{verb} {document} {'out of' if becomes is None else 'into'} the collection {name}"


def _answered(event: Event, details: Row, names: Names) -> str:
    somebody = _person(details.get("asker") or event.person, names)
    alone = details.get("part") == "asker"
    channel = _channel(details, names)
    where = " alone" if alone else f"{channel}, for everybody there" if channel else ""
    return f"answered {somebody}{where}, from {_documents(details.get('documents', ()), names)}"


def _channel(details: Row, names: Names) -> str:
    channel_id = details.get("channel")
    return f" in {names.get(channel_id, channel_id)}" if channel_id else ""


def _documents(document_ids: Sequence[int], names: Names) -> str:
    named = [_document(document_id, names) for document_id in document_ids[:DOCUMENTS_NAMED]]
    more = len(document_ids) - len(named)
    return listed([*named, f"{more} more"] if more else named) or "no document"


def _refused(event: Event, details: Row, names: Names) -> str:
    question = f" (question {details['question']})" if "question" in details else ""
    return f"found nothing for {_person(event.person, names)} that they may read{question}"


def _shared(event: Event, details: Row, names: Names) -> str:
    where = _channel(details, names)
    asked = details.get("from") or details.get("question")
    return f"asked question {asked} of {_person(event.person, names)} again, for everybody{where}"


def _scheduled(_event: Event, details: Row, names: Names) -> str:
    topic = f" on {details['topic']}" if details.get("topic") else ""
    return f"set up a {details.get('every')} digest{topic}{_channel(details, names)}"


def _stopped(_event: Event, details: Row, names: Names) -> str:
    return f"stopped digest {details.get('digest')}{_channel(details, names)}"


def _marked(_event: Event, details: Row, _names: Names) -> str:
    return f"marked {_questions(details)}, which found nothing, as {details.get('mark')}"


def _reopened(_event: Event, details: Row, _names: Names) -> str:
    return f"took back the mark on {_questions(details)}, which found nothing"


def _questions(details: Row) -> str:
    numbers = ", ".join(str(number) for number in details.get("questions", ()))
    return f"{'questions' if ', ' in numbers else 'question'} {numbers}"


def _undone(_event: Event, details: Row, _names: Names) -> str:
    return f"undid change {details.get('change')}"


def _ingested(event: Event, _details: Row, names: Names) -> str:
    return f"took in {_document(event.document_id, names)}"


def _deleted(event: Event, _details: Row, names: Names) -> str:
    return f"deleted {_document(event.document_id, names)}"


def _cancelled(_event: Event, details: Row, _names: Names) -> str:
    return f"called off job {details['job']} ({details['name']})"


def _retried(_event: Event, details: Row, _names: Names) -> str:
    return f"had job {details['job']} ({details['name']}) tried again"


def _unsent(_event: Event, details: Row, _names: Names) -> str:
    return f"did not get answer {details['answer']} out"


def _withdrew(_event: Event, details: Row, _names: Names) -> str:
    before = datetime.fromisoformat(details["before"])
    return f"withdrew the details of {counted(details['events'], 'event')} before {before:%-d %B %Y}"


_CHANGES: Mapping[str | None, Callable[[Event, Row | None, Row | None, Names], str]] = {
    "person": _of_person,
    "role": _of_role,
    "role_inherits": _of_inheritance,
    "grant": _of_grant,
    "access_label": _of_label,
    "role_source": _of_source,
    "role_source_member": _of_member,
    "role_source_role": _of_mapping,
    "collection": _of_collection,
    "document": _of_document,
    "source": _of_kept_source,
    "source_label": _of_readers_by_value,
}
_HAPPENINGS: Mapping[str, Callable[[Event, Row, Names], str]] = {
    ANSWER_SENT: _answered,
    "question.refused": _refused,
    "answer.shared": _shared,
    "digest.scheduled": _scheduled,
    "digest.stopped": _stopped,
    "gap.marked": _marked,
    "gap.reopened": _reopened,
    UNDONE: _undone,
    "document.ingested": _ingested,
    "document.deleted": _deleted,
    "job.cancelled": _cancelled,
    "job.retried": _retried,
    ANSWER_UNSENT: _unsent,
    WITHDRAWN: _withdrew,
}
