"""Read a CSV file record by record, slowly and exactly, to say in which line something stands.

The fast parser does not know line numbers; this one is only run over files in which something must be
located, or whose quotes and line ends do not add up.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

_END_MARK = "\x00end-of-file\x00"


@dataclass(frozen=True)
class ScannedRecord:
    """One record: its first and last line (from 1), the number of fields, and the number of the data row.

    `row` counts records with the expected number of fields from 0, as the fast parser does; -1 for others.
    `is_unclosed` tells that the file ends inside a quoted field of this record.
    """

    first_line: int
    last_line: int
    field_count: int
    row: int
    start: str
    is_unclosed: bool


def scan_records(
    path: Path, delimiter: str, column_count: int, header_bytes: int, header_lines: int
) -> Iterator[ScannedRecord]:
    """Yield every record after the header; blank lines are no records."""
    csv.field_size_limit(1 << 30)
    with path.open("rb") as binary:
        binary.seek(header_bytes)
        with open(binary.fileno(), encoding="utf-8", errors="replace", newline="", closefd=False) as text:
            # A quote still open at the end swallows the mark, which tells it from a closed one.
            reader = csv.reader(chain(text, ["\n", _END_MARK]), delimiter=delimiter)
            row, last_line = 0, 0
            for cells in reader:
                first_line, last_line = last_line + 1, reader.line_num
                if cells == [_END_MARK]:
                    return
                is_unclosed = bool(cells) and _END_MARK in cells[-1]
                if not cells:
                    continue
                is_row = len(cells) == column_count and not is_unclosed
                yield ScannedRecord(
                    header_lines + first_line,
                    header_lines + last_line,
                    len(cells),
                    row if is_row else -1,
                    delimiter.join(cells[:4]),
                    is_unclosed,
                )
                row += is_row
