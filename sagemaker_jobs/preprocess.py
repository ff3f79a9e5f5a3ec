"""Preprocess: validate, clean, count, deduplicate, split and describe churn data.

Reads every CSV, gzip CSV and Parquet file under a directory and writes `train/`, `test/`, `encoder/`,
`reference/` and `data_quality/`. Nothing is written unless all of it can be: bad input ends in one line that
names file, column and line. Memory is bounded by about 60 bytes per row.
"""

import argparse
import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from include.data_contracts.data_quality_report import ColumnSummary, DataQualityReport, SplitSummary
from include.data_contracts.feature_schema import (
    CategoricalColumn,
    ContractError,
    FeatureSchema,
    load_schema,
)
from sagemaker_jobs.duplicate_rows import find_duplicate_rows
from sagemaker_jobs.feature_encoder import CategoricalEncoding, FeatureEncoder, fit_numeric_encoding
from sagemaker_jobs.input_files import find_data_files
from sagemaker_jobs.job_entry import InvalidInputError, report_progress, run_entry
from sagemaker_jobs.label_signal import FeatureSignal, is_signal, measure_signal
from sagemaker_jobs.problem_ledger import ProblemLedger, Sighting
from sagemaker_jobs.raw_tables import OpenedFile, find_lines, open_data_file, read_batches
from sagemaker_jobs.row_store import RowStore
from sagemaker_jobs.row_validation import RowValidator
from sagemaker_jobs.split_files import choose_sample, write_selected_rows
from sagemaker_jobs.train_test_split import choose_test_rows

REFERENCE_ROWS = 200_000
SIGNAL_ROWS = 200_000
PROGRESS_ROWS = 2_000_000


@dataclass(frozen=True)
class Arguments:
    """Command line of the job."""

    input_dir: Path | None
    output_dir: Path
    schema: FeatureSchema
    test_fraction: float
    seed: int
    synthetic_rows: int | None


def read_arguments(argv: Sequence[str]) -> Arguments:
    """Parse and check the command line; raises InvalidInputError for values out of bounds."""
    parser = argparse.ArgumentParser(prog="preprocess", description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--input-dir", type=Path, help="read every data file under this directory")
    source.add_argument("--synthetic-rows", type=int, help="generate this many synthetic rows instead")
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument(
        "--schema", default="ibm_telco", help="bundled name, or path of a .yaml or .json file"
    )
    parser.add_argument("--test-fraction", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args(argv)
    if not 0.01 <= options.test_fraction <= 0.9:
        raise InvalidInputError(
            f"--test-fraction must lie between 0.01 and 0.9, found {options.test_fraction:g}"
        )
    if options.synthetic_rows is not None and options.synthetic_rows < 1:
        raise InvalidInputError(f"--synthetic-rows must be positive, found {options.synthetic_rows}")
    try:
        schema = load_schema(options.schema)
    except ContractError as error:
        raise InvalidInputError(str(error)) from error
    return Arguments(
        options.input_dir,
        options.output_dir,
        schema,
        options.test_fraction,
        options.seed,
        options.synthetic_rows,
    )


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


def load_rows(input_dir: Path, schema: FeatureSchema, work_directory: Path) -> LoadedRows:
    """Read and validate every data file under `input_dir`; refuse what exceeds the schema's limits."""
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
    report_progress("read", f"{len(files)} file(s), schema {schema.name}")
    shown = 0
    for opened in files:
        for batch in read_batches(opened, ledger):
            store.append(opened.name, validator.validate(batch, opened.match.source_names))
            if ledger.rows_in - shown >= PROGRESS_ROWS:
                shown = ledger.rows_in
                report_progress("read", f"{shown:,} rows so far, in {opened.name}")
        if not opened.rows and not opened.ragged_rows:
            raise InvalidInputError(
                f"{opened.name}: the file holds a header and no rows; export it again or remove it"
            )
    store.finish()
    origin = "synthetic" if found.is_synthetic else "real"
    loaded = LoadedRows(store, files, ledger, found.ignored_names, origin)
    report_progress("read", f"{ledger.rows_in:,} rows read, {store.row_count:,} with a label")
    return loaded


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
            told = f"same customer as {where}" if store.has_id[row] else f"same as {where}"
            sightings.append(Sighting(file, told, number))
        loaded.ledger.add(cause, None, len(rows), sightings)
    return duplicates.keep_mask(store.row_count)


def refuse_unusable(loaded: LoadedRows, keep: np.ndarray) -> None:
    """Refuse data over the schema's limits, too small, of one class, or with a constant or empty column."""
    limits, store = loaded.store.schema.limits, loaded.store
    rows_in, labels = loaded.ledger.rows_in, store.labels[keep]
    if rows_in and not len(labels):
        loaded.ledger.refuse_excess(loaded.line_of_row)
    counts = np.bincount(labels, minlength=2) if len(labels) else np.zeros(2, dtype=int)
    if len(labels) and counts.min() == 0:
        raise InvalidInputError(
            f"column {store.schema.target.name!r}: all {len(labels):,} rows carry the label {int(counts.argmax())};"
            " a model needs both classes"
        )
    loaded.ledger.refuse_excess(loaded.line_of_row)
    if len(labels) < limits.minimum_rows or counts.min() < limits.minimum_rows_per_class:
        raise InvalidInputError(
            f"{len(labels):,} usable rows of {rows_in:,} ({counts[1]:,} churned, {counts[0]:,} stayed); the schema"
            f" asks for {limits.minimum_rows:,} rows and {limits.minimum_rows_per_class:,} of each class"
        )
    for column in store.schema.features:
        values = store.column(column.name)
        is_present = values >= 0 if isinstance(column, CategoricalColumn) else ~np.isnan(values)
        present = values[is_present & keep]
        if not len(present) or present.min() == present.max():
            source = loaded.files[0].match.source_names[column.name]
            what = "is empty" if not len(present) else "holds one single value"
            raise InvalidInputError(
                f"{loaded.files[0].name}: column {source!r} {what} in all {len(labels):,} rows; mend the export,"
                " or take the column out of the schema"
            )


def measure_signals(loaded: LoadedRows, keep: np.ndarray, seed: int) -> list[FeatureSignal]:
    """Measure every feature on a sample; refuse a feature that gives the label away, note if none has any."""
    store = loaded.store
    rows = np.flatnonzero(choose_sample(keep, SIGNAL_ROWS, seed))
    labels = store.labels[rows]
    signals = [measure_signal(name, store.column(name)[rows], labels) for name in store.schema.feature_names]
    strongest = max(signals, key=lambda signal: signal.auc)
    limit = store.schema.limits.maximum_single_feature_auc
    if strongest.auc > limit:
        source = loaded.files[0].match.source_names[strongest.name]
        raise InvalidInputError(
            f"{loaded.files[0].name}: column {source!r} ({strongest.name}) alone ranks churn with AUC"
            f" {strongest.auc:.4f}, above the limit {limit:g}: the label has leaked into it; remove it from the"
            " schema or raise maximum_single_feature_auc"
        )
    if not is_signal(signals):
        detail = f"strongest: {strongest.name}, AUC {strongest.auc:.3f}; are the labels shuffled?"
        loaded.ledger.add("no_signal", None, 1, detail=detail)
    return signals


def fit_encoder(store: RowStore, is_train: np.ndarray, data_origin: str) -> FeatureEncoder:
    """Fit the encoder on the train rows only, one column in memory at a time."""
    schema = store.schema
    encodings = tuple(
        CategoricalEncoding(column.name, column.level_names)
        if isinstance(column, CategoricalColumn)
        else fit_numeric_encoding(column.name, store.column(column.name)[is_train])
        for column in schema.features
    )
    return FeatureEncoder(encodings, schema.name, schema.fingerprint(), data_origin, int(is_train.sum()))


def summarise_columns(
    loaded: LoadedRows, keep: np.ndarray, signals: list[FeatureSignal]
) -> Iterator[ColumnSummary]:
    """Yield one summary per feature over the rows kept."""
    for column, signal in zip(loaded.store.schema.features, signals, strict=True):
        names = sorted({opened.match.source_names[column.name] for opened in loaded.files})
        values = loaded.store.column(column.name)[keep]
        auc = round(signal.auc, 6)
        if isinstance(column, CategoricalColumn):
            counts = np.bincount(values + 1, minlength=len(column.levels) + 1).tolist()
            levels = dict(zip(column.level_names, counts[1:], strict=True))
            yield ColumnSummary(
                column.name, column.kind, tuple(names), counts[0], level_counts=levels, single_feature_auc=auc
            )
        else:
            present = values[~np.isnan(values)]
            bounds = (float(present.min()), float(present.max()), float(f"{present.mean():.12g}"))
            missing = len(values) - len(present)
            yield ColumnSummary(
                column.name, column.kind, tuple(names), missing, *bounds, single_feature_auc=auc
            )


def fingerprint_rows(store: RowStore, keep: np.ndarray) -> str:
    """Return a digest of the kept rows (ids, features, labels) that does not depend on their order."""
    digest = hashlib.sha256(f"{store.schema.fingerprint()} {int(keep.sum())}".encode())
    for hashes in (
        store.id_hashes,
        store.feature_hashes,
        store.feature_hashes * (store.labels.astype(np.uint64) + 1),
    ):
        digest.update(int(hashes[keep].sum(dtype=np.uint64)).to_bytes(8, "big"))
        digest.update(int(np.bitwise_xor.reduce(hashes[keep])).to_bytes(8, "big"))
    return digest.hexdigest()


def build_report(
    loaded: LoadedRows,
    keep: np.ndarray,
    signals: list[FeatureSignal],
    split: SplitSummary,
) -> DataQualityReport:
    """Put everything known about the data into the report."""
    store = loaded.store
    strongest = max(signals, key=lambda signal: signal.auc)
    extra = sorted({name for opened in loaded.files for name in opened.match.extra_columns})
    return DataQualityReport(
        schema_name=store.schema.name,
        schema_fingerprint=store.schema.fingerprint(),
        data_origin=loaded.data_origin,
        data_fingerprint=fingerprint_rows(store, keep),
        rows_in=loaded.ledger.rows_in,
        rows_out=int(keep.sum()),
        churn_rate=float(store.labels[keep].mean()),
        files=tuple(opened.describe() for opened in loaded.files),
        findings=loaded.ledger.findings(loaded.line_of_row),
        columns=tuple(summarise_columns(loaded, keep, signals)),
        split=split,
        strongest_feature=strongest.name,
        strongest_feature_auc=round(strongest.auc, 6),
        has_signal=is_signal(signals),
        ignored_files=loaded.ignored_names,
        ignored_columns=tuple(extra),
    )


@contextmanager
def staged_outputs(output_dir: Path) -> Iterator[Path]:
    """Yield a private directory; on success its files move to the same places under `output_dir`.

    Every file is complete before the first one moves; the data quality report moves last. On failure
    nothing of this run is left.
    """
    output_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".preprocess-", dir=output_dir) as temporary:
        staging = Path(temporary) / "outputs"
        staging.mkdir()
        yield Path(temporary)
        files = sorted(path for path in staging.rglob("*") if path.is_file())
        for path in sorted(files, key=lambda path: path.name == "data_quality.json"):
            target = output_dir / path.relative_to(staging)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)


def preprocess(arguments: Arguments, input_dir: Path, work_directory: Path) -> DataQualityReport:
    """Run all stages, leaving the outputs in `work_directory/outputs`."""
    outputs = work_directory / "outputs"
    schema = arguments.schema
    loaded = load_rows(input_dir, schema, work_directory)
    store = loaded.store
    keep = drop_duplicates(loaded)
    report_progress("deduplicate", f"{int((~keep).sum()):,} rows dropped")
    refuse_unusable(loaded, keep)
    signals = measure_signals(loaded, keep, arguments.seed)
    is_test = np.zeros(store.row_count, dtype=bool)
    is_test[keep], sharing = choose_test_rows(
        store.feature_hashes[keep], store.labels[keep], arguments.test_fraction, arguments.seed
    )
    is_train = keep & ~is_test
    report_progress("split", f"{int(is_train.sum()):,} train rows, {int(is_test.sum()):,} test rows")
    encoder = fit_encoder(store, is_train, loaded.data_origin)
    split = SplitSummary(
        arguments.seed,
        arguments.test_fraction,
        int(is_train.sum()),
        int(is_test.sum()),
        float(store.labels[is_train].mean()),
        float(store.labels[is_test].mean()),
        sharing,
    )
    report = build_report(loaded, keep, signals, split)
    is_sampled = choose_sample(is_train, REFERENCE_ROWS, arguments.seed)
    for name in ("train", "test", "encoder", "reference", "data_quality"):
        (outputs / name).mkdir()
    write_selected_rows(outputs / "train" / "part-00000.csv", store, is_train)
    write_selected_rows(outputs / "test" / "part-00000.csv", store, is_test)
    write_selected_rows(outputs / "reference" / "reference.csv", store, is_sampled)
    reference = {
        "contract": "drift_reference",
        "version": 1,
        "rows": int(is_sampled.sum()),
        "sampled_from": int(is_train.sum()),
        "seed": arguments.seed,
        "schema": {"name": schema.name, "fingerprint": schema.fingerprint()},
        "data_origin": loaded.data_origin,
    }
    texts = {
        "encoder/encoder.json": encoder.to_json(),
        "encoder/schema.json": json.dumps(schema.to_mapping(), indent=2, ensure_ascii=False) + "\n",
        "reference/reference.json": json.dumps(reference, indent=2) + "\n",
        "data_quality/data_quality.json": report.to_json(),
    }
    for name, text in texts.items():
        (outputs / name).write_text(text, encoding="utf-8")
    report_progress("write", f"outputs are in {arguments.output_dir}")
    return report


def main(argv: Sequence[str]) -> None:
    """Run the job; raises InvalidInputError for input that a person must mend."""
    arguments = read_arguments(argv)
    with staged_outputs(arguments.output_dir) as work_directory:
        input_dir = arguments.input_dir
        if input_dir is None:
            from sagemaker_jobs.generate_synthetic_data import generate

            input_dir = work_directory / "synthetic"
            generate(input_dir, rows=arguments.synthetic_rows or 0, seed=arguments.seed)
        report = preprocess(arguments, input_dir, work_directory)
    for warning in report.warnings:
        report_progress("warning", warning)
    report_progress(
        "done",
        f"{report.rows_in:,} rows in, {report.rows_out:,} out, churn rate {report.churn_rate:.4f},"
        f" origin {report.data_origin}",
    )


if __name__ == "__main__":
    import sys

    run_entry(lambda: main(sys.argv[1:]))
