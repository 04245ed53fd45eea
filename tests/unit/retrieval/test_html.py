from datetime import date

from retrieval.parsing import Block, ParsedDocument, parse

PROSE = "<p>" + "The meter reports its readings every fifteen minutes by radio to the gateway. " * 6 + "</p>"


def read(body: str, head: str = "") -> ParsedDocument:
    return parse(f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode(), "page.html")


def words(document: ParsedDocument) -> str:
    return "\n".join(block.text for block in document.blocks)


def test_a_marked_main_part_is_read_without_menus_margins_and_footers() -> None:
    document = read(
        "<header>Intranet</header><nav><ul><li>Home</li></ul></nav><aside>Canteen</aside>"
        f"<main><h1>Codes</h1>{PROSE}<nav>On this page</nav><h2>Battery</h2><p>It lasts.</p></main><footer>Imprint</footer>",
        "<title>Codes - Wiki</title>",
    )
    assert (document.title, document.media_type) == ("Codes", "text/html")
    assert document.blocks[-1] == Block("It lasts.", ("Battery",))
    assert not [
        word for word in ("Intranet", "Home", "Canteen", "Imprint", "On this page") if word in words(document)
    ]


def test_a_page_that_marks_nothing_loses_its_menu_by_its_look() -> None:
    menu = "".join(f"<a href='/{at}'>Entry {at}</a> " for at in range(9))
    document = read(
        f"<div class=menu>{menu}</div><div><h1>Codes</h1>{PROSE * 3}</div><div class=footer>All rights</div>"
    )
    assert "reports its readings" in words(document)
    assert "Entry 3" not in words(document)


def test_a_short_page_keeps_all_its_words() -> None:
    document = read(
        "<h1>Hours</h1><p>Open until six.</p><table><tr><th>Day</th><th>End</th></tr><tr><td>Mon</td><td>6</td></tr></table>"
    )
    assert "Open until six." in words(document)
    assert "Day | End\nMon | 6" in words(document)


def test_a_tiny_article_does_not_hide_the_rest_of_the_page() -> None:
    assert "reports its readings" in words(read(f"<article>Teaser</article><div>{PROSE * 2}</div>"))


def test_cells_that_span_are_repeated_so_that_every_row_is_complete() -> None:
    table = (
        "<table><caption>Pay</caption><tr><th>Role<th colspan=2>Band</tr>"
        "<tr><td rowspan=2>Lead<td>A<td>B</tr><tr><td>C<td>D | E</tr><tr><td colspan=3>Note</tr></table>"
    )
    assert [(block.kind, block.text) for block in read(f"<main>{table}</main>").blocks] == [
        ("paragraph", "Pay"),
        ("table", "Role | Band | Band\nLead | A | B\nLead | C | D / E\nNote |  | "),
    ]


def test_a_span_of_a_billion_columns_costs_nothing() -> None:
    document = read(
        "<main><table><tr><td colspan=999999999 rowspan=99999999>a<td>b</tr><tr><td>c</tr></table></main>"
    )
    assert len(words(document)) < 1000


def test_a_table_that_lays_out_a_page_is_read_as_prose() -> None:
    document = read(
        "<main><table><tr><td><h2>Left</h2><p>One.</p></td><td><p>Two.</p></td></tr></table></main>"
    )
    assert [(block.kind, block.text) for block in document.blocks] == [
        ("paragraph", "One."),
        ("paragraph", "Two."),
    ]


def test_what_is_hidden_from_readers_is_hidden_from_answers() -> None:
    hidden = "<p hidden>a1</p><p style='color:red; display:none'>a2</p><div style='visibility: hidden'><p hidden>a3</p></div><!-- a4 --><template>a5</template>"
    document = read(f"<main>{PROSE}{hidden}</main>")
    assert not [word for word in ("a1", "a2", "a3", "a4", "a5") if word in words(document)]


def test_date_and_author_come_from_the_pages_fields() -> None:
    fields = "<meta name=author content='People team'><meta property='article:modified_time' content='2026-05-11T08:00:00Z'>"
    document = read(f"<main>{PROSE}</main>", fields)
    assert (document.dated, document.author) == (date(2026, 5, 11), "People team")


def test_definitions_stand_behind_their_terms() -> None:
    assert read(
        "<main><dl><dt>Gold</dt><dd>Day and night.</dd><dt>Basic</dt><dd>Office hours.</dd></dl></main>"
    ).blocks[0].text == ("- Gold: Day and night.\n- Basic: Office hours.")


def test_the_declared_encoding_is_believed() -> None:
    data = "<html><head><meta charset=iso-8859-2></head><body><main><p>Łódź i Gdańsk</p></main></body></html>".encode(
        "iso-8859-2"
    )
    assert parse(data, "a.html").blocks[0].text == "Łódź i Gdańsk"


def test_deep_nesting_ends_in_text() -> None:
    assert words(read("<div>" * 3000 + "deep")) == "deep"
