"""Lambda function: publishes what a SageMaker job cost when it has ended, for the alarm on job cost per day.

Cost = hours between the job's start and end x number of instances x price per hour. Prices come from the
deployment (`instance_hour_prices`); spot discounts, storage and transfer are left out, so the figure is an
upper estimate of the machines' share and nothing of the rest. A job on an instance type without a price is an
error, never a job that was free.
"""

import json
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

METRIC_NAME = "JobCost"
_MILLISECONDS_PER_HOUR = 3_600_000


class UnusableEventError(ValueError):
    """The event is not the end of a job, or its price is unknown; the one-line message says which."""


@dataclass(frozen=True)
class JobUse:
    """What one job occupied; times in milliseconds since 1970, as SageMaker's events give them."""

    kind: str
    name: str
    instance_type: str
    instance_count: int
    started_at: float
    ended_at: float

    def cost(self, hour_prices: dict[str, float]) -> float:
        """Return US dollars; raises UnusableEventError for an instance type without a price."""
        if self.instance_type not in hour_prices:
            raise UnusableEventError(
                f"{self.kind} job {self.name} ran on {self.instance_type}, which has no price: add it to "
                f"instance_hour_prices (known: {', '.join(sorted(hour_prices))})"
            )
        hours = max(0.0, self.ended_at - self.started_at) / _MILLISECONDS_PER_HOUR
        return hours * self.instance_count * hour_prices[self.instance_type]


def read_job_use(event: dict[str, Any]) -> JobUse | None:
    """Read a job state change event; None for a job that ended before it had a machine."""
    detail = event.get("detail", {})
    try:
        if "ProcessingJobName" in detail:
            kind, name = "processing", detail["ProcessingJobName"]
            machines = detail["ProcessingResources"]["ClusterConfig"]
            started, ended = detail.get("ProcessingStartTime"), detail.get("ProcessingEndTime")
        else:
            kind, name = "training", detail["TrainingJobName"]
            machines = detail["ResourceConfig"]
            started, ended = detail.get("TrainingStartTime"), detail.get("TrainingEndTime")
        if started is None or ended is None:
            return None
        return JobUse(
            kind=kind,
            name=name,
            instance_type=machines["InstanceType"],
            instance_count=int(machines["InstanceCount"]),
            started_at=float(started),
            ended_at=float(ended),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnusableEventError(f"not the end of a SageMaker job: {error!r}") from None


def metric_data(use: JobUse, hour_prices: dict[str, float]) -> list[dict[str, Any]]:
    """Return PutMetricData's entries: one sum over all jobs, which the alarm watches."""
    return [{"MetricName": METRIC_NAME, "Value": use.cost(hour_prices), "Unit": "None"}]


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Publish the cost of one ended job; what Lambda calls."""
    use = read_job_use(event)
    if use is None:
        return {"published": False}
    hour_prices = json.loads(os.environ["INSTANCE_HOUR_PRICES"])
    data = metric_data(use, hour_prices)
    _client().put_metric_data(Namespace=os.environ["METRIC_NAMESPACE"], MetricData=data)
    result = {"published": True, "job": use.name, "cost": data[0]["Value"]}
    print(json.dumps(result))
    return result


@cache
def _client() -> Any:
    import boto3

    return boto3.client("cloudwatch")
