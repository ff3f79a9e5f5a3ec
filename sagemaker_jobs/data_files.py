"""Open data files of any supported kind: what each one is, its plain text, and where its columns stand.

Everything that makes a file unreadable is refused in one line that names file and line. Only Parquet needs
pyarrow, which the TensorFlow image does not have.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from include.data_contracts.data_quality_report import FileRead
from include.data_contracts.feature_schema import FeatureSchema
from sagemaker_jobs.header_matching import HeaderMatch, match_header, read_header
from sagemaker_jobs.input_files import decompress, read_chunks, sniff_format
from sagemaker_jobs.job_entry import InvalidInputError
from sagemaker_jobs.problem_ledger import ProblemLedger, Sighting, shorten
from sagemaker_jobs.record_scan import ScannedRecord, scan_records
from sagemaker_jobs.text_survey import TextSurvey, convert_to_utf8, detect_encoding, digest_file, survey_text

HEADER_BYTES = 1 << 20
# Names of a file, the schema and the place in errors: where each column stands.
HeaderMatcher = Callable[[tuple[str, ...], FeatureSchema, str], HeaderMatch]


@dataclass
class OpenedFile:
    """A data file, made readable: where its plain text lies, what it is, where its columns stand.

    `rows` and `ragged_rows` grow while the file is read.
    """

    name: str
    path: Path
    format: str
    match: HeaderMatch
    header_lines: int
    header_bytes: int
    delimiter: str
    encoding: str | None
    compression: str | None
    survey: TextSurvey | None
    sha256: str
    size_bytes: int
    is_empty: bool
    rows: int = 0
    ragged_rows: int = 0

    def describe(self) -> FileRead:
        """Return the file's entry in the data quality report."""
        delimiter = self.delimiter if self.format == "csv" else None
        return FileRead(
            self.name,
            self.format,
            self.rows,
            self.size_bytes,
            self.sha256,
            self.encoding,
            delimiter,
            self.compression,
        )

    def scan(self) -> Iterator[ScannedRecord]:
        """Read the file record by record, slowly and exactly."""
        return scan_records(
            self.path, self.delimiter, self.match.column_count, self.header_bytes, self.header_lines
        )


def open_data_file(
    path: Path,
    name: str,
    schema: FeatureSchema,
    work_directory: Path,
    ledger: ProblemLedger,
    match: HeaderMatcher = match_header,
) -> OpenedFile:
    """Tell what a file is, bring it to plain UTF-8 text if it is not, and match its columns with `match`.

    Converted copies go to `work_directory`. Raises InvalidInputError naming the file.
    """
    with path.open("rb") as stream:
        kind = sniff_format(stream.read(4096), name)
    if kind == "parquet":
        return _open_parquet(path, name, schema, ledger, match)
    compression = None
    text_path = path
    if kind == "gzip":
        compression, text_path = (
            "gzip",
            work_directory / f"unpacked-{len(list(work_directory.iterdir()))}.csv",
        )
        decompress(path, text_path, name)
        with text_path.open("rb") as stream:
            if sniff_format(stream.read(4096), name) != "csv":
                raise InvalidInputError(f"{name}: a packed file inside gzip; unpack it once")
    encoding = detect_encoding(text_path, name)
    if encoding not in {"utf-8", "utf-8-sig"}:
        converted = work_directory / f"converted-{len(list(work_directory.iterdir()))}.csv"
        convert_to_utf8(text_path, converted, encoding, name)
        text_path = converted
    if encoding != "utf-8":
        ledger.add("converted_text", None, 1, [Sighting(name, encoding)])
    survey = survey_text(text_path, name)
    if survey.lone_carriage_returns and not survey.newlines:
        text_path, survey = _mend_line_ends(text_path, name, work_directory, ledger)
    return _open_csv(path, text_path, name, schema, ledger, encoding, compression, survey, match)


def _mend_line_ends(
    text_path: Path, name: str, work_directory: Path, ledger: ProblemLedger
) -> tuple[Path, TextSurvey]:
    """Lines ended by carriage returns alone are given newlines."""
    mended = work_directory / f"mended-{len(list(work_directory.iterdir()))}.csv"
    with mended.open("wb") as target:
        for chunk in read_chunks(text_path):
            target.write(chunk.replace(b"\r", b"\n"))
    ledger.add("converted_text", None, 1, [Sighting(name, "carriage returns as line ends")])
    return mended, survey_text(mended, name)


def _open_csv(
    path: Path,
    text_path: Path,
    name: str,
    schema: FeatureSchema,
    ledger: ProblemLedger,
    encoding: str,
    compression: str | None,
    survey: TextSurvey,
    match: HeaderMatcher,
) -> OpenedFile:
    with text_path.open("rb") as stream:
        start = stream.read(HEADER_BYTES)
    mark = 3 if start.startswith(b"\xef\xbb\xbf") else 0
    header = read_header(start[mark:].decode("utf-8", errors="replace"), schema, name)
    matched = match(header.cells, schema, f"{name}, line {header.lines}")
    opened = OpenedFile(
        name=name,
        path=text_path,
        format="csv",
        match=matched,
        header_lines=header.lines,
        header_bytes=mark + header.size_bytes,
        delimiter=header.delimiter,
        encoding=encoding,
        compression=compression,
        survey=survey,
        sha256=survey.sha256,
        size_bytes=path.stat().st_size,
        is_empty=survey.size_bytes <= mark + header.size_bytes,
    )
    _note_header(opened, ledger)
    if survey.blank_lines:
        ledger.add("blank_line", None, survey.blank_lines, [Sighting(name, "")])
    _refuse_broken_end(opened)
    return opened


def _note_header(opened: OpenedFile, ledger: ProblemLedger) -> None:
    for source, canonical in opened.match.renamed:
        ledger.add("renamed_column", canonical, 1, [Sighting(opened.name, source)])
    for column, _ in opened.match.extra_columns:
        ledger.add("extra_column", shorten(column), 1, [Sighting(opened.name, column)])


def _refuse_broken_end(opened: OpenedFile) -> None:
    """Refuse a file whose last record is cut off, or which ends inside a quoted field."""
    survey = opened.survey
    if survey is None:
        return
    if survey.quotes % 2:
        for record in opened.scan():
            if record.is_unclosed:
                refuse_unclosed(opened, record)
    if survey.ends_with_newline or survey.newlines < opened.header_lines:
        return
    with opened.path.open("rb") as stream:
        stream.seek(max(opened.header_bytes, survey.size_bytes - HEADER_BYTES))
        tail = stream.read().decode("utf-8", errors="replace")
    last_line = tail.rsplit("\n", 1)[-1]
    fields = last_line.count(opened.delimiter) + 1
    if survey.quotes:
        fields = 0
        for record in opened.scan():
            fields = record.field_count
    if last_line.strip() and fields < opened.match.column_count:
        raise InvalidInputError(
            f"{opened.name}, line {survey.newlines + 1}: the file is cut off here, the last row has {fields}"
            f" of {opened.match.column_count} fields; transfer it again"
        )


def _open_parquet(
    path: Path, name: str, schema: FeatureSchema, ledger: ProblemLedger, match: HeaderMatcher
) -> OpenedFile:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            names, row_count = tuple(file.schema_arrow.names), file.metadata.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidInputError(f"{name}: the Parquet file is damaged or cut off ({error})") from error
    opened = OpenedFile(
        name=name,
        path=path,
        format="parquet",
        match=match(names, schema, name),
        header_lines=0,
        header_bytes=0,
        delimiter="",
        encoding=None,
        compression=None,
        survey=None,
        sha256=digest_file(path),
        size_bytes=path.stat().st_size,
        is_empty=row_count == 0,
    )
    _note_header(opened, ledger)
    return opened


def refuse_unclosed(opened: OpenedFile, record: ScannedRecord) -> None:
    """Refuse a record in which a quote is opened and never closed."""
    raise InvalidInputError(
        f"{opened.name}, line {record.first_line}: a quote is opened and never closed"
        f" ({shorten(record.start)!r}); close it or export the file again"
    )


def find_lines(opened: OpenedFile, rows: list[int]) -> dict[int, int]:
    """Return the line of each data row (from 0); in Parquet, the row number from 1.

    Where rows and lines differ by more than a constant the file is scanned once more, as far as needed.
    """
    if opened.format == "parquet":
        return {row: row + 1 for row in rows}
    if opened.survey is not None and opened.survey.rows_are_lines and not opened.ragged_rows:
        return {row: opened.header_lines + row + 1 for row in rows}
    wanted, lines = set(rows), {}
    for record in opened.scan():
        if record.row in wanted:
            lines[record.row] = record.first_line
            if len(lines) == len(wanted):
                break
    return lines


def refuse_copies(files: Iterable[OpenedFile]) -> None:
    """Refuse two files with the same text: the data set was multiplied, and every figure would flatter."""
    seen: dict[str, str] = {}
    for opened in (opened for opened in files if not opened.is_empty):
        first = seen.setdefault(opened.sha256, opened.name)
        if first != opened.name:
            raise InvalidInputError(f"{opened.name}: holds the same text as {first}; remove one of them")
