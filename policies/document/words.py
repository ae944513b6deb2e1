"""What the document for lawyers is written with: Markdown, and the law's ids as Swedish words with links."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import groupby

from policies.document.swedish import listed, natural, split_citation
from policies.model import Breaks, Law, OpenQuestion, Provision, SecrecyRule, Text

HARM_TESTS = {"straight": "rakt skaderekvisit", "reverse": "omvänt skaderekvisit", "absolute": "absolut sekretess"}
PROTECTS = {"individual": "den enskilde", "operation": "verksamheten (allmänt intresse)"}
NEW_LINE = "<br>"
# What an open question closes that names no combination.
EVERYTHING = "helt"
_SPECIAL = str.maketrans({**{sign: f"\\{sign}" for sign in "\\`*_[]|"}, "<": "&lt;", ">": "&gt;", "&": "&amp;"})


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Text out of the law files as Markdown that shows it letter by letter."""
    return " ".join(text.split()).translate(_SPECIAL)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; cells are Markdown on one line."""
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def heading(level: int, anchor: str, text: str) -> str:
    """A heading that can be linked to by a name that does not follow its words."""
    return f'{"#" * level} <a id="{anchor}"></a>{text}'


def anchor_of_code(prefix: str, code: str) -> str:
    """The anchor of a source or confidence code: `kalla-s1`, `sakerhet-oppen` for `?`."""
    return f"{prefix}-{'oppen' if code == '?' else code.lower()}"


def anchored_code(prefix: str, code: str) -> str:
    """A source or confidence code where it is explained, to be linked to."""
    return f'<a id="{anchor_of_code(prefix, code)}"></a>{plain(code)}'


def spans(chapters: frozenset[int]) -> str:
    """`21–40`, or `10 och 12`."""
    runs = [
        [chapter for _, chapter in run]
        for _, run in groupby(enumerate(sorted(chapters)), key=lambda pair: pair[1] - pair[0])
    ]
    return listed(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


class Words:
    """The law's ids in Swedish, in the order of the law files, with links inside the document."""

    def __init__(self, law: Law) -> None:
        self.law = law

    def sectors(self, ids: frozenset[str], word: str = "och") -> str:
        """Sectors by name; the whole circle of authorities, and everybody, by a word of their own."""
        if ids == frozenset(self.law.sectors):
            return "alla, även enskilda"
        if ids == self.law.authorities:
            return "alla myndigheter"
        return listed((plain(text.sv) for sector, text in self.law.sectors.items() if sector in ids), word)

    def purposes(self, ids: frozenset[str] | None) -> str:
        """Purposes by name; `None` is every purpose."""
        if ids is None:
            return "alla"
        return "; ".join(plain(text.sv) for purpose, text in self.law.purposes.items() if purpose in ids)

    def kinds(self, ids: Iterable[str] | None) -> str:
        """Kinds by name; `None` is every kind."""
        if ids is None:
            return "alla uppgiftsslag"
        chosen = set(ids)
        return ", ".join(plain(kind.title.sv) for kind in self.law.kinds.values() if kind.id in chosen)

    def linked(self, identity: str, text: str) -> str:
        """The text, as a link to the rule's entry where it has one."""
        encoded = identity in self.law.secrecy or identity in self.law.provisions
        return f"[{plain(text)}](#{identity})" if encoded else plain(text)

    def _citation(self, identity: str) -> str:
        rule = self.law.secrecy.get(identity) or self.law.provisions.get(identity)
        return rule.citation if rule else self.law.references[identity]

    def cited(self, ids: Iterable[str], marks: Mapping[str, str] | None = None) -> str:
        """Citations of rules, each statute and chapter named once: `25 kap. 1 §, 3 §; 26 kap. 1 § OSL`.

        `marks` are words to put after some of them.
        """
        whole: list[str] = []
        split: list[tuple[str, str, str]] = []
        for identity in sorted(set(ids), key=natural):
            citation, mark = self._citation(identity), (marks or {}).get(identity, "")
            parts = split_citation(citation)
            if parts is None:
                whole.append(self.linked(identity, citation) + mark)
            else:
                statute, chapter, section = parts
                split.append((statute, chapter, self.linked(identity, section) + mark))
        split.sort(key=lambda row: (row[0] != "OSL", row[0]))
        shown = []
        for statute, rows in groupby(split, key=lambda row: row[0]):
            chapters = groupby(rows, key=lambda row: row[1])
            named = (f"{chapter} {', '.join(row[2] for row in sections)}".strip() for chapter, sections in chapters)
            shown.append(f"{'; '.join(named)} {plain(statute)}")
        return "; ".join([*shown, *whole])

    def small_print(self, rule: SecrecyRule | Provision, chapter: str) -> str:
        """Id, chapter, source and confidence on one line."""
        sources = listed(f"[{plain(code)}](#{anchor_of_code('kalla', code)})" for code in rule.source.split(", "))
        sure = f"[{plain(rule.confidence)}](#{anchor_of_code('sakerhet', rule.confidence)})"
        return f"`{rule.id}` · {chapter} · källa {sources} · säkerhet {sure}"

    def question(self, asked: OpenQuestion) -> str:
        """An open question by its number, as a link."""
        return f"[Fråga {asked.number}](#fraga-{asked.number})"

    def closes(self, asked: OpenQuestion) -> str:
        """The combination for which an open question closes its provision."""
        scope = [
            f"för ändamålet {self.purposes(asked.purposes)}" if asked.purposes else "",
            f"för uppgifter under {self.cited(asked.secrecy)}" if asked.secrecy else "",
            f"när den som lämnar är {self.sectors(asked.from_sectors, 'eller')}" if asked.from_sectors else "",
            f"när den som tar emot är {self.sectors(asked.to_sectors, 'eller')}" if asked.to_sectors else "",
            "när den som lämnar är myndighet bara genom 2 kap. 3 § OSL" if asked.equated else "",
        ]
        return " och ".join(filter(None, scope)) or EVERYTHING

    def breaks(self, breaks: Breaks) -> str:
        """What a wording breaks, in the provision's own terms."""
        said = [
            "all sekretess" if breaks.everything else "",
            f"sekretess enligt {spans(breaks.chapters)} kap. OSL" if breaks.chapters else "",
            *(f"sekretess till skydd för {words}" for name, words in PROTECTS.items() if name in breaks.protects),
            *(f"sekretess med {words}" for name, words in HARM_TESTS.items() if name in breaks.harm_tests),
            self.cited(breaks.rules),
        ]
        return "; ".join(filter(None, said)) or "ingen sekretess"

    def titles(self, ids: Iterable[str], texts: Mapping[str, Text]) -> str:
        """The Swedish texts of some ids, in the order of the law file."""
        chosen = set(ids)
        return listed(plain(text.sv) for key, text in texts.items() if key in chosen)
