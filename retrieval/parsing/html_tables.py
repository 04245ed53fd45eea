"""Tables in HTML: which of them hold data, and their cells row by row."""

from selectolax.lexbor import LexborNode

from retrieval.parsing.cleaning import one_line

# Far beyond any real table; a page may claim that one cell spans a billion.
_WIDEST = 50
_TALLEST = 500

_UNREAD = frozenset(("script", "style", "noscript", "template", "iframe", "svg", "-comment"))


def holds_data(table: LexborNode) -> bool:
    """Whether a table relates cells; one that only lays out a page has a single row, column, or tables inside."""
    if len(table.css("table")) > 1:
        return False
    widths = [len(_cells(row)) for row in table.css("tr")]
    return len(widths) > 1 and max(widths) > 1


def rows(table: LexborNode) -> list[list[str]]:
    """The texts of the cells; a cell that spans several rows or columns is repeated in each."""
    grid: list[list[str]] = []
    hanging: dict[int, tuple[int, str]] = {}  # column -> rows that its cell still reaches down, and its text
    for row in table.css("tr"):
        filled = _filled_row(row, hanging)
        across = len(_cells(row)) == 1 and len(set(filled)) == 1  # one heading over all columns
        grid.append(filled[:1] if across else filled)
    return grid


def inline_text(node: LexborNode) -> str:
    """The text under a node with its white space; a line feed where a line or an inner block ends."""
    parts: list[str] = []
    stack = [node]
    while stack:
        current = stack.pop()
        tag = current.tag or ""
        if tag == "-text":
            parts.append(current.text_content or "")
        elif tag in ("br", "p", "li", "div"):
            parts.append("\n")
        if tag not in _UNREAD:
            stack.extend(reversed(list(current.iter(include_text=True))))
    return "".join(parts)


def _cells(row: LexborNode) -> list[LexborNode]:
    return [cell for cell in row.iter() if cell.tag in ("td", "th")]


def _filled_row(row: LexborNode, hanging: dict[int, tuple[int, str]]) -> list[str]:
    """One row with what hangs down from the rows above; `hanging` is brought up to date."""
    filled: list[str] = []
    for cell in _cells(row):
        _take_hanging(filled, hanging)
        text = one_line(inline_text(cell))
        for _ in range(_span(cell, "colspan", _WIDEST)):
            if (down := _span(cell, "rowspan", _TALLEST)) > 1:
                hanging[len(filled)] = (down - 1, text)
            filled.append(text)
    _take_hanging(filled, hanging)
    return filled


def _take_hanging(filled: list[str], hanging: dict[int, tuple[int, str]]) -> None:
    while len(filled) in hanging:
        column = len(filled)
        left, text = hanging.pop(column)
        filled.append(text)
        if left > 1:
            hanging[column] = (left - 1, text)


def _span(cell: LexborNode, attribute: str, most: int) -> int:
    value = (cell.attributes.get(attribute) or "1").strip()
    return max(1, min(int(value), most)) if value.isascii() and value.isdigit() and len(value) < 9 else 1
