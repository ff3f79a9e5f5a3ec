"""Score a batch with the approved model, part by part; the model is opened only after it was verified."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from include.data_contracts.feature_schema import FeatureSchema
from sagemaker_jobs.batch_columns import BatchColumns
from sagemaker_jobs.churn_predictor import ChurnPredictor
from sagemaker_jobs.job_entry import InvalidInputError, report_progress
from sagemaker_jobs.model_archive import open_verified_model, read_expected_model


class BatchScorer:
    """One verified model as a function of parts of a batch."""

    def __init__(self, predictor: ChurnPredictor, schema: FeatureSchema) -> None:
        """Check that model and schema speak of the same features; raises InvalidInputError."""
        wanted = predictor.encoder.feature_names
        if set(wanted) != set(schema.feature_names):
            raise InvalidInputError(
                f"--model was trained on {', '.join(wanted)}, schema {schema.name} has"
                f" {', '.join(schema.feature_names)}; give the schema that the model was trained with"
            )
        self._predictor = predictor

    @property
    def threshold(self) -> float:
        """A score at or above it is a predicted churn."""
        return self._predictor.description.decision_threshold

    @property
    def data_origin(self) -> str:
        """Real or synthetic: what the model was trained on."""
        return self._predictor.description.data_origin

    def score(self, part: BatchColumns) -> np.ndarray:
        """Return churn probabilities, float64 (n,), NaN for rows that no model can score."""
        scores = np.full(part.row_count, np.nan)
        rows = np.flatnonzero(part.is_scorable())
        if len(rows):
            scores[rows] = self._predictor.predict_probabilities(_frame(part, rows))
        return scores


def _frame(part: BatchColumns, rows: np.ndarray) -> pd.DataFrame:
    numbers = {name: cells.values[rows] for name, cells in part.numbers.items()}
    levels = {
        name: pd.Categorical.from_codes(column.codes[rows], categories=list(column.levels))
        for name, column in part.levels.items()
    }
    return pd.DataFrame({**numbers, **levels})


@contextmanager
def open_scorer(
    model: Path, digest: Path | None, sha256: str | None, schema: FeatureSchema
) -> Iterator[BatchScorer]:
    """Verify and load a model; raises InvalidInputError when it is not the one that was approved."""
    expected = read_expected_model(model, digest, sha256)
    with open_verified_model(model, expected) as verified:
        report_progress("verify", f"model content sha256 {verified.content_sha256} as in {expected.source}")
        try:
            predictor = ChurnPredictor.from_directory(verified.directory)
        except ValueError as error:
            raise InvalidInputError(f"--model {model}: {error}") from None
        yield BatchScorer(predictor, schema)
