"""Open a batch (a file or a folder of CSV, gzip CSV and Parquet files) and stream its rows.

A batch that cannot be read is a finding about the data, told by `UnreadableBatchError`; InvalidInputError
stays what it is everywhere, something wrong with the call.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from include.data_contracts.data_quality_report import SYNTHETIC_MARKER
from include.data_contracts.feature_schema import FeatureSchema
from sagemaker_jobs.batch_columns import BatchColumnReader, BatchColumns, Cells
from sagemaker_jobs.data_files import HeaderMatcher, OpenedFile, find_lines, open_data_file, refuse_copies
from sagemaker_jobs.header_matching import match_batch_header
from sagemaker_jobs.input_files import find_data_files
from sagemaker_jobs.job_entry import InvalidInputError
from sagemaker_jobs.problem_ledger import ProblemLedger, shorten


class UnreadableBatchError(Exception):
    """The batch cannot be read; the message is one line naming file and line."""


@dataclass(frozen=True)
class OpenedBatch:
    """All files of a batch, and what their headers told."""

    schema: FeatureSchema
    files: tuple[OpenedFile, ...]
    ledger: ProblemLedger
    is_synthetic: bool

    @property
    def size_bytes(self) -> int:
        """Size of the files as they came."""
        return sum(opened.size_bytes for opened in self.files)

    @property
    def present_names(self) -> tuple[str, ...]:
        """Features that every file has, in schema order."""
        return tuple(
            name
            for name in self.schema.feature_names
            if all(name in opened.match.positions for opened in self.files)
        )

    @property
    def missing_names(self) -> tuple[str, ...]:
        """Features that some file lacks, in schema order."""
        return tuple(name for name in self.schema.feature_names if name not in self.present_names)

    @property
    def extra_names(self) -> tuple[str, ...]:
        """Columns that the schema does not speak of, as one line each."""
        names = {shorten(name) for opened in self.files for name, _ in opened.match.extra_columns}
        return tuple(sorted(names))

    @property
    def has_ids(self) -> bool:
        """Whether every file names its customers."""
        column = self.schema.id_column
        return column is not None and all(column.name in opened.match.positions for opened in self.files)

    def find_lines(self, file: str, rows: list[int]) -> dict[int, int]:
        """Return the line of each data row of a file."""
        return find_lines(next(opened for opened in self.files if opened.name == file), rows)


@dataclass(frozen=True)
class BatchPart:
    """Consecutive rows: their features, and their id cells when the file has them."""

    columns: BatchColumns
    ids: Cells | None


def list_batch_files(path: Path, option: str) -> tuple[tuple[Path, str], ...]:
    """Return (path, name) of every data file; raises InvalidInputError when there is no such path."""
    if path.is_file():
        return ((path, path.name),)
    if not path.is_dir():
        raise InvalidInputError(f"{option} {path}: no such file or folder")
    with _unreadable():
        return find_data_files(path).data_files


def open_batch(
    files: Sequence[tuple[Path, str]],
    schema: FeatureSchema,
    work_directory: Path,
    match: HeaderMatcher = match_batch_header,
) -> OpenedBatch:
    """Open every file; raises UnreadableBatchError naming the one that cannot be read."""
    _refuse_parquet_without_reader(files)
    ledger = ProblemLedger(schema.limits)
    with _unreadable():
        opened = tuple(
            open_data_file(path, name, schema, work_directory, ledger, match) for path, name in files
        )
        refuse_copies(opened)
    is_synthetic = any((path.parent / SYNTHETIC_MARKER).is_file() for path, _ in files)
    return OpenedBatch(schema, opened, ledger, is_synthetic)


def read_parts(batch: OpenedBatch) -> Iterator[BatchPart]:
    """Yield the rows of all files in order; raises UnreadableBatchError, at the latest after the last row."""
    reader = BatchColumnReader(batch.schema)
    id_column = batch.schema.id_column
    id_name = id_column.name if id_column and batch.has_ids else ""
    for cells, row_count in read_cells(batch):
        yield BatchPart(reader.read(cells, row_count), cells.get(id_name))


def read_cells(batch: OpenedBatch, plain: Collection[str] = ()) -> Iterator[tuple[dict[str, Cells], int]]:
    """Yield the raw cells of consecutive rows by canonical name; raises UnreadableBatchError.

    Levels come as dictionaries, each distinct spelling of a part once, but for the columns named in `plain`.
    """
    with _unreadable():
        for opened in batch.files:
            for cells, row_count in _read_file(opened, batch, plain):
                batch.ledger.rows_in += row_count
                yield cells, row_count
        batch.ledger.refuse_excess(batch.find_lines, {})


def _read_file(
    opened: OpenedFile, batch: OpenedBatch, plain: Collection[str]
) -> Iterator[tuple[dict[str, Cells], int]]:
    if not _has_pyarrow():
        from sagemaker_jobs.plain_csv_reading import read_plain_csv

        yield from read_plain_csv(opened, batch.ledger)
        return
    from sagemaker_jobs.raw_tables import read_batches

    levels = [column.name for column in batch.schema.categorical_features if column.name not in plain]
    present = [name for name in levels if name in opened.match.positions]
    for raw in read_batches(opened, batch.ledger, present):
        yield raw.columns, raw.row_count


def describe_findings(batch: OpenedBatch) -> tuple[str, ...]:
    """Return sentences on what was left out or mended while reading, for the report's notes."""
    named = ("renamed_column", "extra_column")  # aliases are normal, new columns have a note of their own
    findings = batch.ledger.findings(batch.find_lines)
    return tuple(finding.sentence for finding in findings if finding.cause not in named)


def _has_pyarrow() -> bool:
    return find_spec("pyarrow") is not None


def _refuse_parquet_without_reader(files: Sequence[tuple[Path, str]]) -> None:
    if _has_pyarrow():
        return
    for path, name in files:
        with path.open("rb") as stream:
            if stream.read(4) == b"PAR1":
                raise InvalidInputError(
                    f"{name}: this image has no pyarrow and cannot read Parquet; give the batch as CSV, or"
                    " make the scores elsewhere and give them with --predictions"
                )


@contextmanager
def _unreadable() -> Iterator[None]:
    try:
        yield
    except InvalidInputError as error:
        raise UnreadableBatchError(" ".join(str(error).split())) from error
