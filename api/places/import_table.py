"""CSV and GeoJSON files as rows of clean cells, whatever a spreadsheet or an editor has done to them.

UTF-8 with or without BOM, else ISO-8859-1 (reported); comma, semicolon or tab; quoted cells, but no line breaks in
them. Read line by line: a damaged line costs that line and no other. Memory is bounded by the limits below.
"""

import codecs
import csv
import io
import json
import re
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NoReturn

from api.places.import_result import ImportFileError, Row, RowProblem

MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_GEOJSON_BYTES = 32 * 1024 * 1024
MAX_ROWS = 1_000_000
MAX_LINE = 65_536
MAX_CELL = 2_000
_SPOOL_BYTES = 8 * 1024 * 1024
_CHUNK = 65_536
_DELIMITERS = (",", ";", "\t")
# å ä ö Å Ä Ö as UTF-8: in a file that is not UTF-8 throughout, these tell that it was meant to be.
_SWEDISH_IN_UTF8 = re.compile(rb"\xc3[\x84\x85\x96\xa4\xa5\xb6]")

Columns = Sequence[str | tuple[str, ...]]


def read_rows(stream: BinaryIO, required: Columns, problems: list[RowProblem]) -> Iterator[Row]:
    """Rows of a CSV file, or features of a GeoJSON FeatureCollection (its properties are the cells).

    `required` names the columns that must be there; a tuple names alternatives. Appends to `problems` what is wrong in
    a row that is not given. Raises `ImportFileError` where the file cannot be read or lacks a column.
    """
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
        encoding = _copy(stream, spool)
        if encoding == "iso-8859-1":
            problems.append(RowProblem(0, "", "is not UTF-8; read as ISO-8859-1: check å, ä and ö", kept=True))
        spool.seek(0)
        start = spool.read(_CHUNK).removeprefix(codecs.BOM_UTF8).lstrip()
        spool.seek(0)
        if start.startswith(b"{"):
            yield from _features(spool, encoding, required, problems)
        else:
            yield from _lines(spool, encoding, required, problems)


def _copy(stream: BinaryIO, spool: Any) -> str:
    """Copy a stream to a seekable file, and tell its encoding: "utf-8-sig" (BOM or not) or "iso-8859-1"."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, has_utf8_letters, size = True, False, 0
    try:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > MAX_FILE_BYTES:
                raise ImportFileError(f"the file is larger than {MAX_FILE_BYTES >> 20} MB", "split it")
            has_utf8_letters = has_utf8_letters or _SWEDISH_IN_UTF8.search(chunk) is not None
            is_utf8 = is_utf8 and _decodes(decoder, chunk)
            spool.write(chunk)
    except OSError as error:
        raise ImportFileError("the file cannot be read", "check that it is there and may be read") from error
    if not size:
        raise ImportFileError("the file is empty", "export it again")
    if is_utf8 and _decodes(decoder, b"", final=True):
        return "utf-8-sig"
    if has_utf8_letters:
        raise ImportFileError("the file is UTF-8 in one place and not in another", "save it as UTF-8 throughout")
    return "iso-8859-1"


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    """Tell whether a chunk goes on being valid in the decoder's encoding."""
    try:
        decoder.decode(chunk, final=final)
    except UnicodeDecodeError:
        return False
    return True


def _lines(spool: Any, encoding: str, required: Columns, problems: list[RowProblem]) -> Iterator[Row]:
    """Rows of a CSV file; the row number is the line number."""
    # INVARIANT: each line is parsed by itself, so an unmatched quotation mark cannot swallow the lines after it.
    text = io.TextIOWrapper(spool, encoding, newline="")
    header_line = text.readline(MAX_LINE)
    if "\0" in header_line:
        raise ImportFileError("the file holds NUL bytes in its first line", "save it as CSV in UTF-8, not UTF-16")
    delimiter = max(_DELIMITERS, key=header_line.count)
    header = [" ".join(name.split()).casefold() for name in _cells(header_line, delimiter) or []]
    _require_columns(header, required)
    number = 1
    while line := text.readline(MAX_LINE):
        number += 1
        if number > MAX_ROWS:
            raise ImportFileError(f"the file has more than {MAX_ROWS} rows", "split it")
        if len(line) == MAX_LINE and not line.endswith(("\n", "\r")):
            _skip_line(text)
            problems.append(RowProblem(number, "", f"is longer than {MAX_LINE} characters"))
            continue
        row = _row(number, line, delimiter, header, problems)
        if row is not None:
            yield row
    text.detach()


def _row(number: int, line: str, delimiter: str, header: list[str], problems: list[RowProblem]) -> Row | None:
    """One line as a row; None where it is blank, or unusable and therefore reported."""
    if not line.strip(delimiter + " \t\r\n"):
        return None
    cells = _cells(line, delimiter)
    if cells is None:
        reason = "quotation marks do not match; a cell may not hold a line break"
        problems.append(RowProblem(number, "", reason))
        return None
    if len(cells) != len(header):
        problems.append(RowProblem(number, "", f"has {len(cells)} cells; the header has {len(header)}"))
        return None
    return _clean(number, dict(zip(header, cells, strict=True)), problems)


def _cells(line: str, delimiter: str) -> list[str] | None:
    """The cells of one line, or None where its quotation marks do not match."""
    try:
        parsed = list(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return parsed[0] if len(parsed) == 1 else None


def _clean(number: int, cells: dict[str, str], problems: list[RowProblem], geometry: Any = None) -> Row | None:
    """A row with stray spaces taken away; None where a cell is too long or holds control characters."""
    clean: dict[str, str] = {}
    for name, cell in cells.items():
        if len(cell) > MAX_CELL:
            problems.append(RowProblem(number, name, f"is longer than {MAX_CELL} characters"))
            return None
        clean[name] = " ".join(cell.replace("\ufeff", "").split())
        if any(unicodedata.category(character) in {"Cc", "Cs"} for character in clean[name]):
            problems.append(RowProblem(number, name, "holds a NUL byte or another control character"))
            return None
    return Row(number, clean, geometry)


def _skip_line(text: io.TextIOWrapper) -> None:
    """Read on to the end of a line without keeping it."""
    while (rest := text.readline(MAX_LINE)) and not rest.endswith(("\n", "\r")):
        pass


def _require_columns(header: Sequence[str], required: Columns) -> None:
    """Refuse a header that lacks columns, naming them, or that has one twice."""
    alternatives = [(names,) if isinstance(names, str) else names for names in required]
    missing = [" or ".join(names) for names in alternatives if not set(names) & set(header)]
    if missing:
        raise ImportFileError(
            f"the file lacks the columns {', '.join(missing)}", "check that it is the right file, with its header line"
        )
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise ImportFileError(f"the file has the columns {', '.join(twice)[:200]} twice", "remove one of them")


def _features(spool: Any, encoding: str, required: Columns, problems: list[RowProblem]) -> Iterator[Row]:
    """Features of a FeatureCollection; the row number counts features from 1."""
    raw = spool.read(MAX_GEOJSON_BYTES + 1)
    if len(raw) > MAX_GEOJSON_BYTES:
        raise ImportFileError(f"the GeoJSON is larger than {MAX_GEOJSON_BYTES >> 20} MB", "simplify its outlines")
    try:
        document = json.loads(raw.decode(encoding), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ImportFileError("the file is not JSON", "export it again as GeoJSON") from error
    features = document.get("features")
    if document.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise ImportFileError("the file is not a GeoJSON FeatureCollection", "export it again as GeoJSON")
    properties = [feature.get("properties") if isinstance(feature, dict) else None for feature in features]
    # Features need not have the same properties: a column is there when any feature has it.
    names = {name.casefold() for cells in properties if isinstance(cells, dict) for name in cells}
    _require_columns(sorted(names), required)
    for number, (feature, cells) in enumerate(zip(features, properties, strict=True), 1):
        if not isinstance(cells, dict):
            problems.append(RowProblem(number, "", "is not a Feature with properties"))
            continue
        texts = dict.fromkeys(names, "") | {
            name.casefold(): str(cell) for name, cell in cells.items() if isinstance(cell, str | int | float)
        }
        row = _clean(number, texts, problems, feature.get("geometry"))
        if row is not None:
            yield row


def _refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which are not JSON."""
    raise ValueError(name)
