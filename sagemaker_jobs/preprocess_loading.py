"""Load every data file of a directory into one store of validated rows, and find the repeats among them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from include.data_contracts.feature_schema import FeatureSchema
from sagemaker_jobs.data_files import OpenedFile, find_lines, open_data_file, refuse_copies
from sagemaker_jobs.duplicate_rows import find_duplicate_rows
from sagemaker_jobs.extra_columns import note_label_in_extra_columns
from sagemaker_jobs.input_files import find_data_files
from sagemaker_jobs.job_entry import InvalidInputError, report_progress
from sagemaker_jobs.problem_ledger import ProblemLedger, Sighting
from sagemaker_jobs.raw_tables import read_batches
from sagemaker_jobs.row_store import RowStore
from sagemaker_jobs.row_validation import RowValidator

PROGRESS_ROWS = 2_000_000


@dataclass(frozen=True)
class LoadedRows:
    """All validated rows of the input, the files they come from, and what was found on the way."""

    store: RowStore
    files: tuple[OpenedFile, ...]
    ledger: ProblemLedger
    ignored_names: tuple[str, ...]
    data_origin: str

    def line_of_row(self, file: str, rows: list[int]) -> dict[int, int]:
        """Return the line of each data row of a file."""
        return find_lines(next(opened for opened in self.files if opened.name == file), rows)


def load_rows(
    input_dir: Path, schema: FeatureSchema, work_directory: Path, *, is_marked_synthetic: bool = False
) -> LoadedRows:
    """Read and validate every data file under `input_dir`; raises InvalidInputError for unreadable ones.

    The rows are synthetic when a marker file is found, or when the caller knows of one.
    """
    found = find_data_files(input_dir)
    ledger = ProblemLedger(schema.limits)
    text_directory, store_directory = work_directory / "text", work_directory / "columns"
    text_directory.mkdir()
    store_directory.mkdir()
    store = RowStore(store_directory, schema)
    validator = RowValidator(schema, ledger)
    # All headers first: a file that does not fit is refused before the others are read.
    files = tuple(
        open_data_file(path, name, schema, text_directory, ledger) for path, name in found.data_files
    )
    refuse_copies(files)
    report_progress("read", f"{len(files)} file(s), schema {schema.name}")
    shown = 0
    for opened in files:
        note_label_in_extra_columns(opened, schema, ledger)
        for batch in read_batches(opened, ledger):
            store.append(opened.name, validator.validate(batch, opened.match.source_names))
            if ledger.rows_in - shown >= PROGRESS_ROWS:
                shown = ledger.rows_in
                report_progress("read", f"{shown:,} rows so far, in {opened.name}")
        if not opened.rows and not opened.ragged_rows:
            ledger.add("empty_file", None, 1, [Sighting(opened.name, "a header and no rows")])
    if not ledger.rows_in:
        names = ", ".join(opened.name for opened in files)
        raise InvalidInputError(f"{names}: a header and no rows; export the data again")
    store.finish()
    origin = "synthetic" if found.is_synthetic or is_marked_synthetic else "real"
    report_progress("read", f"{ledger.rows_in:,} rows read, {store.row_count:,} with a label")
    return LoadedRows(store, files, ledger, found.ignored_names, origin)


def drop_duplicates(loaded: LoadedRows) -> np.ndarray:
    """Return which stored rows stay, boolean (n,); repeats are counted in the ledger."""
    store = loaded.store
    duplicates = find_duplicate_rows(store.labels, store.id_hashes, store.has_id, store.feature_hashes)
    for cause, rows in duplicates.by_cause.items():
        if not len(rows):
            continue
        sightings = []
        for row, original in zip(rows[:5].tolist(), duplicates.originals[cause][:5].tolist(), strict=True):
            (file, number), (first_file, first_number) = store.place(row), store.place(original)
            first_line = loaded.line_of_row(first_file, [first_number])[first_number]
            where = f"line {first_line}" if first_file == file else f"{first_file}, line {first_line}"
            told = f"same {'customer' if store.has_id[row] else 'values'} as {where}"
            sightings.append(Sighting(file, told, number))
        loaded.ledger.add(cause, None, len(rows), sightings)
    return duplicates.keep_mask(store.row_count)
