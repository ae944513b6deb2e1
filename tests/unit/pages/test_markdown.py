"""Markdown as HTML: anchors, contents, boxes around tables; no HTML but anchors and line breaks gets through."""

import pytest

from api.pages.markdown import render

DOCUMENT = """\
# <a id="top"></a>Titel

## <a id="contents"></a>Innehåll

1. [Ett](#one)

## <a id="one"></a>Ett

| Bestämmelse | Från | Till | Dag |
| --- | --- | --- | --- |
| 10 kap. 18 a § OSL | a | b<br>c | 1 december 2025 |

### <a id="two"></a>Två `kod`

#### <a id="three"></a>Tre

| Gäller | nu |
| --- | --- |
| x | y |

## <a id="four"></a>Fyra

| a | b |
| --- | --- |
"""


def test_headings_carry_their_anchors_and_no_empty_link_is_left():
    html = render(DOCUMENT, without="contents").html
    assert '<h1 id="top">Titel</h1>' in html
    assert '<h3 id="two">Två <code>kod</code></h3>' in html
    assert "<a id=" not in html


def test_contents_nest_by_level_and_leave_the_title_out():
    one, four = render(DOCUMENT, without="contents").contents
    assert (one.anchor, one.text, [below.anchor for below in one.below]) == ("one", "Ett", ["two"])
    assert [below.text for below in one.below[0].below] == ["Tre"]
    assert (four.anchor, four.below) == ("four", [])


def test_section_that_is_left_out_is_gone_to_the_next_heading():
    html = render(DOCUMENT, without="contents").html
    assert "Innehåll" not in html
    assert 'href="#one"' not in html
    assert '<h2 id="one">' in html


def test_tables_stand_in_a_named_box_and_are_told_apart():
    html = render(DOCUMENT, without="contents").html
    box = '<div class="wide" role="region" tabindex="0" aria-label="{}"><table class="{}">'
    assert box.format("Ett", "listing") in html
    assert box.format("Tre", "entry") in html
    assert box.format("Fyra", "small") in html
    assert html.count("</table>\n</div>") == html.count("<table") == 3


def test_numbers_of_paragraphs_and_days_do_not_break_over_lines():
    html = render(DOCUMENT, without="contents").html
    assert "10\u00a0kap. 18\u00a0a\u00a0§ OSL" in html
    assert "1\u00a0december 2025" in html


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "Text <img src=x onerror=alert(1)>",
        'Text <a id="x" onclick="y">',
        '<a href="https://elsewhere.example">x</a>',
        "<!-- note -->",
        "| a |\n| --- |\n| <b>x</b> |",
    ],
)
def test_other_html_is_refused(html):
    with pytest.raises(ValueError, match="HTML in the document"):
        render(f'# <a id="top"></a>Titel\n\n{html}\n', without="contents")
