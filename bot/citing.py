"""How a source is named to a reader, in Slack and on the command line: `Title › Heading, p. 3 · 1 March 2026`."""

from retrieval.passages import Passage


def source_name(passage: Passage) -> str:
    """`Title › Heading`: where the passage stands; a heading that repeats the title is left out."""
    return " › ".join([passage.title, *(part for part in passage.heading_path if part != passage.title)])


def source_details(passage: Passage) -> str:
    """`, p. 3 · 1 March 2026`: page and date, as far as they are known."""
    page = f", p. {passage.page}" if passage.page else ""
    dated = f" · {passage.dated.day} {passage.dated:%B %Y}" if passage.dated else ""
    return page + dated
