"""The words of the law layer as frozen values.

Statute ids follow the citation (`osl-10-18a`); sectors, purposes and kinds are the closed lists of `law/terms.toml`.
Dates are calendar days in Sweden; a period runs from its first day up to, not including, its `until`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

Level = Literal["shared", "protected"]
ProvisionType = Literal["may", "shall"]
HarmTest = Literal["straight", "reverse", "absolute"]


class Condition(StrEnum):
    """What a provision can lack. The order is the order in which an officer would check."""

    IN_FORCE = "in-force"
    FROM_SECTOR = "from-sector"
    TO_SECTOR = "to-sector"
    PURPOSE = "purpose"
    SECRECY = "secrecy"
    KIND = "kind"
    SUBJECT_AGE = "subject-age"
    OPEN_QUESTION = "open-question"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Text:
    """A short text in both languages."""

    sv: str
    en: str


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of information a field holds (*uppgiftsslag*); `level` says whether any agency's token reaches it.

    `search_ban` cites the rules that forbid selecting persons by it (*sökförbud*), even among one's own data.
    """

    id: str
    level: Level
    title: Text
    search_ban: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One exposed field: its kind, who holds it, and the fields it is derived from (`resource.field`).

    `holder` is `row` where each row names its holder, else the sector that holds it whoever typed it.
    """

    resource: str
    name: str
    kind: Kind
    holder: str
    sources: tuple[str, ...]
    individual: bool
    key: bool


@dataclass(frozen=True, slots=True)
class SecrecyWording:
    """A secrecy rule's harm test (*skaderekvisit*) during one period."""

    valid_from: date
    until: date | None
    harm_test: HarmTest


@dataclass(frozen=True, slots=True)
class SecrecyRule:
    """A rule that makes information secret (*sekretessbestämmelse*), and the kinds it covers at which sectors.

    `not_held` says why a rule covers no kind that Samsyn holds; it can then be asked about by its id only.
    """

    id: str
    citation: str
    title: Text
    chapter: int
    protects: Literal["individual", "operation"]
    applies: frozenset[tuple[str, str]]
    closed_to_chapters: frozenset[int]
    wordings: tuple[SecrecyWording, ...]
    source: str
    confidence: str
    not_held: Text | None = None
    note: Text | None = None

    def in_force(self, day: date) -> SecrecyWording | None:
        """The wording of that day, if any."""
        return next((w for w in self.wordings if w.valid_from <= day and (w.until is None or day < w.until)), None)


@dataclass(frozen=True, slots=True)
class Breaks:
    """Which secrecy rules a provision breaks: named ones, whole chapters, or all; less the excepted."""

    everything: bool
    rules: frozenset[str]
    chapters: frozenset[int]
    protects: frozenset[str]
    harm_tests: frozenset[str]
    excepts: frozenset[str]


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question no lawyer has answered yet; it closes the provision for the combination it concerns.

    `equated`: it concerns only a holder that is an authority through OSL 2:3 alone.
    """

    number: int
    purposes: frozenset[str]
    secrecy: frozenset[str]
    from_sectors: frozenset[str]
    to_sectors: frozenset[str]
    equated: bool
    text: Text


@dataclass(frozen=True, slots=True)
class Wording:
    """What a provision says during one period. `None` for purposes, kinds or an age means no such condition.

    Ages are whole years on the day of disclosure: at least `age_from`, less than `age_below`. `other_sector`: the
    recipient is of another sector than the holder. `equated_from`: sectors whose companies a rule outside OSL names.
    """

    valid_from: date
    until: date | None
    type: ProvisionType
    from_sectors: frozenset[str]
    to_sectors: frozenset[str]
    purposes: frozenset[str] | None
    breaks: Breaks
    kinds: frozenset[str] | None
    age_from: int | None
    age_below: int | None
    initiative: frozenset[str]
    attestations: tuple[str, ...]
    open_questions: tuple[OpenQuestion, ...]
    other_sector: bool = False
    equated_from: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Provision:
    """A rule that lets or makes an agency disclose (*sekretessbrytande bestämmelse* or *uppgiftsskyldighet*).

    `general` marks an exit that exists for nearly everything; it never by itself opens an outcome.
    """

    id: str
    citation: str
    title: Text
    chapter: int | None
    general: bool
    wordings: tuple[Wording, ...]
    source: str
    confidence: str
    note: Text | None = None

    @property
    def equates(self) -> bool:
        """Whether companies that OSL 2:3 equates with authorities count as such here: in OSL itself, nowhere else."""
        return self.general or self.id.startswith("osl-")

    def in_force(self, day: date) -> Wording | None:
        """The wording of that day, if any."""
        return next((w for w in self.wordings if w.valid_from <= day and (w.until is None or day < w.until)), None)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A rule that a reader may look for and that is not encoded, with the reason; `planned` where it is future law."""

    citation: str
    why: Text
    planned: date | None


@dataclass(frozen=True, slots=True)
class Law:
    """Everything the engine knows, loaded once and checked whole by `catalogue.load`.

    `version` is a digest of the law files: equal versions decide equally. `sources` and `confidences` explain the codes
    that rules carry; `references` are citations of rules that provisions name and that lock nothing Samsyn holds.
    Nothing is decided by these, nor by `left_out`. `state_authorities` are sectors under the government (*statliga
    myndigheter*): they say where a refusal is appealed (OSL 6:8), and decide nothing either.
    """

    version: str
    sectors: Mapping[str, Text]
    authorities: frozenset[str]
    purposes: Mapping[str, Text]
    kinds: Mapping[str, Kind]
    fields: Mapping[tuple[str, str], Field]
    secrecy: Mapping[str, SecrecyRule]
    no_secrecy: Mapping[tuple[str, str], Text]
    provisions: Mapping[str, Provision]
    attestations: Mapping[str, Text]
    sources: Mapping[str, Text] = field(default_factory=dict)
    confidences: Mapping[str, Text] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    state_authorities: frozenset[str] = frozenset()

    def secrecy_of(self, kind: str, holder_sector: str) -> tuple[SecrecyRule, ...]:
        """The rules that lock this kind at this holder, whatever the day: all of them must open (OSL 7:3)."""
        return tuple(rule for rule in self.secrecy.values() if (holder_sector, kind) in rule.applies)

    def fields_of(self, resource: str) -> tuple[Field, ...]:
        """The exposed fields of a resource, in the order of the law file."""
        return tuple(field for (owner, _), field in self.fields.items() if owner == resource)


@dataclass(frozen=True, slots=True)
class Holder:
    """A sector whose agencies may hold rows; `own` is the caller's own agency, else every other one of the sector."""

    sector: str
    own: bool


@dataclass(frozen=True, slots=True)
class LiveDecision:
    """A recorded disclosure decision (*utlämnandebeslut*) that names the caller, neither revoked nor expired."""

    id: str
    holder_sector: str
    provision: str
    purpose: str
    fields: frozenset[str]
    holder_equated: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is asked, by whom and why: everything a decision rests on besides the law and the day.

    `caller_equated`: the caller is an authority only through OSL 2:3 (a company that a municipality or region owns).
    """

    caller_sector: str
    resource: str
    fields: tuple[str, ...]
    holders: tuple[Holder, ...] = ()
    purpose: str | None = None
    legal_basis: str | None = None
    case_reference: bool = False
    decisions: tuple[LiveDecision, ...] = ()
    caller_equated: bool = False


@dataclass(frozen=True, slots=True)
class RowRule:
    """Which rows: `any`, those the caller's agency holds (`own`), or those a disclosure decision names.

    The person must be at least `age_from` and younger than `age_below` on the day of reading; an unknown birth date
    fails either.
    """

    scope: Literal["any", "own", "decision"]
    decision: str | None = None
    age_below: int | None = None
    age_from: int | None = None


@dataclass(frozen=True, slots=True)
class Released:
    """A field that is handed out, and the ground that opens it."""

    field: str
    ground: str
    citation: str
    rows: RowRule
    holder_sector: str | None = None
    decision: str | None = None


@dataclass(frozen=True, slots=True)
class CouldOpen:
    """A provision that might open a withheld field, and what it lacks: conditions, or `decision`."""

    provision: str
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Withheld:
    """A field that is kept back: by which secrecy, for which reason, and what could open it."""

    field: str
    reason: str
    secrecy: tuple[str, ...]
    citation: str
    holder_sector: str | None
    could_open: tuple[CouldOpen, ...]


@dataclass(frozen=True, slots=True)
class Lack:
    """A condition that fails: what the provision requires and what the question holds."""

    condition: Condition
    required: str
    actual: str


@dataclass(frozen=True, slots=True)
class Question:
    """May this be shared? Exactly what `POST /explanations` can express.

    `holder_equated`, `recipient_equated`: that party is an authority only through OSL 2:3.
    """

    holder_sector: str
    recipient_sector: str
    purpose: str
    as_of: date
    kind: str | None = None
    secrecy: tuple[str, ...] | None = None
    subject_age: int | None = None
    holder_equated: bool = False
    recipient_equated: bool = False


@dataclass(frozen=True, slots=True)
class Assessment:
    """How one provision answers one question; `opens` are the secrecy rules it breaks of those asked about."""

    provision: Provision
    wording: Wording | None
    lacks: tuple[Lack, ...]
    opens: frozenset[str]
    attestations: tuple[str, ...]

    @property
    def available(self) -> bool:
        """Every hard condition that the question can express holds."""
        return not self.lacks
