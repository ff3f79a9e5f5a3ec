"""A day's figures as CloudWatch metrics, every day, drift or not, within what PutMetricData takes.

| metric | dimensions | unit | meaning |
|---|---|---|---|
| FeatureEffectSize | ModelPackageGroup, Feature | None | the column's main effect (KS distance or total variation) |
| FeatureAdjustedPValue | ModelPackageGroup, Feature | None | corrected over all columns; below the rule's alpha is drift |
| FeatureMissingShare | ModelPackageGroup, Feature | None | share of missing values in the batch, 0 to 1 |
| Rows | ModelPackageGroup | Count | rows of the batch |
| PredictedChurnRate | ModelPackageGroup | None | share of customers predicted to churn |
| Verdict | ModelPackageGroup | None | 0 no drift, 1 insufficient data, 2 drift, 3 data break |
| DriftDetected, DataBreak, BatchMissing | ModelPackageGroup | None | 1 when so, else 0 (a stale batch counts as missing) |
| AlertOpen | ModelPackageGroup | None | 1 while a drift or data-break alert is open, else 0 |
| BatchAgeHours | ModelPackageGroup | None | age of the batch's newest file when it was looked at |
| Accuracy, RocAuc | ModelPackageGroup | None | on customers whose outcome has come |
"""  # noqa: E501 - rows of a table

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import quote

from include.data_contracts.drift_report import DriftReportSummary
from include.data_contracts.drift_report_parts import VERDICTS
from include.data_contracts.monitoring_day import MonitoringDay

GROUP, FEATURE = "ModelPackageGroup", "Feature"
MOST_METRICS_PER_REQUEST = 1_000
# A request takes 1 MB, whatever the protocol its client speaks; a tenth is kept back.
MOST_REQUEST_BYTES = 900_000
_BYTES_PER_METRIC = 600
_LONGEST_VALUE = 250
_PRINTABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")
_LARGEST, _SMALLEST = 2.0**360, 2.0**-360

OLDEST = timedelta(days=14)
_MARGIN = timedelta(minutes=30)
# Figures of the last hours of a day are shown within two hours of arriving, those a day old within two days.
_PUBLISHED_HOUR = time(23, 0, tzinfo=UTC)
_MOST_REVISIONS = 59


@dataclass(frozen=True)
class Metric:
    """One figure; `feature` is None for those of the whole batch."""

    name: str
    value: float
    unit: str = "None"
    feature: str | None = None


def day_metrics(day: MonitoringDay, report: DriftReportSummary | None) -> tuple[Metric, ...]:
    """Return every figure of a day; `report` is None for a day without a batch. Unknown ones are left out."""
    figures: list[tuple[str, float | None, str]] = [
        ("BatchMissing", float(day.is_outage), "None"),
        ("BatchAgeHours", day.batch_age_hours, "None"),
        ("AlertOpen", float(day.has_open_alert), "None"),
    ]
    if report is not None:
        figures += [
            ("Rows", float(report.current_rows), "Count"),
            ("Verdict", float(VERDICTS.index(report.verdict)), "None"),
            ("DriftDetected", float(report.verdict == "drift"), "None"),
            ("DataBreak", float(report.verdict == "data_break"), "None"),
        ]
        if report.predictions is not None and report.current_rows:
            figures.append(("PredictedChurnRate", report.predictions.current_rate, "None"))
        if report.performance is not None:
            figures.append(("Accuracy", report.performance.value("accuracy"), "None"))
            figures.append(("RocAuc", report.performance.value("roc_auc"), "None"))
    whole = [Metric(name, value, unit) for name, value, unit in figures if value is not None]
    return (*whole, *(_feature_metrics(report) if report is not None else ()))


def _feature_metrics(report: DriftReportSummary) -> Iterator[Metric]:
    for feature in report.features:
        known = (
            ("FeatureEffectSize", feature.effect_size),
            ("FeatureAdjustedPValue", feature.adjusted_p_value),
            ("FeatureMissingShare", feature.current_missing_share),
        )
        yield from (Metric(name, value, feature=feature.name) for name, value in known if value is not None)


def metrics_fingerprint(metrics: Sequence[Metric]) -> str:
    """Return a sha256 over all figures: equal fingerprints, equal figures."""
    listed = [[metric.name, metric.feature, metric.unit, accepted(metric.value)] for metric in metrics]
    return hashlib.sha256(json.dumps(listed, allow_nan=False).encode()).hexdigest()


def metric_time(date: str, now: datetime, revision: int = 0) -> datetime | None:
    """Return the moment a day's figures are filed under, None when CloudWatch refuses that day.

    It is late on the day itself, or now while the day lasts; a corrected set of figures (`revision`) is a
    minute apart from the one before, because figures that are there cannot be replaced.
    """
    start = datetime.combine(datetime.fromisoformat(date).date(), time(), UTC)
    filed = datetime.combine(start, _PUBLISHED_HOUR) + timedelta(minutes=min(revision, _MOST_REVISIONS))
    if filed > now:
        filed = now.astimezone(UTC).replace(second=0, microsecond=0)
    if filed < start or now - filed > OLDEST - _MARGIN:
        return None
    return filed


def metric_requests(
    metrics: Sequence[Metric], *, namespace: str, group: str, timestamp: datetime
) -> list[dict[str, Any]]:
    """Return PutMetricData requests that hold every metric once, in order."""
    requests: list[dict[str, Any]] = []
    size = 0
    for metric in metrics:
        datum = _datum(metric, group, timestamp)
        # In the form-encoded protocol a character of a name can take three bytes.
        bytes_needed = _BYTES_PER_METRIC + 3 * sum(len(entry["Value"]) for entry in datum["Dimensions"])
        is_full = requests and len(requests[-1]["MetricData"]) == MOST_METRICS_PER_REQUEST
        if not requests or is_full or size + bytes_needed > MOST_REQUEST_BYTES:
            requests.append({"Namespace": namespace, "MetricData": []})
            size = 0
        requests[-1]["MetricData"].append(datum)
        size += bytes_needed
    return requests


def _datum(metric: Metric, group: str, timestamp: datetime) -> dict[str, Any]:
    dimensions: Mapping[str, str] = {GROUP: group} | (
        {} if metric.feature is None else {FEATURE: dimension_value(metric.feature)}
    )
    return {
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "Timestamp": timestamp,
        "Value": accepted(metric.value),
        "Unit": metric.unit,
    }


def accepted(value: float) -> float:
    """Return a finite value within CloudWatch's range; what is too small to be told from zero is zero."""
    if abs(value) < _SMALLEST:
        return 0.0
    return max(-_LARGEST, min(_LARGEST, value))


def dimension_value(name: str) -> str:
    """Return a column's name as CloudWatch takes it: printable ASCII, no colon first, not blank, not long.

    Different names stay different: what is not allowed becomes %XX, a long name ends in digits of its hash.
    """
    encoded = name.encode("utf-8", "surrogatepass")
    text = quote(encoded, safe=_PRINTABLE)
    if not text or text != text.strip() or text.startswith(":"):
        text = quote(encoded, safe="") or "%"
    if len(text) > _LONGEST_VALUE:
        digits = hashlib.sha256(encoded).hexdigest()[:16]
        text = f"{text[: _LONGEST_VALUE - 18]}%~{digits}"
    return text
