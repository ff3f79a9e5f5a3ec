"""Yield the rows of opened files in batches, columns under canonical names.

CSV cells come as text, exactly as written; Parquet columns in their own type. Memory is bounded by the size
of a batch. A record that cannot be parsed is refused in one line that names file and line.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import csv as pa_csv

from sagemaker_jobs.data_files import OpenedFile, refuse_unclosed
from sagemaker_jobs.job_entry import InvalidInputError
from sagemaker_jobs.problem_ledger import ProblemLedger, Sighting, shorten

BLOCK_BYTES = 1 << 24
PARQUET_BATCH_ROWS = 1 << 17
# A record of more lines than this is taken for a quote that somebody forgot to close.
MAXIMUM_RECORD_LINES = 10


@dataclass(frozen=True)
class RawBatch:
    """Consecutive data rows of one file; `first_row` counts from 0 in the file."""

    file: str
    first_row: int
    columns: dict[str, pa.Array]
    row_count: int


def read_batches(
    opened: OpenedFile, ledger: ProblemLedger, as_dictionary: Collection[str] = ()
) -> Iterator[RawBatch]:
    """Yield the file's rows; ragged rows are left out and counted. Raises InvalidInputError.

    Text columns named in `as_dictionary` come dictionary-encoded: each distinct cell of a batch once.
    """
    if opened.format == "parquet":
        yield from _read_parquet(opened, as_dictionary)
        return

    def skip_ragged(_: pa_csv.InvalidRow) -> str:
        opened.ragged_rows += 1
        return "skip"

    try:
        for batch in _stream_csv(opened, skip_ragged, opened.match.positions, as_dictionary):
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            yield RawBatch(opened.name, opened.rows, columns, batch.num_rows)
            opened.rows += batch.num_rows
    except pa.ArrowInvalid as error:
        _refuse_long_record(opened)
        what = f"cannot be parsed after row {opened.rows:,}: {error}"
        raise InvalidInputError(f"{opened.name}: {what}") from error
    if opened.ragged_rows or _has_records_over_lines(opened):
        _locate_odd_records(opened, ledger)


def read_first_columns(opened: OpenedFile, positions: dict[str, int]) -> dict[str, pa.Array]:
    """Return the first batch of some columns, by any names for their positions; empty if there is none."""
    if opened.format == "parquet":
        from pyarrow import parquet

        with parquet.ParquetFile(opened.path) as file:
            names = file.schema_arrow.names
            batch = next(file.iter_batches(PARQUET_BATCH_ROWS), None)
            positions = {name: batch.schema.names.index(names[at]) for name, at in positions.items()}
    else:
        batch = next(_stream_csv(opened, lambda _: "skip", positions), None)
        positions = {name: batch.schema.names.index(name) for name in positions} if batch else {}
    if batch is None:
        return {}
    return {name: _decode_dictionary(batch.column(position)) for name, position in positions.items()}


def _stream_csv(
    opened: OpenedFile,
    skip_ragged: Callable[[pa_csv.InvalidRow], str],
    positions: dict[str, int],
    as_dictionary: Collection[str] = (),
) -> Iterator[pa.RecordBatch]:
    if opened.survey is None or opened.is_empty:
        return
    names = [f"column {position}" for position in range(opened.match.column_count)]
    wanted = {names[position]: name for name, position in positions.items()}
    with pa.OSFile(str(opened.path)) as source:
        source.seek(opened.header_bytes)
        reader = pa_csv.open_csv(
            source,
            read_options=pa_csv.ReadOptions(column_names=names, block_size=BLOCK_BYTES, use_threads=True),
            parse_options=pa_csv.ParseOptions(
                delimiter=opened.delimiter,
                newlines_in_values=opened.survey.quotes > 0,
                invalid_row_handler=skip_ragged,
            ),
            convert_options=pa_csv.ConvertOptions(
                include_columns=list(wanted),
                column_types={
                    source: pa.dictionary(pa.int32(), pa.string()) if name in as_dictionary else pa.string()
                    for source, name in wanted.items()
                },
                strings_can_be_null=False,
            ),
        )
        for batch in reader:
            yield batch.rename_columns([wanted[name] for name in batch.schema.names])


def _has_records_over_lines(opened: OpenedFile) -> bool:
    """Whether there are more lines than records: then some quoted field holds line breaks."""
    survey = opened.survey
    if survey is None or not survey.quotes:
        return False
    lines = survey.newlines + (not survey.ends_with_newline)
    return lines - opened.header_lines - survey.blank_lines > opened.rows


def _refuse_long_record(opened: OpenedFile) -> None:
    for record in opened.scan():
        if record.is_unclosed:
            refuse_unclosed(opened, record)
        if record.last_line - record.first_line >= MAXIMUM_RECORD_LINES:
            raise InvalidInputError(
                f"{opened.name}, line {record.first_line}: a quoted field runs on to line {record.last_line}"
                f" ({shorten(record.start)!r}); a quote is missing there"
            )


def _locate_odd_records(opened: OpenedFile, ledger: ProblemLedger) -> None:
    """Count and name ragged rows and records over several lines; refuse a record that swallows many."""
    _refuse_long_record(opened)
    for record in opened.scan():
        seen = [Sighting(opened.name, f"{record.field_count} fields: {record.start}", line=record.first_line)]
        if record.row < 0:
            ledger.rows_in += 1
            detail = f"{opened.match.column_count} fields expected"
            ledger.add("ragged_row", None, 1, seen, detail=detail)
        if record.last_line > record.first_line:
            ledger.add("line_break_in_field", None, 1, seen)


def _read_parquet(opened: OpenedFile, as_dictionary: Collection[str]) -> Iterator[RawBatch]:
    from pyarrow import parquet

    sources = opened.match.source_names
    try:
        with parquet.ParquetFile(opened.path) as file:
            schema, metadata = file.schema_arrow, file.metadata
        texts = [sources[name] for name in as_dictionary if name in sources]
        encoded = [source for source in texts if pa.types.is_string(schema.field(source).type)]
        with parquet.ParquetFile(opened.path, metadata=metadata, read_dictionary=encoded) as file:
            for batch in file.iter_batches(PARQUET_BATCH_ROWS, columns=list(sources.values())):
                columns = {
                    name: batch.column(source)
                    if name in as_dictionary
                    else _decode_dictionary(batch.column(source))
                    for name, source in sources.items()
                }
                yield RawBatch(opened.name, opened.rows, columns, batch.num_rows)
                opened.rows += batch.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidInputError(f"{opened.name}: the Parquet file is damaged ({error})") from error


def _decode_dictionary(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column
