"""A change between its dry run and its confirmation: as ids in a modal, and back.

It comes back from outside. Whoever confirms is asked for the role again, and what the ids stand for is looked up
again: a proposal that was written by somebody else does what that somebody may do.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from auth.errors import OstiaryError
from auth.labels import parse_policy
from bot.administering.changes import (
    Change,
    ChangeLabel,
    DefineCollection,
    ExpireDocuments,
    FadeCollection,
    FileDocuments,
    OwnDocuments,
    RelabelCollection,
    RelabelDocuments,
    RelabelSource,
    RemoveDocuments,
    RemoveSource,
)
from bot.slack.admin.screens import CARRIED_LIMIT, is_id


class NoProposal(OstiaryError):
    """What a modal carried is no change that can be made; the message says what to do."""


def carry(change: Change) -> dict[str, Any]:
    """What a modal carries of a change. Raises NoProposal where it is too much for one."""
    carried = _carry(change)
    if len(json.dumps(carried)) > CARRIED_LIMIT - 200:
        raise NoProposal(
            "This is more than a modal in Slack can carry: use `ostiary access` on the command line."
        )
    return carried


def _carry(change: Change) -> dict[str, Any]:
    match change:
        case RelabelDocuments(documents, policy):
            return {"change": "documents", "documents": list(documents), "readers": str(policy)}
        case RelabelCollection(collection_id, policy):
            return {"change": "collection", "collection": collection_id, "readers": str(policy)}
        case ChangeLabel(label_id, policy):
            return {"change": "label", "label": label_id, "readers": str(policy)}
        case FileDocuments(documents, into):
            return {"change": "file", "documents": list(documents), "collection": into}
        case DefineCollection(name, policy, owner, lent, lent_for):
            loan = {"owner": owner, "lent": lent, "lent_for": int(lent_for.total_seconds())}
            return {"change": "define", "name": name, "readers": str(policy), **loan}
        case RemoveDocuments(documents):
            return {"change": "remove", "documents": list(documents)}
        case ExpireDocuments(documents, at):
            return {"change": "expire", "documents": list(documents), "at": at.isoformat() if at else None}
        case OwnDocuments(documents, role, person_id, handle):
            whose = {"role": role, "person": person_id, "handle": handle}
            return {"change": "own", "documents": list(documents), **whose}
        case FadeCollection(name, days):
            return {"change": "fade", "name": name, "days": days}
        case RelabelSource(source_id, policy) if policy is not None:
            return {"change": "source", "source": source_id, "readers": str(policy)}
        case RemoveSource(source_id, with_documents):
            return {"change": "remove source", "source": source_id, "with_documents": with_documents}
    raise NoProposal("This change cannot wait for a confirmation.")


def proposed(carried: Mapping[str, Any]) -> Change:
    """The change that a modal carries. Raises NoProposal."""
    try:
        return _proposed(carried)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise NoProposal("I do not know this change any more. Please begin anew.") from error


def _proposed(carried: Mapping[str, Any]) -> Change:
    match carried.get("change"):
        case "documents":
            return RelabelDocuments(_ids(carried["documents"]), parse_policy(str(carried["readers"])))
        case "collection":
            return RelabelCollection(_id(carried["collection"]), parse_policy(str(carried["readers"])))
        case "label":
            return ChangeLabel(_id(carried["label"]), parse_policy(str(carried["readers"])))
        case "file":
            into = carried["collection"]
            return FileDocuments(_ids(carried["documents"]), None if into is None else _id(into))
        case "remove":
            return RemoveDocuments(_ids(carried["documents"]))
        case "expire":
            at = carried["at"]
            return ExpireDocuments(_ids(carried["documents"]), None if at is None else _moment(at))
        case "own":
            person = carried["person"]
            return OwnDocuments(
                _ids(carried["documents"]),
                carried["role"] or None,
                None if person is None else _id(person),
                str(carried["handle"]),
            )
        case "fade":
            days = carried["days"]
            return FadeCollection(str(carried["name"]), None if days is None else _id(days))
        case "source":
            return RelabelSource(_id(carried["source"]), parse_policy(str(carried["readers"])))
        case "remove source":
            return RemoveSource(_id(carried["source"]), carried["with_documents"] is True)
        case "define":
            return DefineCollection(
                str(carried["name"]),
                parse_policy(str(carried["readers"])),
                carried["owner"] or None,
                carried["lent"] or None,
                timedelta(seconds=_id(carried["lent_for"])),
            )
    raise ValueError("no such change")


def _moment(found: Any) -> datetime:
    moment = datetime.fromisoformat(found)
    if moment.tzinfo is None:
        raise ValueError("a moment of no zone")
    return moment


def _ids(found: Any) -> tuple[int, ...]:
    if not isinstance(found, list) or not found:
        raise TypeError("no list of ids")
    return tuple(_id(each) for each in found)


def _id(found: Any) -> int:
    if not is_id(found):
        raise TypeError("no id")
    return found
