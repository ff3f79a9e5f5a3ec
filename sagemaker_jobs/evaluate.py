"""Judge a trained model on data it has not seen: writes evaluation.json, evaluation.html and a score profile.

The model is opened only after its sha256 was checked against what the training job recorded.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sagemaker_jobs.job_entry import (
    InvalidInputError,
    JobArguments,
    report_progress,
    run_entry,
    write_bytes_atomically,
    write_text_atomically,
)
from sagemaker_jobs.model_archive import VerifiedModel, open_verified_model, read_expected_model

BOOTSTRAP_SEED = 20_261_124
PROCESSING = "/opt/ml/processing"
JSON_NAME = "evaluation.json"
HTML_NAME = "evaluation.html"
# What the scores of later batches are compared with: drift of the predictions needs no labels.
SCORES_PROFILE_NAME = "reference_scores.profile"


@dataclass(frozen=True)
class EvaluationSettings:
    """Everything one evaluation needs."""

    model: Path
    model_digest: Path | None
    model_sha256: str | None
    test_dir: Path
    output_dir: Path
    seed: int


def read_settings(argv: Sequence[str]) -> EvaluationSettings:
    """Read the arguments; the defaults are SageMaker's processing directories."""
    parser = JobArguments(prog="evaluate", description=__doc__, allow_abbrev=False)
    parser.add_argument("--model", type=Path, default=Path(f"{PROCESSING}/input/model/model.tar.gz"))
    parser.add_argument(
        "--model-digest", type=Path, help="model_digest.json, or the output.tar.gz holding it"
    )
    parser.add_argument("--model-sha256", help="sha256 of model.tar.gz")
    parser.add_argument("--test-dir", type=Path, default=Path(f"{PROCESSING}/input/test"))
    parser.add_argument("--output-dir", type=Path, default=Path(f"{PROCESSING}/output/evaluation"))
    parser.add_argument("--seed", type=int, default=BOOTSTRAP_SEED, help="seed of the bootstrap")
    arguments = parser.parse_args(list(argv))
    if arguments.seed < 0:
        raise InvalidInputError(f"--seed: expected a whole number from 0, found {arguments.seed}")
    return EvaluationSettings(**vars(arguments))


def main(argv: Sequence[str]) -> None:
    """Evaluate and write both files; raises InvalidInputError for what a person must mend."""
    settings = read_settings(argv)
    expected = read_expected_model(settings.model, settings.model_digest, settings.model_sha256)
    with open_verified_model(settings.model, expected) as verified:
        report_progress("verify", f"model content sha256 {verified.content_sha256} as in {expected.source}")
        evaluate(settings, verified)


def evaluate(settings: EvaluationSettings, verified: VerifiedModel) -> None:
    """Predict the test split, compute metrics, intervals and curves; write the report and the page."""
    # Heavy imports come after the model is verified: a refusal is told at once.
    from include.drift_statistics.prediction_drift import profile_scores
    from include.drift_statistics.profile_files import profile_bytes
    from sagemaker_jobs.churn_predictor import ChurnPredictor
    from sagemaker_jobs.evaluation_page import render_evaluation_page
    from sagemaker_jobs.model_evaluation import evaluate_model
    from sagemaker_jobs.split_reading import read_split

    try:
        predictor = ChurnPredictor.from_directory(verified.directory)
    except ValueError as error:
        raise InvalidInputError(f"{settings.model}: {error}") from None
    features, labels = read_split(settings.test_dir, predictor.encoder)
    report_progress("load", f"{predictor.description.algorithm}, {len(labels)} test rows")
    probabilities = predictor.predict_probabilities(features)
    report_progress("predict", f"{len(probabilities)} probabilities")
    report = evaluate_model(predictor.description, verified, labels, probabilities, settings.seed)
    report_progress("metrics", f"intervals from {report.bootstrap.replicates} bootstrap replicates")
    page = render_evaluation_page(report)
    scores = profile_scores(probabilities, predictor.description.decision_threshold)
    origin = {"schema": predictor.description.schema_name, "data_origin": predictor.description.data_origin}
    write_bytes_atomically(settings.output_dir / SCORES_PROFILE_NAME, profile_bytes(scores, notes=origin))
    write_text_atomically(settings.output_dir / JSON_NAME, report.to_json())
    write_text_atomically(settings.output_dir / HTML_NAME, page)
    estimates = [(name, report.metric(name)) for name in ("accuracy", "roc_auc", "brier_score")]
    shown = ", ".join(f"{name} {e.value:.4f} [{e.lower:.4f}, {e.upper:.4f}]" for name, e in estimates)
    report_progress("save", f"{settings.output_dir / JSON_NAME}: {shown}")


if __name__ == "__main__":
    run_entry(lambda: main(sys.argv[1:]))
