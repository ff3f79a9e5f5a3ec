"""The training log: JSON lines in `training_log.jsonl`, and printed lines SageMaker reads metrics from."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from sagemaker_jobs.job_entry import report_progress


@dataclass
class TrainingLog:
    """Collects the stages of one training; `entries` are written at the end, progress is printed at once."""

    started: float = field(default_factory=time.monotonic)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def stage(self, name: str, text: str, **facts: object) -> None:
        """Record that a stage was finished (seconds since the start) and print one progress line."""
        report_progress(name, text)
        seconds = round(time.monotonic() - self.started, 3)
        self.entries.append({"stage": name, "text": text, "seconds": seconds, **facts})

    def metrics(self, metrics: dict[str, float]) -> None:
        """Print `train:name=value;` lines, which the job's MetricDefinitions match, and record them."""
        for name, value in metrics.items():
            print(f"train:{name}={value:.6f};", flush=True)
        self.stage("metrics", "on rows trained on", **metrics)

    def to_json_lines(self) -> str:
        """Return strict JSON lines."""
        return "".join(json.dumps(entry, allow_nan=False) + "\n" for entry in self.entries)
