"""The command line of detect_drift, checked before anything is read."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from include.data_contracts.evaluation_report import DATA_ORIGINS
from include.data_contracts.feature_schema import ContractError, FeatureSchema, load_schema
from include.drift_statistics.drift_rule import DriftRule
from include.drift_statistics.performance_drift import PerformanceRule
from sagemaker_jobs.job_entry import InvalidInputError, JobArguments

DEFAULT_YEARLY_FALSE_ALERTS = 0.1
DEFAULT_ACCURACY_DROP = PerformanceRule().accuracy_drop
# Parts of a day's alpha that go to other comparisons on days that have them; the features have the rest.
SCORES_SHARE = 0.2
PERFORMANCE_SHARE = 0.1
CLASSIFIER_SHARE = 0.1
UNVERSIONED_MODEL = "unversioned"


@dataclass(frozen=True)
class AlphaShares:
    """How the comparisons that lead to one verdict divide alpha; those that a day has not get nothing."""

    features: float
    scores: float
    performance: float
    classifier: float


@dataclass(frozen=True)
class JobRule:
    """The daily rule, the yearly budget of false alerts, a domain classifier or not, the fall of accuracy."""

    drift_rule: DriftRule = field(default_factory=DriftRule)
    yearly_false_alerts: float = DEFAULT_YEARLY_FALSE_ALERTS
    domain_classifier: bool = False
    accuracy_drop: float = DEFAULT_ACCURACY_DROP

    def shares(self, *, scored: bool, labelled: bool) -> AlphaShares:
        """Divide alpha between what a day is judged by."""
        scores = SCORES_SHARE if scored else 0.0
        performance = PERFORMANCE_SHARE if labelled else 0.0
        classifier = CLASSIFIER_SHARE if self.domain_classifier else 0.0
        return AlphaShares(1 - scores - performance - classifier, scores, performance, classifier)

    @property
    def performance_rule(self) -> PerformanceRule:
        """How much worse than registered is too much."""
        return PerformanceRule(
            accuracy_drop=self.accuracy_drop, alpha=self.drift_rule.alpha, family_share=PERFORMANCE_SHARE
        )

    def to_mapping(self) -> dict[str, Any]:
        """Strict JSON, as stored with the report."""
        return {
            **{name: value for name, value in self.drift_rule.to_mapping().items() if name != "family_share"},
            "scores_share": SCORES_SHARE,
            "performance_share": PERFORMANCE_SHARE,
            "classifier_share": CLASSIFIER_SHARE,
            "yearly_false_alerts": self.yearly_false_alerts,
            "domain_classifier": self.domain_classifier,
            "accuracy_drop": self.accuracy_drop,
        }

    @classmethod
    def from_text(cls, text: str) -> "JobRule":
        """Read the JSON object of --rule; raises InvalidInputError naming the setting."""
        try:
            content = json.loads(text)
        except ValueError as error:
            raise InvalidInputError(f"--rule: not JSON: {error}") from None
        if not isinstance(content, dict):
            raise InvalidInputError(f"--rule: expected a JSON object of settings, found {text!r:.80}")
        yearly = content.pop("yearly_false_alerts", DEFAULT_YEARLY_FALSE_ALERTS)
        if isinstance(yearly, bool) or not isinstance(yearly, int | float) or not 1e-6 <= yearly <= 365:
            raise InvalidInputError(
                f"--rule: yearly_false_alerts must lie between 0.000001 and 365, found {yearly!r}"
            )
        classifier = content.pop("domain_classifier", False)
        if not isinstance(classifier, bool):
            raise InvalidInputError(f"--rule: domain_classifier must be true or false, found {classifier!r}")
        drop = content.pop("accuracy_drop", DEFAULT_ACCURACY_DROP)
        if isinstance(drop, bool) or not isinstance(drop, int | float) or not 0 < drop < 1:
            raise InvalidInputError(f"--rule: accuracy_drop must lie between 0 and 1, found {drop!r}")
        try:
            return cls(DriftRule.from_mapping(content), float(yearly), classifier, float(drop))
        except ValueError as error:
            raise InvalidInputError(f"--rule: {error}") from None


@dataclass(frozen=True)
class DriftSettings:
    """Everything one run of detect_drift needs."""

    reference: Path
    current: Path
    output_dir: Path
    schema: FeatureSchema
    batch_date: str
    rule: JobRule
    model_version: str | None
    data_origin: str | None
    model: Path | None
    model_sha256: str | None
    model_digest: Path | None
    predictions: Path | None
    reference_scores: Path | None
    evaluation: Path | None
    labels: Path | None
    past_predictions: Path | None
    labelled_date: str | None
    state: Path | None


def read_settings(argv: Sequence[str]) -> DriftSettings:
    """Parse and check the command line; raises InvalidInputError for what a person must mend."""
    options = vars(_parser().parse_args(list(argv)))
    try:
        schema = load_schema(options.pop("schema"))
    except ContractError as error:
        raise InvalidInputError(str(error)) from None
    batch_date = _date(options.pop("batch_date"), "--batch-date") or datetime.now(UTC).date().isoformat()
    labelled_date = _date(options.pop("labelled_date"), "--labelled-date")
    if options["model"] is not None and options["predictions"] is not None:
        raise InvalidInputError("--model and --predictions: give the model or its scores, not both")
    if options["labels"] is None and (labelled_date or options["past_predictions"]):
        raise InvalidInputError("--past-predictions and --labelled-date need --labels")
    return DriftSettings(
        schema=schema,
        batch_date=batch_date,
        labelled_date=labelled_date,
        rule=JobRule.from_text(options.pop("rule")),
        **options,
    )


def _parser() -> JobArguments:
    parser = JobArguments(
        prog="detect_drift",
        description="Compare a batch with what the approved model was trained on.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--reference",
        type=Path,
        required=True,
        help="a stored profile, a folder with reference.profile, or raw CSV, gzip CSV or Parquet",
    )
    parser.add_argument("--current", type=Path, required=True, help="the batch: a data file or a folder")
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument(
        "--schema", default="ibm_telco", help="bundled name, or path of a .yaml or .json file"
    )
    parser.add_argument("--batch-date", help="YYYY-MM-DD; default: today (UTC)")
    parser.add_argument("--model", type=Path, help="model.tar.gz (or its folder) that scores the batch")
    parser.add_argument("--model-sha256", help="sha256 of model.tar.gz")
    parser.add_argument("--model-digest", type=Path, help="model_digest.json, or output.tar.gz holding it")
    parser.add_argument("--predictions", type=Path, help="scores already made: customer_id,score")
    parser.add_argument(
        "--reference-scores", type=Path, help="reference_scores.profile, its folder, or a table with score"
    )
    parser.add_argument("--evaluation", type=Path, help="evaluation.json of the model, or its folder")
    parser.add_argument("--labels", type=Path, help="outcomes by customer id: a data file or a folder")
    parser.add_argument(
        "--past-predictions", type=Path, help="predictions.csv of the batch the labels belong to"
    )
    parser.add_argument("--labelled-date", help="YYYY-MM-DD: the date of that batch")
    parser.add_argument("--state", type=Path, help="monitor_state.json so far; none on the first day")
    parser.add_argument("--model-version", help="for example telecom-churn/3")
    parser.add_argument("--data-origin", choices=DATA_ORIGINS)
    parser.add_argument("--rule", default="{}", help="settings of the rule, one JSON object")
    return parser


def _date(text: str | None, option: str) -> str | None:
    if text is None:
        return None
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.isoformat() != text:
        raise InvalidInputError(f"{option}: expected a date like 2026-11-24, found {text!r:.40}")
    return text
