"""The demo company holds together: its documents exist, its rights are sound, its tour can be kept.

Rights are worked out here a second time, as plainly as possible, and not with the code that the bot
decides with: the data must be right even where that code is wrong.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from selectolax.lexbor import LexborHTMLParser

from bot.demo.workspace import workspace_seed
from bot.directory_file import read_directory
from bot.slack.small_talk import SUGGESTED_PROMPTS

COMPANY = Path(__file__).parents[3] / "bot" / "demo" / "company"
TOML = tomllib.loads((COMPANY / "company.toml").read_text(encoding="utf-8"))

Entry = dict[str, Any]
DOCUMENTS: list[Entry] = TOML["documents"]
PEOPLE: dict[str, Entry] = {person["handle"]: person for person in TOML["people"]}
CHANNELS: dict[str, Entry] = {f"#{channel['name']}": channel for channel in TOML["channels"]}
ROLES: dict[str, Entry] = {role["name"]: role for role in TOML["roles"]}
TOUR: list[Entry] = TOML["tour"]
BOT: str = TOML["workspace"]["bot_handle"]
BUILT_IN = {"everyone", "guest"}


# ------------------------------------------------------------------------------------------- what a document says


def folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def pdf_pages(path: Path) -> list[str]:
    pdf = pypdfium2.PdfDocument(path)
    try:
        return [page.get_textpage().get_text_bounded() for page in pdf]
    finally:
        pdf.close()


@cache
def text_of(path: str) -> str:
    file = COMPANY / path
    if file.suffix == ".pdf":
        return folded(" ".join(pdf_pages(file)))
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".html":
        main = LexborHTMLParser(text).css_first("main")
        assert main is not None, f"{path} has no <main>: give the page one."
        return folded(main.text(separator=" "))
    return folded(text)


def contains(documents: Iterable[Entry], words: str) -> list[str]:
    return [document["path"] for document in documents if folded(words) in text_of(document["path"])]


# ------------------------------------------------------------------------------------------------ who may read it


def with_inherited(roles: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(roles)
    while waiting:
        role = waiting.pop()
        if role not in found:
            found.add(role)
            waiting += ROLES.get(role, {}).get("inherits", [])
    return found


def is_expired(grant: str | Entry) -> bool:
    return isinstance(grant, dict) and date.fromisoformat(grant["expires"]) < date.today()


def role_name(grant: str | Entry) -> str:
    return grant if isinstance(grant, str) else str(grant["role"])


def roles_of(handle: str, *, expired_too: bool = False) -> set[str]:
    person = PEOPLE[handle]
    if person.get("deactivated", False):
        return set()
    built_in = {"member": {"everyone"}, "outsider": set()}.get(person.get("kind", "member"), {"guest"})
    return (
        with_inherited(role_name(g) for g in person["roles"] if expired_too or not is_expired(g)) | built_in
    )


def clauses_of(document: Entry) -> list[set[str]]:
    return [set(clause.split("+")) for clause in document["readers"].split(",")]


def excluded_from(document: Entry) -> set[str]:
    return set(filter(None, document.get("except", "").split(",")))


def readable_with(roles: set[str]) -> list[Entry]:
    return [d for d in DOCUMENTS if not excluded_from(d) & roles and any(c <= roles for c in clauses_of(d))]


def readable_by(handle: str) -> list[Entry]:
    return readable_with(roles_of(handle))


def audience_of(where: str, asker: str) -> set[str]:
    if where == "dm":
        return {asker}
    channel = CHANNELS[where]
    present = set(channel["members"]) - {BOT}
    if channel["private"]:
        return present
    return present | {handle for handle in PEOPLE if "everyone" in roles_of(handle)}


def readable_by_all(handles: Iterable[str]) -> list[Entry]:
    allowed = [{d["path"] for d in readable_by(handle)} for handle in handles]
    shared = set.intersection(*allowed)
    return [d for d in DOCUMENTS if d["path"] in shared]


# -------------------------------------------------------------------------------------------------- the documents


def test_every_listed_document_exists_and_every_file_is_listed() -> None:
    there = {str(p.relative_to(COMPANY)) for p in COMPANY.rglob("*") if p.is_file()} - {"company.toml"}
    assert {document["path"] for document in DOCUMENTS} == there


def test_about_thirty_documents_in_five_departments_and_four_formats() -> None:
    assert len(DOCUMENTS) >= 30
    assert {d["department"] for d in DOCUMENTS} == {
        "engineering",
        "people",
        "finance",
        "commercial",
        "operations",
    }
    assert all(d["path"].startswith(f"{d['department']}/") for d in DOCUMENTS)
    assert {Path(d["path"]).suffix for d in DOCUMENTS} == {".md", ".txt", ".html", ".pdf"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d["path"])
def test_a_document_has_substance_and_states_its_own_date(document: Entry) -> None:
    text = text_of(document["path"])
    day: date = document["dated"]
    assert 240 <= len(text.split()) <= 900
    assert folded(f"{day.day} {day:%B %Y}") in text


@pytest.mark.parametrize("path", [d["path"] for d in DOCUMENTS if d["path"].endswith(".pdf")])
def test_a_pdf_opens_and_has_text_on_each_of_several_pages(path: str) -> None:
    pages = pdf_pages(COMPANY / path)
    assert len(pages) >= 2
    assert all(len(page.split()) > 50 for page in pages)


@pytest.mark.parametrize("path", [d["path"] for d in DOCUMENTS if d["path"].endswith(".html")])
def test_an_html_page_carries_noise_that_must_be_stripped(path: str) -> None:
    page = LexborHTMLParser((COMPANY / path).read_text(encoding="utf-8"))
    for tag in ("nav", "footer"):
        noise = page.css_first(tag)
        assert noise is not None
        assert folded(noise.text()) not in text_of(path)


def test_a_newer_version_is_younger_than_the_one_it_replaces() -> None:
    by_path = {document["path"]: document for document in DOCUMENTS}
    newer = [document for document in DOCUMENTS if "supersedes" in document]
    assert len(newer) >= 2
    for document in newer:
        older = by_path[document["supersedes"]]
        assert older["dated"] < document["dated"]  # also rules out circles
        assert older["readers"] == document["readers"]
    assert max(Counter(document["supersedes"] for document in newer).values()) == 1


def test_nothing_points_at_a_live_host() -> None:
    hosts = re.compile(r"(?:https?://|[\w.+-]+@)([\w.-]+\w)")
    for file in COMPANY.rglob("*"):
        if file.suffix in {".md", ".txt", ".html", ".toml"}:
            named = hosts.findall(file.read_text(encoding="utf-8"))
            assert all(host.endswith(".example") for host in named), file.name


# ------------------------------------------------------------------------------------- people, roles and channels


def test_every_role_that_is_named_is_known() -> None:
    named = {role for d in DOCUMENTS for clause in clauses_of(d) for role in clause}
    named |= {role for d in DOCUMENTS for role in excluded_from(d)}
    named |= {parent for role in ROLES.values() for parent in role.get("inherits", [])}
    assert named <= ROLES.keys() | BUILT_IN
    assert {role_name(g) for p in PEOPLE.values() for g in p["roles"]} <= ROLES.keys()


def test_built_in_roles_are_not_listed() -> None:
    assert not BUILT_IN & ROLES.keys()


@pytest.mark.parametrize("role", ROLES)
def test_no_role_inherits_itself(role: str) -> None:
    assert role not in with_inherited(ROLES[role].get("inherits", []))


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_of_use(role: str) -> None:
    holders = {h for h in PEOPLE if role in roles_of(h)}
    assert holders


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("people", "user_id"),
        ("people", "handle"),
        ("people", "name"),
        ("channels", "channel_id"),
        ("channels", "name"),
        ("roles", "name"),
        ("documents", "path"),
        ("documents", "title"),
    ],
)
def test_identifiers_are_unique(table: str, key: str) -> None:
    values = [entry[key] for entry in TOML[table]]
    assert len(values) == len(set(values))


def test_ids_look_as_slack_makes_them() -> None:
    assert re.fullmatch(r"T[A-Z0-9]{8,10}", TOML["workspace"]["team_id"])
    assert all(re.fullmatch(r"U[A-Z0-9]{8,10}", person["user_id"]) for person in PEOPLE.values())
    assert all(re.fullmatch(r"[CG][A-Z0-9]{8,10}", c["channel_id"]) for c in CHANNELS.values())


def test_channels_hold_known_people_and_nobody_who_has_left() -> None:
    for name, channel in CHANNELS.items():
        members = set(channel["members"]) - {BOT}
        assert members <= PEOPLE.keys(), name
        assert len(members) >= 2, name
        assert not any(PEOPLE[handle].get("deactivated", False) for handle in members), name


def test_the_bot_is_in_every_channel_but_one() -> None:
    assert [name for name, channel in CHANNELS.items() if BOT not in channel["members"]] == ["#lunch-club"]


def test_the_guest_is_in_one_private_channel_and_the_outsider_in_one_shared_one() -> None:
    kinds = {handle: person.get("kind", "member") for handle, person in PEOPLE.items()}
    homes = {
        kind: [c for c in CHANNELS.values() if any(kinds.get(h) == kind for h in c["members"])]
        for kind in ("guest", "outsider")
    }
    assert len(homes["guest"]) == 1
    assert homes["guest"][0]["private"]
    assert len(homes["outsider"]) == 1
    assert homes["outsider"][0]["shared"]


def test_slack_admins_are_not_ostiary_admins_by_that() -> None:
    assert 1 <= sum("ostiary-admin" in roles_of(handle) for handle in PEOPLE) <= 2
    slack_admins = [h for h, person in PEOPLE.items() if person.get("is_admin", False)]
    assert slack_admins
    assert not any("ostiary-admin" in roles_of(handle) for handle in slack_admins)


def test_exactly_one_grant_has_expired_and_it_matters() -> None:
    expired = [(h, g) for h, person in PEOPLE.items() for g in person["roles"] if is_expired(g)]
    assert len(expired) == 1
    handle = expired[0][0]
    lost = {d["path"] for d in readable_with(roles_of(handle, expired_too=True))}
    lost -= {d["path"] for d in readable_by(handle)}
    assert "people/salary-bands-2026.md" in lost


def test_every_document_has_a_reader_and_every_restricted_one_somebody_who_is_refused() -> None:
    everybody = [h for h in PEOPLE if roles_of(h)]
    for document in DOCUMENTS:
        readers = [h for h in everybody if document in readable_by(h)]
        assert readers, document["path"]
        if "everyone" not in document["readers"]:
            assert len(readers) < len(everybody) / 2 + 1, document["path"]


def test_an_outsider_and_a_person_who_has_left_read_nothing() -> None:
    assert readable_by("juno") == []
    assert readable_by("tobias") == []


# ------------------------------------------------------------------------------------------------------- the tour

tour = pytest.mark.parametrize(
    "entry", TOUR, ids=[f"{e['as']}-in-{e['where']}-{e['question'][:40]}" for e in TOUR]
)


@tour
def test_the_asker_can_ask_there(entry: Entry) -> None:
    assert roles_of(entry["as"])
    if entry["where"] == "dm":
        assert "seen_by" not in entry
    else:
        assert {entry["as"], BOT} <= set(CHANNELS[entry["where"]]["members"])
        assert entry["seen_by"] in {"channel", "asker"}


@tour
def test_what_is_expected_stands_in_a_document_that_its_reader_may_read(entry: Entry) -> None:
    if not entry.get("expects"):
        return
    for_all = readable_by_all(audience_of(entry["where"], entry["as"]))
    if entry.get("seen_by") == "asker":
        assert contains(readable_by(entry["as"]), entry["expects"])
        assert not contains(for_all, entry["expects"])
    else:
        assert contains(for_all, entry["expects"])


@tour
def test_what_must_not_appear_is_written_somewhere_but_not_for_this_reader(entry: Entry) -> None:
    for words in entry.get("must_not", []):
        assert contains(DOCUMENTS, words), f"No document says {words!r}, so its absence would prove nothing."
        assert not contains(readable_by(entry["as"]), words)


@tour
def test_an_entry_checks_something(entry: Entry) -> None:
    assert "expects" in entry or entry.get("must_not")


def test_the_same_question_gets_different_answers_by_reader_in_at_least_three_sets() -> None:
    answers: dict[str, set[str]] = {}
    for entry in TOUR:
        if "set" in entry and "expects" in entry and entry["where"] == "dm":
            answers.setdefault(entry["set"], set()).add(entry["expects"])
    assert sum(len(different) >= 3 for different in answers.values()) >= 3


@pytest.mark.parametrize("name", sorted({e["set"] for e in TOUR if "set" in e}))
def test_a_set_is_one_question(name: str) -> None:
    assert len({e["question"] for e in TOUR if e.get("set") == name}) == 1


def test_the_tour_is_long_enough_and_touches_every_format() -> None:
    assert len(TOUR) >= 24
    sole_sources = [contains(DOCUMENTS, e["expects"]) for e in TOUR if e.get("expects")]
    suffixes = {Path(paths[0]).suffix for paths in sole_sources if len(paths) == 1}
    assert suffixes == {".md", ".txt", ".html", ".pdf"}


def test_the_tour_asks_in_vain_too() -> None:
    assert sum(e.get("expects") == "" for e in TOUR) >= 3
    assert sum("expects" not in e for e in TOUR) >= 3


def test_an_empty_direct_message_suggests_what_the_manifest_does() -> None:
    assert workspace_seed(read_directory(COMPANY / "company.toml")).prompts == SUGGESTED_PROMPTS
