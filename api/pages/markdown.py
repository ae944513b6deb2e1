"""Markdown of our own making as HTML: anchors on headings, tables that scroll inside their box, a table of contents."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

_ANCHOR = re.compile(r'<a id="([a-z0-9][a-z0-9-]*)">')
# INVARIANT: the only HTML that may stand in the Markdown. Text out of the law files comes escaped.
_ALLOWED = re.compile(rf"{_ANCHOR.pattern}|</a>|<br>")
# What stays on one line: `10 kap.`, `18 a §`, `1 december 2025`.
_UNBROKEN = re.compile(r"(?<=\d) (?=kap\.|§|[a-z] §|[a-z] kap\.|[a-z]+ \d{4})|(?<=\d [a-z]) (?=§|kap\.)")
_ENTRY_LEVEL = 4
_FITTING = 3


@dataclass
class Heading:
    """One line of the table of contents, with those below it."""

    anchor: str
    text: str
    level: int
    below: list["Heading"] = field(default_factory=list)


@dataclass(frozen=True)
class Rendered:
    """A document as HTML, and its table of contents below the document's own title."""

    html: str
    contents: tuple[Heading, ...]


def render(markdown: str, *, without: str) -> Rendered:
    """The document as HTML; the section whose anchor is `without` is left out, since the page lists its own contents.

    Raises `ValueError` for HTML in the Markdown other than anchors and line breaks.
    """
    parser = MarkdownIt("commonmark").enable("table")
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    tokens = list(_without(parser.parse(markdown), without))
    headings = list(_anchored(tokens))
    _mark_tables(tokens)
    for token in tokens:
        for child in token.children or []:
            _check(child)
            if child.type == "text":
                child.content = _UNBROKEN.sub("\u00a0", child.content)
    return Rendered(str(parser.renderer.render(tokens, parser.options, {})), tuple(_tree(headings)))


def _check(token: Token) -> None:
    if token.type in {"html_inline", "html_block"} and not _ALLOWED.fullmatch(token.content):
        raise ValueError(f"HTML in the document: {token.content!r}")


def _anchor_of(inline: Token) -> str | None:
    first = inline.children[0] if inline.children else None
    match = _ANCHOR.fullmatch(first.content) if first is not None and first.type == "html_inline" else None
    return match[1] if match else None


def _without(tokens: Sequence[Token], anchor: str) -> Iterator[Token]:
    """All but the section under the heading with that anchor, up to the next heading."""
    skipping = False
    for place, token in enumerate(tokens):
        _check(token)
        if token.type == "heading_open":
            skipping = _anchor_of(tokens[place + 1]) == anchor
        if not skipping:
            yield token


def _anchored(tokens: Sequence[Token]) -> Iterator[Heading]:
    """Give each heading its anchor as `id`, in place of the empty link that carries it in Markdown."""
    for opening, inline in pairwise(tokens):
        anchor = _anchor_of(inline) if opening.type == "heading_open" else None
        if anchor is not None and inline.children is not None:
            opening.attrSet("id", anchor)
            del inline.children[:2]
            text = "".join(child.content for child in inline.children)
            yield Heading(anchor, text, int(opening.tag[1:]))


def _mark_tables(tokens: Sequence[Token]) -> None:
    """Tell apart the table of one rule, tables that fit a narrow screen, and those that must scroll there."""
    level, title, table, columns = 0, "", None, 0
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            level, title = int(opening.tag[1:]), "".join(child.content for child in inline.children or [])
        elif opening.type == "table_open":
            table, columns = opening, 0
            opening.meta = {"title": title}
        elif opening.type == "th_open":
            columns += 1
        elif opening.type == "thead_close" and table is not None:
            fitting = "small" if columns <= _FITTING else "listing"
            table.attrSet("class", "entry" if level >= _ENTRY_LEVEL else fitting)


def _table_open(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    # A box that scrolls must be reachable by keyboard, and then it needs a name.
    box = Token("box", "div", 1, attrs={"class": "wide", "role": "region", "tabindex": "0"})
    box.attrSet("aria-label", tokens[index].meta["title"])
    return f"<div{renderer.renderAttrs(box)}>{renderer.renderToken(tokens, index, options, env)}"


def _table_close(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return f"{renderer.renderToken(tokens, index, options, env)}</div>"


def _tree(headings: Sequence[Heading]) -> list[Heading]:
    """Headings below one another by their levels; the document's title is none of them."""
    roots: list[Heading] = []
    path: list[Heading] = []
    for heading in (one for one in headings if one.level > 1):
        while path and path[-1].level >= heading.level:
            path.pop()
        (path[-1].below if path else roots).append(heading)
        path.append(heading)
    return roots
