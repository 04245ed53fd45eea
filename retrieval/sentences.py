# ruff: noqa: RUF001, SIM905 - the marks of other scripts are meant, and word lists read better as words
"""Splits a passage into the sentences that an answer may quote.

Rules, not a model: they cost microseconds, need no download, and are wrong in ways that a reader can predict.
The layout understood here is the one that parsing and chunking write: paragraphs apart by blank lines, list
items on lines of their own, table rows with cells joined by " | ", headings behind "#", code between fences.
"""

import re
from collections.abc import Iterator

FENCE = "```"
CELL_BREAK = " | "

_HEADING = re.compile(r"#{1,6}\s")
_ITEM = re.compile(r"(?P<bullet>[-*+•‣◦–]\s+)|(?:\(?(?:\d{1,3}|[a-zA-Z])[.)]\s+)")
_TABLE_RULE = re.compile(r"(?=.*\|)\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?")
_BAR = re.compile(r"(?:^|(?<=\s))\|(?=\s|$)")
_MARKDOWN_BAR = re.compile(r"(?<!\\)\|")
_CANDIDATE = re.compile(r"(?:(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s)|[。！？]+[」』”’）]*)\s*")
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘«]+$")

# A dot after these never ends a sentence: something always follows.
_LEADING = frozenset(
    "mr mrs ms mx dr prof rev hon st mt messrs sr jr gen col capt lt sgt gov sen rep pres "
    "e.g eg i.e ie viz cf vs v approx ca c resp incl excl esp al fig figs eq eqs sec ch vol pp p para art "
    "dept est ext tel min max avg no nos nr "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri "
    "z.b d.h bzw ggf usw nr bspw m.e".split()
)
# These also stand before a plain number and are words of their own otherwise ("Is it paid? No. Ask first.").
_BEFORE_NUMBER = frozenset("no nos nr art sec min max p pp ch para mar sat sun may mon fri c v".split())
# A dot after these may end a sentence: it does if the next word usually starts one.
_TRAILING = frozenset(
    "etc inc ltd co corp llc plc a.m p.m am pm u.s u.k u.s.a e.u ph.d m.d b.a m.a d.c usw".split()
)
_STARTERS = frozenset(
    "a an the this that these those there here it its he she they we you i our your their his her my "
    "if when while where why how what who which after before because although as at by for from in on to "
    "with all any each every no not only please see do does did is are was were can may must should once "
    "then however therefore also and but or so yet finally first next".split()
)


def split_sentences(text: str) -> list[str]:
    """The sentences of `text` in order, each stripped; headings are left out.

    A list item begins a sentence of its own (its bullet is dropped, its number stays). A table row is one
    sentence that names its columns: "Grade: Senior engineer | Band: C". A fenced code block is one sentence.
    """
    return [sentence for run in _runs(text.splitlines()) for sentence in run]


def split_prose(text: str) -> list[str]:
    """The sentences of running text, which has no lists, tables, headings or code in it."""
    sentences: list[str] = []
    start = 0
    for candidate in _CANDIDATE.finditer(text):
        if _ends_sentence(text, start, candidate):
            sentences.append(text[start : candidate.end()].strip())
            start = candidate.end()
    sentences.append(text[start:].strip())
    return [sentence for sentence in sentences if sentence]


def table_row_sentence(header: str, row: str) -> str:
    """One row as a sentence: each cell behind the name of its column; empty cells are left out."""
    names, cells = _cells(header), _cells(row)
    if len(cells) > len(names):
        return CELL_BREAK.join(cell for cell in cells if cell)
    pairs = zip(names, cells, strict=False)
    return CELL_BREAK.join(f"{name}: {cell}" if name else cell for name, cell in pairs if cell)


def _runs(lines: list[str]) -> Iterator[list[str]]:
    """The sentences of one paragraph, list item, table or code block after another."""
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if line.startswith(FENCE):
            end = _end_of_code(lines, at)
            yield _code_sentence(lines[at:end])
        elif _starts_table(lines, at):
            end = _end_of_table(lines, at)
            yield _table_sentences(lines[at:end])
        elif not line or _HEADING.match(line):
            end = at + 1
        else:
            end = _end_of_paragraph(lines, at)
            yield split_prose(_joined(lines[at:end]))
        at = end


def _end_of_code(lines: list[str], start: int) -> int:
    closing = (at for at in range(start + 1, len(lines)) if lines[at].strip().startswith(FENCE))
    return next(closing, len(lines) - 1) + 1


def _code_sentence(lines: list[str]) -> list[str]:
    code = "\n".join(line for line in lines if not line.strip().startswith(FENCE)).strip("\n")
    return [code] if code.strip() else []


def _is_row(line: str) -> bool:
    line = line.strip()
    return len(_cells(line)) > 1 or (len(line) > 1 and line[0] == line[-1] == "|")


def _starts_table(lines: list[str], at: int) -> bool:
    """A header and at least one row under it: a lone line with a bar in it is prose."""
    return at + 1 < len(lines) and _is_row(lines[at]) and _is_row(lines[at + 1])


def _end_of_table(lines: list[str], start: int) -> int:
    return next((at for at in range(start, len(lines)) if not _is_row(lines[at])), len(lines))


def _table_sentences(lines: list[str]) -> list[str]:
    if _TABLE_RULE.fullmatch(lines[1].strip()):
        lines = [_from_markdown(line) for line in lines[:1] + lines[2:]]
    header, *rows = lines
    return [sentence for row in rows if (sentence := table_row_sentence(header, row))]


def _from_markdown(row: str) -> str:
    cells = _MARKDOWN_BAR.split(row.strip().removeprefix("|").removesuffix("|"))
    return CELL_BREAK.join(cell.strip() for cell in cells)


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in _BAR.split(row)]


def _end_of_paragraph(lines: list[str], start: int) -> int:
    """A paragraph ends before a blank line, a list item, a heading, a table or code."""
    at = start + 1
    while at < len(lines) and not _starts_run(lines, at):
        at += 1
    return at


def _starts_run(lines: list[str], at: int) -> bool:
    line = lines[at].strip()
    if not line or line.startswith(FENCE) or _starts_table(lines, at):
        return True
    return bool(_ITEM.match(line) or _HEADING.match(line))


def _joined(lines: list[str]) -> str:
    """The lines of one paragraph or item as one line, without its bullet."""
    text = " ".join(line.strip() for line in lines)
    item = _ITEM.match(text)
    return text[item.end() :] if item and item["bullet"] else text


def _ends_sentence(text: str, start: int, candidate: re.Match[str]) -> bool:
    rest = text[candidate.end() : candidate.end() + 20]
    if not rest or candidate[0][0] in "。！？":
        return True
    if rest[0].islower():
        return False
    if not candidate[0].startswith(".") or candidate[0].startswith(".."):
        return True
    return _dot_ends_sentence(text[max(start, candidate.start() - 60) : candidate.start()], rest)


def _dot_ends_sentence(before: str, rest: str) -> bool:
    """Whether the single dot between `before` and `rest` is a full stop and not part of a short form."""
    last = _LAST_WORD.search(before)
    word = last[0] if last else ""
    if word == before.strip() and (word.isdigit() or len(word) == 1):
        return False  # "1." and "a." number an item
    if len(word) == 1 and word.isupper() and word != "I":
        return False  # an initial: J. Smith
    short = word.lower()
    if short in _BEFORE_NUMBER:
        return not rest[0].isdigit()
    if short in _LEADING:
        return False
    if short in _TRAILING:
        return re.split(r"\W", rest.lower(), maxsplit=1)[0] in _STARTERS
    return True
