"""Metric definitions of a training job, applied to its log as SageMaker does."""

import re
import time
from typing import Any


class MetricScanner:
    """Finds metrics in log lines; the last value of each is the final one."""

    def __init__(self, definitions: list[dict[str, str]]):
        self._patterns = [(definition["Name"], _compiled(definition["Regex"])) for definition in definitions]
        self.latest: dict[str, dict[str, Any]] = {}

    def scan(self, line: str) -> None:
        """Take note of every metric in a line."""
        for name, pattern in self._patterns:
            for match in pattern.finditer(line) if pattern else ():
                try:
                    value = float(match.group(1) if pattern.groups else match.group(0))
                except (ValueError, TypeError):
                    continue
                self.latest[name] = {"MetricName": name, "Value": value, "Timestamp": time.time()}


def _compiled(expression: str) -> re.Pattern[str] | None:
    """An expression that Python cannot read finds nothing, as one that never matches."""
    try:
        return re.compile(expression)
    except re.error:
        return None
