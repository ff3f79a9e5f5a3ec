"""Preprocess: validate, clean, count, deduplicate, split and describe churn data.

Reads every CSV, gzip CSV and Parquet file under a directory and writes `train/`, `test/`, `encoder/`,
`reference/` and `data_quality/`. Nothing is written unless all of it can be: bad input ends in one line that
names file, column and line. Memory is bounded by about 110 bytes per row.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from include.data_contracts.data_quality_report import DataQualityReport, SplitSummary
from include.data_contracts.feature_schema import (
    CategoricalColumn,
    ContractError,
    FeatureSchema,
    load_schema,
)
from include.drift_statistics.profile_files import save_profile
from sagemaker_jobs.feature_encoder import CategoricalEncoding, FeatureEncoder, fit_numeric_encoding
from sagemaker_jobs.feature_profiles import PROFILE_NAME
from sagemaker_jobs.job_entry import InvalidInputError, JobArguments, report_progress, run_entry
from sagemaker_jobs.preprocess_acceptance import measure_signals, note_shared_features, refuse_unusable
from sagemaker_jobs.preprocess_loading import drop_duplicates, load_rows
from sagemaker_jobs.preprocess_report import build_report
from sagemaker_jobs.row_store import RowStore
from sagemaker_jobs.split_files import choose_sample, write_selected_rows
from sagemaker_jobs.staged_outputs import staged_outputs
from sagemaker_jobs.stored_row_profiles import profile_stored_rows
from sagemaker_jobs.train_test_split import choose_test_rows

REFERENCE_ROWS = 200_000


@dataclass(frozen=True)
class Arguments:
    """Command line of the job."""

    input_dir: Path | None
    output_dir: Path
    schema: FeatureSchema
    test_fraction: float
    seed: int
    synthetic_rows: int | None
    is_marked_synthetic: bool


def read_arguments(argv: Sequence[str]) -> Arguments:
    """Parse and check the command line; raises InvalidInputError for values out of bounds."""
    parser = JobArguments(prog="preprocess", description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--input-dir", type=Path, help="read every data file under this directory")
    source.add_argument("--synthetic-rows", type=int, help="generate this many synthetic rows instead")
    parser.add_argument(
        "--mark-synthetic", action="store_true", help="the rows are invented although no marker is among them"
    )
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
    if not 0 <= options.seed < 2**63:
        raise InvalidInputError(f"--seed must lie between 0 and 2**63 - 1, found {options.seed}")
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
        options.mark_synthetic,
    )


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


@dataclass(frozen=True)
class Split:
    """Which stored rows train and which test, boolean (n,) each, and the figures of the report."""

    is_train: np.ndarray
    is_test: np.ndarray
    summary: SplitSummary


def split_rows(store: RowStore, keep: np.ndarray, test_fraction: float, seed: int) -> Split:
    """Split the kept rows; raises InvalidInputError when a side would lack a class."""
    is_test = np.zeros(store.row_count, dtype=bool)
    hashes, labels = store.feature_hashes[keep], store.labels[keep]
    is_test[keep], sharing = choose_test_rows(hashes, labels, test_fraction, seed)
    is_train = keep & ~is_test
    summary = SplitSummary(
        seed=seed,
        test_fraction=test_fraction,
        rows_train=int(is_train.sum()),
        rows_test=int(is_test.sum()),
        churn_rate_train=float(store.labels[is_train].mean()),
        churn_rate_test=float(store.labels[is_test].mean()),
        rows_sharing_features=sharing,
    )
    report_progress("split", f"{summary.rows_train:,} train rows, {summary.rows_test:,} test rows")
    return Split(is_train, is_test, summary)


def write_outputs(outputs: Path, store: RowStore, split: Split, report: DataQualityReport) -> None:
    """Write every output of the job under `outputs`."""
    for name in ("train", "test", "encoder", "reference", "data_quality"):
        (outputs / name).mkdir()
    encoder = fit_encoder(store, split.is_train, report.data_origin)
    report_progress("encode", f"{len(encoder.dense_feature_names)} encoded columns, fitted on train only")
    is_sampled = choose_sample(split.is_train, REFERENCE_ROWS, split.summary.seed)
    origin = {
        "schema": {"name": report.schema_name, "fingerprint": report.schema_fingerprint},
        "data_origin": report.data_origin,
    }
    reference = {
        "contract": "drift_reference",
        "version": 1,
        # The profile counts every train row; reference.csv is a sample of them to look at.
        "profile": PROFILE_NAME,
        "rows": int(is_sampled.sum()),
        "sampled_from": split.summary.rows_train,
        "seed": split.summary.seed,
        **origin,
    }
    texts = {
        "encoder/encoder.json": encoder.to_json(),
        "encoder/schema.json": json.dumps(store.schema.to_mapping(), indent=2, ensure_ascii=False) + "\n",
        "reference/reference.json": json.dumps(reference, indent=2) + "\n",
        "data_quality/data_quality.json": report.to_json(),
    }
    for name, text in texts.items():
        (outputs / name).write_text(text, encoding="utf-8")
    write_selected_rows(outputs / "train" / "part-00000.csv", store, split.is_train)
    write_selected_rows(outputs / "test" / "part-00000.csv", store, split.is_test)
    write_selected_rows(outputs / "reference" / "reference.csv", store, is_sampled)
    profile = profile_stored_rows(store, split.is_train, is_sampled)
    save_profile(profile, outputs / "reference" / PROFILE_NAME, notes=origin)
    report_progress("profile", f"{profile.rows:,} train rows, which drift is later compared with")


def preprocess(arguments: Arguments, input_dir: Path, work_directory: Path) -> DataQualityReport:
    """Run all stages, leaving the outputs in `work_directory/outputs`; raises InvalidInputError."""
    loaded = load_rows(
        input_dir,
        arguments.schema,
        work_directory,
        is_marked_synthetic=arguments.is_marked_synthetic,
    )
    keep = drop_duplicates(loaded)
    report_progress("deduplicate", f"{int((~keep).sum()):,} rows dropped")
    refuse_unusable(loaded, keep)
    signals = measure_signals(loaded, keep, arguments.seed)
    split = split_rows(loaded.store, keep, arguments.test_fraction, arguments.seed)
    note_shared_features(loaded.ledger, split.summary)
    report = build_report(loaded, keep, signals, split.summary)
    write_outputs(work_directory / "outputs", loaded.store, split, report)
    report_progress("write", f"outputs are in {arguments.output_dir}")
    return report


def main(argv: Sequence[str]) -> None:
    """Run the job; raises InvalidInputError for input that a person must mend."""
    arguments = read_arguments(argv)
    with staged_outputs(arguments.output_dir, "data_quality.json") as work_directory:
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
