"""Find the delimiter and the schema's columns in a file's first record."""

import csv
import difflib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from include.data_contracts.feature_schema import (
    CategoricalColumn,
    FeatureSchema,
    normalise_name,
    normalise_spelling,
)
from sagemaker_jobs.job_entry import InvalidInputError
from sagemaker_jobs.problem_ledger import shorten

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
TITLE_LINES = 20  # how far down a header is looked for, below titles and comments
_FOREIGN_DELIMITERS = {
    ":": "colon",
    "^": "caret",
    "~": "tilde",
    "\x01": "control-A",
    " ": "space",
    "#": "hash",
}
_SEPARATOR_HINT = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)


@dataclass(frozen=True)
class HeaderMatch:
    """Where each schema column stands in a file: canonical name to position (from 0) and source name.

    `extra_columns` are the names and positions of the columns that the schema does not speak of.
    """

    positions: dict[str, int]
    source_names: dict[str, str]
    renamed: tuple[tuple[str, str], ...]
    extra_columns: tuple[tuple[str, int], ...]
    column_count: int


@dataclass(frozen=True)
class Header:
    """The first record of a CSV file; `size_bytes` and `lines` are what stands before the first data row."""

    cells: tuple[str, ...]
    delimiter: str
    size_bytes: int
    lines: int


def _known_names(schema: FeatureSchema) -> dict[str, str]:
    return {
        normalise_name(s): column.name for column in schema.columns for s in (column.name, *column.aliases)
    }


def _first_record(lines: list[str], delimiter: str) -> tuple[list[str], int]:
    reader = csv.reader(lines, delimiter=delimiter)
    return next(reader, []), reader.line_num


def read_header(start: str, schema: FeatureSchema, name: str) -> Header:
    """Read the header from a file's first characters (without byte order mark).

    Blank lines and a spreadsheet's `sep=;` line before it are skipped. The delimiter is the one of comma,
    semicolon, tab and pipe that finds most of the schema's columns; another one is refused by name.
    """
    csv.field_size_limit(1 << 30)
    lines = io.StringIO(start, newline="").readlines()
    skipped = 0
    hint = _SEPARATOR_HINT.match(start)
    if hint:
        skipped = 1
    while skipped < len(lines) and not lines[skipped].strip():
        skipped += 1
    known = _known_names(schema)

    def count_matches(delimiter: str, first: int = skipped) -> tuple[int, int]:
        cells, _ = _first_record(lines[first : first + 20], delimiter)
        return sum(normalise_name(cell) in known for cell in cells), len(cells)

    delimiter = max(DELIMITERS, key=count_matches)
    if count_matches(delimiter)[0] <= 1:
        for foreign, word in _FOREIGN_DELIMITERS.items():
            if count_matches(foreign)[0] >= 2:
                raise InvalidInputError(
                    f"{name}: the columns are separated by {word}s; use comma, semicolon, tab or pipe"
                )
        for first in range(skipped + 1, min(skipped + TITLE_LINES, len(lines))):
            if max(count_matches(candidate, first)[0] for candidate in DELIMITERS) >= 3:
                raise InvalidInputError(
                    f"{name}, line {first + 1}: the header stands here; remove the {first} lines above it"
                )
    cells, record_lines = _first_record(lines[skipped:], delimiter)
    used = lines[: skipped + record_lines]
    return Header(tuple(cells), delimiter, len("".join(used).encode()), len(used))


def _looks_like_data(cells: Iterable[str], schema: FeatureSchema) -> bool:
    spellings = {normalise_spelling(s) for s in (*schema.target.positive, *schema.target.negative)}
    for column in schema.columns:
        if isinstance(column, CategoricalColumn):
            spellings |= {normalise_spelling(name) for name in column.level_names}
    return sum(normalise_spelling(c) in spellings or bool(re.match(r"\s*-?\d", c)) for c in cells) >= 2


def _refuse_missing(missing: list[str], header: tuple[str, ...], known: dict[str, str], place: str) -> None:
    names = sorted(set(known))
    notes = []
    for column in missing:
        own = [name for name in names if known[name] == column]
        free = [cell for cell in header if normalise_name(cell) not in known and cell.strip()]
        scores = [
            (difflib.SequenceMatcher(None, normalise_name(cell), name).ratio(), cell)
            for cell in free[:200]
            for name in own
        ]
        best = max(scores, default=(0.0, ""))
        notes.append(f"{column!r} (is it {shorten(best[1])!r}?)" if best[0] > 0.6 else repr(column))
    found = ", ".join(shorten(cell) for cell in header[:30])
    raise InvalidInputError(
        f"{place}: no column {', '.join(notes)}; found: {found}; rename it in the file or add an alias to the"
        " schema"
    )


def _refuse_missing_header(cells: tuple[str, ...], place: str) -> None:
    start = shorten(", ".join(cells))
    raise InvalidInputError(
        f"{place}: the file has no header, it starts with {start!r}; put column names in the first line"
    )


def match_header(cells: tuple[str, ...], schema: FeatureSchema, place: str) -> HeaderMatch:
    """Match a file's column names with the schema; `place` names file and line in errors.

    Case, spaces and punctuation do not matter. Refused, all by name: no header at all, a missing column, a
    column given twice, a column that gives the label away.
    """
    known = _known_names(schema)
    leaks = {normalise_name(leak) for leak in schema.leak_columns}
    for position, cell in enumerate(cells):
        if normalise_name(cell) in leaks:
            raise InvalidInputError(
                f"{place}, column {position + 1}: {shorten(cell)!r} gives the label away (the schema lists it"
                " as a leak); remove it from the export"
            )
    match = _locate_columns(cells, schema, known, place)
    missing = [column.name for column in schema.columns if column.name not in match.positions]
    if missing:
        _refuse_missing(missing, cells, known, place)
    return match


def match_batch_header(
    cells: tuple[str, ...], schema: FeatureSchema, place: str, *, with_id: bool = False
) -> HeaderMatch:
    """Match the features of a batch that is to be judged, not learnt from, and its id if it is wanted.

    A missing column is evidence, no error, as long as one feature is there; what would give the label away
    is one more column that the model does not read. Other refusals are those of `match_header`.
    """
    known = _known_names(schema)
    match = _locate_columns(cells, schema, known, place)
    if not any(name in match.positions for name in schema.feature_names):
        _refuse_missing(list(schema.feature_names), cells, known, place)
    id_names = [schema.id_column.name] if with_id and schema.id_column is not None else []
    return _only(match, [*id_names, *schema.feature_names])


def match_label_header(cells: tuple[str, ...], schema: FeatureSchema, place: str) -> HeaderMatch:
    """Match the columns of a table of outcomes: the customer's id and the label, the only ones it needs."""
    known = _known_names(schema)
    match = _locate_columns(cells, schema, known, place)
    needed = [column.name for column in (schema.id_column, schema.target) if column is not None]
    missing = [name for name in needed if name not in match.positions]
    if missing:
        _refuse_missing(missing, cells, known, place)
    return _only(match, needed)


def _only(match: HeaderMatch, names: Iterable[str]) -> HeaderMatch:
    """Leave out what is not to be read."""
    found = [name for name in names if name in match.positions]
    return replace(
        match,
        positions={name: match.positions[name] for name in found},
        source_names={name: match.source_names[name] for name in found},
    )


def _locate_columns(
    cells: tuple[str, ...], schema: FeatureSchema, known: dict[str, str], place: str
) -> HeaderMatch:
    ignored = {normalise_name(column) for column in schema.ignored_columns}
    exact = {spelling for column in schema.columns for spelling in (column.name, *column.aliases)}
    folded_cells = [normalise_name(cell) for cell in cells]
    if not any(folded in known for folded in folded_cells) and _looks_like_data(cells, schema):
        _refuse_missing_header(cells, place)
    positions: dict[str, int] = {}
    renamed, extra = [], []
    for position, (cell, folded) in enumerate(zip(cells, folded_cells, strict=True)):
        canonical = known.get(folded)
        if canonical in positions:
            first = positions[canonical]
            raise InvalidInputError(
                f"{place}: columns {first + 1} ({shorten(cells[first])!r}) and {position + 1}"
                f" ({shorten(cell)!r}) both are {canonical!r}; keep one"
            )
        if canonical is not None:
            positions[canonical] = position
            renamed += [(cell, canonical)] if cell not in exact else []
        elif folded not in ignored:
            extra.append((cell.strip() or f"(column {position + 1} without a name)", position))
    sources = {canonical: cells[position] for canonical, position in positions.items()}
    return HeaderMatch(positions, sources, tuple(renamed), tuple(extra), len(cells))
