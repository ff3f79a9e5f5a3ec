"""Alarms and dashboard watch what is published: names, dimensions of metric_data.py and job_costs.py."""

import json
import re
from pathlib import Path

from include.drift_alerts import metric_data
from infrastructure.functions import job_costs
from scripts.terraform_runs import INFRASTRUCTURE
from tests.infrastructure.test_applied_account import NAME

MODULES = INFRASTRUCTURE / "modules"


def published_metrics() -> dict[str, set[str]]:
    """Metric → its dimensions, from the table at the head of metric_data.py; its code has each name too."""
    source = Path(metric_data.__file__).read_text()
    code = source.split('"""', 2)[2]
    found = {}
    for names, dimensions in re.findall(
        r"^\| ([A-Z]\w+(?:, \w+)*) \| ([\w, ]+) \|", metric_data.__doc__, re.MULTILINE
    ):
        for name in names.split(", "):
            assert f'"{name}"' in code, f"{name} is documented, but nothing publishes it"
            found[name] = set(dimensions.split(", "))
    return found


def unpublished(modules: Path) -> list[str]:
    """Return metric and dimension names of the monitoring module that nothing publishes."""
    text = (modules / "monitoring/locals.tf").read_text()
    lists = re.findall(r"for metric in \[([^\]]*)\]", text)
    names = set(re.findall(r'metric = "(\w+)"', text)) | set(re.findall(r'daily_metric = "(\w+)"', text))
    names |= {name for one in lists for name in re.findall(r'"(\w+)"', one)}
    dimensions = set(re.findall(r"monitored_model\s*=\s*{ (\w+) =", text))
    assert names
    assert dimensions
    known = published_metrics()
    return sorted((names - known.keys()) | (dimensions - {metric_data.GROUP}))


def test_metrics_when_watched_then_are_published():
    assert len(published_metrics()) > 12
    assert unpublished(MODULES) == []


def test_job_cost_when_watched_then_is_what_the_function_publishes():
    assert f'metric_name         = "{job_costs.METRIC_NAME}"' in (MODULES / "monitoring/main.tf").read_text()


def test_alarms_when_made_then_have_the_published_dimensions(account):
    known = published_metrics()
    alarms = account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    watching = [alarm for alarm in alarms if alarm.get("MetricName") in known]
    assert len(watching) == 4
    for alarm in watching:
        assert {entry["Name"] for entry in alarm["Dimensions"]} == known[alarm["MetricName"]]
        assert alarm["Namespace"] == "TelecomChurn"


def test_dashboard_when_made_then_shows_published_metrics_only(account):
    body = json.loads(account.client("cloudwatch").get_dashboard(DashboardName=NAME)["DashboardBody"])
    shown = set()
    for widget in body["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            if isinstance(metric[0], dict):
                shown |= set(re.findall(r'MetricName="(\w+)"', metric[0]["expression"]))
            else:
                shown.add(metric[1])
    assert shown - {job_costs.METRIC_NAME} == published_metrics().keys() - {"DriftDetected"}
