"""Documents are taken for English unless they plainly are something else."""

import pytest

from retrieval.language import language_of
from retrieval.parsing.document import Block, ParsedDocument

GERMAN = "Alle Beschäftigten haben Anspruch auf dreißig Tage Urlaub im Jahr, den die Leitung rechtzeitig genehmigt."
FRENCH = (
    "Les congés payés sont demandés dans le portail et approuvés par le responsable avant la fin du mois."
)
POLISH = (
    "Pracownicy mają prawo do dwudziestu sześciu dni urlopu w roku, po uzgodnieniu terminu z przełożonym."
)


def of(*blocks: Block) -> ParsedDocument:
    return ParsedDocument("Title", blocks, "text/plain")


def prose(text: str) -> Block:
    return Block(text)


@pytest.mark.parametrize(("text", "language"), [(GERMAN, "de"), (FRENCH, "fr"), (POLISH, "pl")])
def test_a_document_of_another_language_is_known_by_a_sentence(text: str, language: str) -> None:
    assert language_of(of(prose(text))) == language


@pytest.mark.parametrize(
    "text",
    [
        "Guests park on deck three of the garage, and they pay for it at the machine in the hall.",
        "",
        "Urlaub: 30 Tage",
        "| Name | Amount |\n| Bob | 12 |\n| Okta | 14 |",
        "kubectl get pods -n sourcegraph --all; kubectl logs -f frontend; kubectl exec -it pgsql psql",
    ],
)
def test_what_is_english_or_short_or_no_language_counts_as_english(text: str) -> None:
    assert language_of(of(prose(text))) == "en"


def test_code_says_nothing_of_the_language() -> None:
    code = Block("for each of the items in the list do that and this to it\n" * 20, kind="code")
    assert language_of(of(code, prose(GERMAN))) == "de"
