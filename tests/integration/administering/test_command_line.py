"""Administration at the keyboard: what is done, what it does to whom, and how it is undone."""

import re

import pytest

from tests.integration.administering.conftest import Say


def change_in(said: str) -> str:
    found = re.search(r"Undo: ostiary access undo (\d+)$", said)
    assert found, said
    return found[1]


def test_the_first_administrator_is_made_listed_and_unmade(ostiary: Say) -> None:
    assert "@odile Odile by hand from the test" in ostiary("admin", "list")
    said = ostiary("admin", "grant", "ben", "--reason", "it is his turn", "--until", "2100-03-03")
    assert said.startswith(
        "Gave @ben the role ostiary-admin until the end of 3 March 2100, because: it is his turn."
    )
    assert "@ben can administer Ostiary then." in said
    assert "@ben Ben by hand from the command line until the end of 3 March 2100" in ostiary("admin", "list")
    ostiary("admin", "revoke", "@ben")
    ostiary("admin", "revoke", "odile")
    assert ostiary("admin", "list") == "Nobody holds ostiary-admin."


def test_a_dry_run_says_what_would_be_and_does_nothing(ostiary: Say) -> None:
    before = ostiary("roles", "who", "finance")
    said = ostiary("roles", "grant", "finance", "ben", "--for", "7d", "--dry-run")
    assert said.startswith("Nothing is changed (--dry-run). This would be: gave @ben the role finance until")
    assert said.endswith("@ben gains 1 document.")
    assert ostiary("roles", "who", "finance") == before


def test_a_change_is_undone_by_the_number_it_printed(ostiary: Say) -> None:
    before = ostiary("access", "show")
    said = ostiary("access", "change", "salaries", "budget", "--readers", "everyone")
    assert (
        "Gave documents 3, 2 the readers everyone. 3 people gain documents: @ben and @odile (2 documents each);"
        in said
    )
    assert ostiary("access", "show") != before
    number = change_in(said)
    assert "This would be: undid change" in ostiary("access", "undo", number, "--dry-run")
    undone = ostiary("access", "undo", number)
    assert undone.startswith(f"Undid change {number}. 3 people lose documents")
    assert ostiary("access", "show") == before
    assert "was undone already" in ostiary("access", "undo", number, fails=True)


def test_a_role_is_made_changed_given_mapped_and_deleted(ostiary: Say) -> None:
    ostiary("roles", "create", "audit", "--description", "Looks at books", "--inherits", "finance, hr")
    ostiary("roles", "create", "audit", "--inherits", "finance")
    assert "audit 0 finance 0 Looks at books" in ostiary("roles", "list")
    said = ostiary("roles", "map", "audit", "--user-group", "S0123", "--name", "@auditors")
    assert "Mapped the user group @auditors to the role audit." in said
    assert "the running bot reads it, and until then it grants nothing" in said
    assert "the user group @auditors (not read yet)" in ostiary("roles", "list")
    ostiary("roles", "unmap", "audit", "--user-group", "auditors")
    assert "brings or is brought by" in ostiary("roles", "delete", "audit", fails=True)
    ostiary("roles", "create", "audit", "--inherits", "")
    ostiary("roles", "delete", "audit")
    assert "audit" not in ostiary("roles", "list")


def test_titles_are_shown_to_whoever_may_read_them_alone(ostiary: Say) -> None:
    assert ostiary("access", "show", "salaries") == "Id Address Readers Collection 3 salaries hr"
    as_odile = ostiary("access", "show", "--as", "odile")
    assert "1 handbook handbook everyone" in as_odile
    assert "salaries" not in as_odile
    assert "3 (not for these eyes) hr" in as_odile


def test_what_somebody_may_read_is_told_and_why(ostiary: Say) -> None:
    said = ostiary("roles", "may-read", "priya", "--as", "odile")
    assert "finance by hand from the test" in said
    assert "In all: 2 documents." in said
    assert said.endswith("Titles that @odile may read too: handbook")
    assert "cannot read document 3: it is for hr. As hr: no, since @priya does not hold hr." in ostiary(
        "access", "explain", "priya", "salaries"
    )


def test_a_label_is_changed_in_one_place(ostiary: Say) -> None:
    said = ostiary("access", "change-label", "hr", "--to", "hr,finance")
    assert said.startswith("Gave everything for hr the readers finance,hr. @priya gains 1 document.")
    assert "finance,hr 1 finance, or hr" in ostiary("access", "labels")
    assert (
        ostiary("access", "change-label", "finance,hr", "--to", "finance,hr")
        == "Nothing changed: it was so already."
    )


def test_a_document_is_removed_with_a_receipt(ostiary: Say) -> None:
    assert "Nothing is changed (--dry-run)" in ostiary("access", "remove", "salaries", "--dry-run")
    said = ostiary("access", "remove", "salaries")
    assert said.startswith(
        "Removed document 3 for good. Nobody gains or loses a document. That is 1 version,"
    )
    assert "Undo" not in said
    assert "salaries" not in ostiary("access", "show")


def test_a_collection_is_defined_filled_and_given_other_readers(ostiary: Say) -> None:
    ostiary(
        *("access", "collection", "define", "books", "--readers", "finance", "--owners", "hr"),
        *("--lends", "finance", "--for", "12h"),
    )
    said = ostiary("access", "collection", "file", "budget", "plans", "--in", "books")
    assert said.startswith("Filed documents 2, 4 in the collection books.")
    assert "books finance 2 hr lend finance for 12 hours" in ostiary("access", "collection", "list")
    said = ostiary("access", "collection", "fade", "books", "--half-life", "30")
    assert said.startswith("Let what is in the collection books count half after 30 days.")
    assert "for 12 hours by half in 30 days" in ostiary("access", "collection", "list")
    ostiary("access", "collection", "fade", "books", "--never")
    assert "for 12 hours no" in ostiary("access", "collection", "list")
    said = ostiary("access", "collection", "change", "books", "--readers", "finance,everyone")
    assert "@gus" not in said
    ostiary("access", "collection", "file", "plans", "--out")
    assert "4 plans everyone,finance" in ostiary("access", "show")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("roles", "grant", "finanse", "ben"), "There is no role called finanse."),
        (("roles", "grant", "finance", "nobody"), "Nobody here is called 'nobody'."),
        (("roles", "grant", "finance", "ben", "--for", "soon"), "'soon' is no length of time."),
        (("roles", "grant", "finance", "ben", "--for", "7d", "--until", "2100-01-01"), "not both"),
        (("roles", "revoke", "finance", "ben"), "@ben does not hold finance."),
        (("roles", "create", "finance", "--inherits", "leadership"), "Roles may not inherit in a circle"),
        (("roles", "map", "finance"), "Name one place: --user-group, --channel or --flag."),
        (
            ("roles", "map", "finance", "--flag", "boss"),
            "There is no flag 'boss'. Flags: member, guest, admin, owner.",
        ),
        (("roles", "map", "finance", "--user-group", "money"), "Name it by Slack's id"),
        (("roles", "map", "finance", "--channel", "hall"), "No channel called hall is known here."),
        (("access", "change", "budget", "--readers", "finance+"), "could not be understood"),
        (("access", "change", "nowhere", "--readers", "hr"), "There is no document 'nowhere'."),
        (("access", "change-label", "guest", "--to", "hr"), "No document has the readers guest."),
        (("access", "collection", "change", "x", "--readers", "hr"), "There is no collection x."),
        (("access", "collection", "file", "budget"), "Give --in NAME, or --out."),
        (("access", "collection", "fade", "books"), "Give --half-life DAYS, or --never."),
        (("access", "undo", "99999"), "There is no change 99999 in the audit log."),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(ostiary: Say, words: tuple[str, ...], sentence: str) -> None:
    said = ostiary(*words, fails=True)
    assert sentence in re.sub(r" ?│ ?", " ", said)
    assert "Traceback" not in said
