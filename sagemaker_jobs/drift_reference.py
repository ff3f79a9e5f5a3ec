"""What a batch is compared with: the stored profile of the training rows, or raw files profiled first."""

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from include.data_contracts.feature_schema import FeatureSchema
from include.drift_statistics.column_layouts import choose_layout
from include.drift_statistics.prediction_drift import PREDICTION, SCORE, profile_scores
from include.drift_statistics.profile_files import (
    ProfileFileError,
    load_profile,
    profile_bytes,
    read_notes,
)
from include.drift_statistics.profiles import Profile, column_kind
from sagemaker_jobs.batch_columns import BatchColumns
from sagemaker_jobs.batch_reading import (
    OpenedBatch,
    UnreadableBatchError,
    list_batch_files,
    open_batch,
    read_parts,
)
from sagemaker_jobs.feature_profiles import PROFILE_NAME, column_spec, count_in_parts
from sagemaker_jobs.job_entry import InvalidInputError, report_progress
from sagemaker_jobs.row_sample import RowSample
from sagemaker_jobs.score_tables import read_scores

SCORES_PROFILE_NAME = "reference_scores.profile"
SAMPLE_NAME = "reference.csv"
LAYOUT_SAMPLE_ROWS = 200_000
_ZIP_START = b"PK\x03\x04"


@dataclass(frozen=True, eq=False)
class Reference:
    """The profile, what tells it from every other one, and where its rows can be read (None: nowhere)."""

    profile: Profile
    fingerprint: str
    rows_path: Path | None
    data_origin: str | None


def load_reference(path: Path, schema: FeatureSchema, work_directory: Path) -> Reference:
    """Load a profile (file, or folder holding one) or profile raw files.

    Raises InvalidInputError when it cannot be read or does not hold the schema's features.
    """
    stored = path / PROFILE_NAME if path.is_dir() else path
    if stored.is_file() and _starts_like_a_profile(stored):
        profile = _load(stored, "--reference")
        rows_path = stored.parent / SAMPLE_NAME
        origin = read_notes(stored.read_bytes()).get("data_origin")
        reference = Reference(
            profile, fingerprint(profile), rows_path if rows_path.is_file() else None, origin
        )
    else:
        # An older package holds only the sample of its train rows.
        raw = path / SAMPLE_NAME if (path / SAMPLE_NAME).is_file() else path
        profile = _profile_rows(raw, schema, work_directory)
        reference = Reference(profile, fingerprint(profile), raw, None)
    _check_columns(reference.profile, schema, path)
    report_progress("reference", f"{reference.profile.rows:,} rows, {len(reference.profile.layout)} features")
    return reference


def load_score_reference(path: Path, threshold: float) -> Profile:
    """Load the profile of reference scores (file or folder), or profile a table with a score column."""
    stored = path / SCORES_PROFILE_NAME if path.is_dir() else path
    if stored.is_file() and _starts_like_a_profile(stored):
        profile = _load(stored, "--reference-scores")
        if list(profile.layout) != [SCORE, PREDICTION]:
            raise InvalidInputError(f"--reference-scores {stored}: is a profile of features, not of scores")
        return profile
    parts = [part.scores for part in read_scores(path, "--reference-scores")]
    return profile_scores(np.concatenate(parts) if parts else np.empty(0), threshold)


def fingerprint(profile: Profile) -> str:
    """Return a sha256 of everything a profile holds, whatever file it came in."""
    digest = hashlib.sha256()
    with zipfile.ZipFile(io.BytesIO(profile_bytes(profile))) as archive:
        for name in sorted(archive.namelist()):
            digest.update(hashlib.sha256(archive.read(name)).digest())
    return digest.hexdigest()


def sample_rows(batch: OpenedBatch, limit: int) -> BatchColumns:
    """Return evenly spaced rows of a batch, at most `limit`."""
    sample = RowSample(limit)
    for part in read_parts(batch):
        sample.add(part.columns)
    return sample.rows()


def read_reference_rows(path: Path, schema: FeatureSchema, work_directory: Path, limit: int) -> BatchColumns:
    """Return evenly spaced rows of the reference's files, at most `limit`; raises InvalidInputError."""
    folder = work_directory / "reference-rows"
    folder.mkdir()
    try:
        return sample_rows(open_batch(list_batch_files(path, "--reference"), schema, folder), limit)
    except UnreadableBatchError as error:
        raise InvalidInputError(f"--reference {path}: {error}") from None


def _starts_like_a_profile(path: Path) -> bool:
    with path.open("rb") as stream:
        if stream.read(4) != _ZIP_START:
            return False
    return True


def _load(path: Path, option: str) -> Profile:
    try:
        return load_profile(path)
    except ProfileFileError as error:
        raise InvalidInputError(f"{option} {error}") from None


def _check_columns(profile: Profile, schema: FeatureSchema, path: Path) -> None:
    wanted = {column.name: column.kind for column in schema.features}
    found = {name: column_kind(layout) for name, layout in profile.layout.items()}
    if found == wanted:
        return
    missing = [name for name in wanted if found.get(name) != wanted[name]]
    more = [name for name in found if name not in wanted]
    told = json.dumps({"missing": missing, "unknown": more})
    raise InvalidInputError(
        f"--reference {path}: its features are not those of schema {schema.name} ({told}); give the schema"
        " that the model was trained with"
    )


def _profile_rows(path: Path, schema: FeatureSchema, work_directory: Path) -> Profile:
    """Profile raw files in two passes: knots from a sample, then counts of every row."""
    folder = work_directory / "reference"
    folder.mkdir()
    try:
        files = list_batch_files(path, "--reference")
        opened = open_batch(files, schema, folder)
        if opened.missing_names:
            raise InvalidInputError(
                f"--reference {path}: no column {', '.join(opened.missing_names)}; a reference needs all"
            )
        sample = sample_rows(opened, LAYOUT_SAMPLE_ROWS).columns(schema)
        specs = {column.name: column_spec(column) for column in schema.features}
        layout = {name: choose_layout(sample.get(name, []), spec) for name, spec in specs.items()}
        again = open_batch(files, schema, folder)
        parts = (part.columns.columns(schema) for part in read_parts(again))
        return count_in_parts(layout, parts, schema.feature_names, fourth_moments=True)
    except UnreadableBatchError as error:
        raise InvalidInputError(f"--reference {path}: {error}") from None
