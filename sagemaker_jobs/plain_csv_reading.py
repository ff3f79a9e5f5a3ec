"""Read CSV with the standard library: for the image that has no pyarrow; slower, and as strict.

Each distinct cell of a part is kept once, so that spellings are judged and numbers are read once each.
"""

import csv
from collections.abc import Iterator
from itertools import islice

import numpy as np

from include.drift_statistics.column_values import DictionaryColumn
from sagemaker_jobs.data_files import OpenedFile, refuse_unclosed
from sagemaker_jobs.problem_ledger import ProblemLedger, Sighting
from sagemaker_jobs.record_scan import scan_records

PART_ROWS = 1 << 16


def read_plain_csv(
    opened: OpenedFile, ledger: ProblemLedger
) -> Iterator[tuple[dict[str, DictionaryColumn], int]]:
    """Yield (columns by canonical name, row count) of a CSV file; ragged rows are left out and counted.

    Raises InvalidInputError for a quote that is never closed.
    """
    csv.field_size_limit(1 << 30)
    positions = opened.match.positions
    for rows in _records(opened):
        whole = [row for row in rows if len(row) == opened.match.column_count]
        opened.rows += len(whole)
        opened.ragged_rows += len(rows) - len(whole)
        by_position = list(zip(*whole, strict=True)) if whole else [()] * opened.match.column_count
        yield {name: _encode(by_position[at]) for name, at in positions.items()}, len(whole)
    if opened.ragged_rows or (opened.survey is not None and opened.survey.quotes):
        _count_ragged(opened, ledger)


def _records(opened: OpenedFile) -> Iterator[list[list[str]]]:
    with opened.path.open("rb") as binary:
        binary.seek(opened.header_bytes)
        with open(binary.fileno(), encoding="utf-8", errors="replace", newline="", closefd=False) as text:
            reader = csv.reader(text, delimiter=opened.delimiter)
            while rows := list(islice(reader, PART_ROWS)):
                yield [row for row in rows if row]  # a blank line is no record


def _encode(cells: tuple[str, ...]) -> DictionaryColumn:
    known: dict[str, int] = {}
    codes = np.fromiter((known.setdefault(cell, len(known)) for cell in cells), np.int32, len(cells))
    return DictionaryColumn(codes, tuple(known))


def _count_ragged(opened: OpenedFile, ledger: ProblemLedger) -> None:
    for record in scan_records(
        opened.path, opened.delimiter, opened.match.column_count, opened.header_bytes, opened.header_lines
    ):
        if record.is_unclosed:
            refuse_unclosed(opened, record)
        if record.row < 0:
            seen = Sighting(
                opened.name, f"{record.field_count} fields: {record.start}", line=record.first_line
            )
            ledger.rows_in += 1
            ledger.add("ragged_row", None, 1, [seen], detail=f"{opened.match.column_count} fields expected")
