"""What the log shows of itself, and what a witness sends. Hashes are in base64; none of it is content."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.web.datatypes import Body, Out
from api.web.paging import Link

_HASH = {"example": "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", "pattern": "^[A-Za-z0-9+/]{43}=$"}
_ORIGIN = "samsyn.example/ledger"
_LOG_KEY = f"{_ORIGIN}+0ee0b2d4+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
_WITNESS_KEY = "polis.example/witness+5b9c1e0f+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
_TEXT = f"{_ORIGIN}\n20852163\n{_HASH['example']}\n"
_SIGNED = "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8="
_COSIGNED = "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
EXAMPLE_NOTE = f"{_TEXT}\n— {_ORIGIN} {_SIGNED}\n— polis.example/witness {_COSIGNED}\n"
# A name, without what one reader or another takes for a space.
_NAME = r"[^\s+\x00-\x20\x7f-\xa0\ufeff]+"
# Base64 in its one spelling: the last sign before `=` has no bits over.
_SIGN = "[A-Za-z0-9+/]"
_LAST, _LAST_OF_TWO = "[AEIMQUYcgkosw048]=", "[AQgw]=="
_ROOT = f"{_SIGN}{{42}}{_LAST}"
_ROOT_OF_NONE = r"47DEQpj8HBSa\+/TImW\+5JCeuQeRkm5NMpJWZG3hSuFU="
# A key's id is four bytes, and something is signed.
_SIGNATURE = f"(?:{_SIGN}{{4}})+(?:{_SIGN}{{4}}|{_SIGN}{{2}}{_LAST}|{_SIGN}{{5}}{_LAST_OF_TWO})"
NOTE_PATTERN = (
    rf"^{_NAME}\n(?:0\n{_ROOT_OF_NONE}|[1-9][0-9]{{0,17}}\n{_ROOT})\n"
    rf"(?:\n— {_NAME} {_SIGNATURE}){{1,100}}\n$"
)

Hash = Annotated[str, Field(json_schema_extra=_HASH)]


class WitnessOut(Out):
    """An agency that cosigns checkpoints (*vittne*), and the text of its key."""

    agency: str = Field(json_schema_extra={"example": "polismyndigheten"})
    key: str = Field(json_schema_extra={"example": _WITNESS_KEY})


class LedgerKeyOut(Out):
    """The log's key, and its witnesses' keys, as C2SP writes them: `name+keyid+base64`."""

    origin: str = Field(json_schema_extra={"example": _ORIGIN})
    key: str = Field(json_schema_extra={"example": _LOG_KEY})
    witnesses: list[WitnessOut]
    links_: dict[str, Link] | None = Field(default=None, alias="_links")


class LeafOut(Out):
    """A leaf without its content: place, receipt, microseconds since 1970, and the root over what it commits to."""

    index: int = Field(ge=0)
    receipt: UUID
    at_us: int = Field(ge=0, json_schema_extra={"example": 1795168800123456})
    content_root: Hash


class LeavesMeta(Out):
    """How many leaves the log has, and how many of them are here."""

    size: int = Field(ge=0)
    count: int = Field(ge=0)


class LeafPage(Out):
    """Leaves in order, at most a thousand; `next` where there are more."""

    items: list[LeafOut]
    meta_: LeavesMeta = Field(alias="_meta")
    links_: dict[str, Link] = Field(alias="_links")


class InclusionOut(Out):
    """That a leaf is in the log of `size` leaves: hash it, and go up `path` to `root` (RFC 9162, 2.1.3.2)."""

    leaf: LeafOut
    size: int = Field(ge=1)
    root: Hash
    path: list[Hash]
    links_: dict[str, Link] | None = Field(default=None, alias="_links")


class ConsistencyOut(Out):
    """That the log of `to` leaves begins with that of `from` (RFC 9162, 2.1.4.2)."""

    from_: int = Field(ge=0, alias="from")
    from_root: Hash
    to: int = Field(ge=0)
    to_root: Hash
    path: list[Hash]
    links_: dict[str, Link] | None = Field(default=None, alias="_links")


class CosignatureIn(Body):
    """A checkpoint of this log as a signed note, with the agency's cosignature line (c2sp.org/tlog-cosignature)."""

    checkpoint: Annotated[
        str,
        StringConstraints(pattern=NOTE_PATTERN, max_length=10_000, strict=True),
        Field(json_schema_extra={"example": EXAMPLE_NOTE}),
    ]


class CosignatureOut(Out):
    """A cosignature that is kept, and shown with the checkpoint of that size."""

    agency: str = Field(json_schema_extra={"example": "polismyndigheten"})
    size: int = Field(ge=0)
    root: Hash
    signed_at: int = Field(ge=0, description="POSIX seconds", json_schema_extra={"example": 1679315147})
    links_: dict[str, Link] | None = Field(default=None, alias="_links")
