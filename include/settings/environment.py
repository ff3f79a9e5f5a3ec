"""What the deployment sets once per environment, read from environment variables; the only reader of them.

Two groups: `Environment` is needed when a run begins and complains about everything that is missing or
wrong at once; `OperatorSettings` is read while a DAG file is parsed and therefore never fails.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")
# SageMaker's own patterns (botocore, RoleArn, KmsKeyId, SubnetId, SecurityGroupId), a little narrower.
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@/-]{1,512}")
_KMS_KEY = re.compile(r"[a-zA-Z0-9:/_-]{1,2048}")
_SUBNET = re.compile(r"subnet-[0-9a-zA-Z]{1,25}")
_SECURITY_GROUP = re.compile(r"sg-[0-9a-zA-Z]{1,29}")
# MWAA's pattern of an environment's name.
_ENVIRONMENT_NAME = re.compile(r"[a-zA-Z][0-9a-zA-Z_-]{0,79}")
# CloudWatch's namespaces take 255 of these; one that begins with AWS/ is Amazon's own.
_TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?")
_NAMESPACE = re.compile(r"(?!AWS/)[A-Za-z0-9_./#-]{1,255}")
_MOST_SUBNETS = 16
_MOST_SECURITY_GROUPS = 5
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})

DEFAULT_POLL_INTERVAL_SECONDS = 30.0
DEFAULT_RETRY_DELAY_SECONDS = 300.0
DEFAULT_SCHEDULE = "@daily"
DEFAULT_METRIC_NAMESPACE = "TelecomChurn"
DEFAULT_BATCH_POLL_INTERVAL_SECONDS = 300.0


class EnvironmentSettingsError(ValueError):
    """Environment variables are missing or wrong; the one-line message names every one of them."""


@dataclass(frozen=True)
class Environment:
    """Buckets, role, region, encryption and network of one deployment; build it with `from_mapping`.

    `subnet_ids` and `security_group_ids` are both empty or both filled. `network_isolation` cuts the job
    containers off every network; SageMaker itself still moves their inputs and outputs. `environment_name`
    is the tag by which a deployment's budget finds its jobs; a laptop has none.
    """

    artifact_bucket: str
    data_bucket: str
    sagemaker_role_arn: str
    region: str
    kms_key_id: str | None = None
    subnet_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    network_isolation: bool = False
    environment_name: str | None = None

    @classmethod
    def from_mapping(cls, variables: Mapping[str, str]) -> Self:
        """Read the variables; raises EnvironmentSettingsError that lists all missing and invalid names."""
        reader = _VariableReader(variables)
        environment = cls(**cls._values(reader))
        if bool(environment.subnet_ids) != bool(environment.security_group_ids):
            reader.problems.append("set CHURN_SUBNET_IDS and CHURN_SECURITY_GROUP_IDS both, or neither")
        reader.raise_problems()
        return environment

    @classmethod
    def _values(cls, reader: "_VariableReader") -> dict[str, Any]:
        """Return one value per field; what is wrong with them gathers in the reader."""
        return {
            "artifact_bucket": reader.required("CHURN_ARTIFACT_BUCKET", _BUCKET, "an S3 bucket name"),
            "data_bucket": reader.required("CHURN_DATA_BUCKET", _BUCKET, "an S3 bucket name"),
            "sagemaker_role_arn": reader.required(
                "CHURN_SAGEMAKER_ROLE_ARN", _ROLE_ARN, "the ARN of an IAM role"
            ),
            "region": reader.required(
                "AWS_DEFAULT_REGION", _REGION, "an AWS region", other_name="AWS_REGION"
            ),
            "kms_key_id": reader.optional("CHURN_KMS_KEY_ID", _KMS_KEY, "a KMS key id or ARN"),
            "subnet_ids": reader.listed("CHURN_SUBNET_IDS", _SUBNET, "subnet ids", _MOST_SUBNETS),
            "security_group_ids": reader.listed(
                "CHURN_SECURITY_GROUP_IDS", _SECURITY_GROUP, "security group ids", _MOST_SECURITY_GROUPS
            ),
            "network_isolation": reader.flag("CHURN_NETWORK_ISOLATION", default=False),
            "environment_name": reader.optional(
                "CHURN_ENVIRONMENT_NAME", _ENVIRONMENT_NAME, "the name of an Airflow environment"
            ),
        }

    def to_mapping(self) -> dict[str, Any]:
        """Return the JSON form."""
        mapping = asdict(self)
        return {
            **mapping,
            "subnet_ids": list(self.subnet_ids),
            "security_group_ids": list(self.security_group_ids),
        }

    @classmethod
    def from_json_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Read the form of `to_mapping`; raises KeyError or TypeError when it is not of that form."""
        return cls(
            **{
                **mapping,
                "subnet_ids": tuple(mapping["subnet_ids"]),
                "security_group_ids": tuple(mapping["security_group_ids"]),
            }
        )


@dataclass(frozen=True, kw_only=True)
class MonitoringEnvironment(Environment):
    """What monitoring needs besides: the SNS topic of its alerts and the CloudWatch namespace."""

    alert_topic_arn: str
    metric_namespace: str = DEFAULT_METRIC_NAMESPACE

    @classmethod
    def _values(cls, reader: "_VariableReader") -> dict[str, Any]:
        return {
            **super()._values(reader),
            "alert_topic_arn": reader.required(
                "CHURN_ALERT_TOPIC_ARN", _TOPIC_ARN, "the ARN of an SNS topic"
            ),
            "metric_namespace": reader.optional(
                "CHURN_METRIC_NAMESPACE", _NAMESPACE, "a CloudWatch namespace"
            )
            or DEFAULT_METRIC_NAMESPACE,
        }


@dataclass(frozen=True)
class OperatorSettings:
    """How tasks wait and are retried; a schedule that is None means runs by hand only.

    `retraining_parameters` and `drift_parameters` are JSON texts, read by `deployment_parameters`.
    `batch_poll_interval_seconds` is the time between two looks for a batch, and how long a batch without a
    `_SUCCESS` marker must have been left unchanged before it counts as complete.
    """

    deferrable: bool = True
    poll_interval_seconds: float = DEFAULT_POLL_INTERVAL_SECONDS
    aws_conn_id: str = "aws_default"
    region: str | None = None
    retry_delay_seconds: float = DEFAULT_RETRY_DELAY_SECONDS
    retraining_schedule: str | None = DEFAULT_SCHEDULE
    drift_schedule: str | None = DEFAULT_SCHEDULE
    retraining_parameters: str = ""
    drift_parameters: str = ""
    batch_poll_interval_seconds: float = DEFAULT_BATCH_POLL_INTERVAL_SECONDS


class _VariableReader:
    """Reads variables and collects problems instead of stopping at the first."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.missing: list[str] = []
        self.problems: list[str] = []

    def required(
        self, name: str, pattern: re.Pattern[str], what: str, *, other_name: str | None = None
    ) -> str:
        text = self._text(name) or (self._text(other_name) if other_name else "")
        if not text:
            self.missing.append(f"{name} (or {other_name})" if other_name else name)
        elif not pattern.fullmatch(text):
            self.problems.append(f"{name}={text!r:.120} is not {what}")
        return text

    def optional(self, name: str, pattern: re.Pattern[str], what: str) -> str | None:
        text = self._text(name)
        if text and not pattern.fullmatch(text):
            self.problems.append(f"{name}={text!r:.120} is not {what}")
        return text or None

    def listed(self, name: str, pattern: re.Pattern[str], what: str, most: int) -> tuple[str, ...]:
        entries = tuple(entry.strip() for entry in self._text(name).split(",") if entry.strip())
        wrong = [entry for entry in entries if not pattern.fullmatch(entry)]
        if wrong:
            self.problems.append(f"{name}: {', '.join(wrong)!r:.120} are not {what}")
        if len(entries) > most:
            self.problems.append(f"{name} holds {len(entries)} {what}; SageMaker takes at most {most}")
        return entries

    def flag(self, name: str, *, default: bool) -> bool:
        text = self._text(name).lower()
        if text and text not in _TRUE | _FALSE:
            self.problems.append(f"{name}={text!r:.40} is neither true nor false")
        return text in _TRUE if text else default

    def raise_problems(self) -> None:
        parts = [f"missing: {', '.join(self.missing)}"] if self.missing else []
        parts += self.problems
        if parts:
            raise EnvironmentSettingsError(
                f"environment variables: {'; '.join(parts)} (set them where the others are set)"
            )

    def _text(self, name: str) -> str:
        return str(self._variables.get(name) or "").strip()


def read_environment() -> Environment:
    """Read this process's environment variables; raises EnvironmentSettingsError."""
    return Environment.from_mapping(os.environ)


def read_monitoring_environment() -> MonitoringEnvironment:
    """Read this process's environment variables for monitoring; raises EnvironmentSettingsError."""
    return MonitoringEnvironment.from_mapping(os.environ)


def read_operator_settings(variables: Mapping[str, str] | None = None) -> OperatorSettings:
    """Read how tasks wait; an unusable value falls back to its default: parsing must not fail.

    Variables: CHURN_DEFERRABLE, CHURN_POLL_INTERVAL_SECONDS, CHURN_AWS_CONN_ID, CHURN_RETRY_DELAY_SECONDS,
    CHURN_RETRAINING_SCHEDULE and CHURN_DRIFT_SCHEDULE (a cron expression or preset, or `none`),
    CHURN_RETRAINING_PARAMETERS and CHURN_DRIFT_PARAMETERS (JSON objects of parameters' defaults),
    CHURN_BATCH_POLL_INTERVAL_SECONDS, AWS_DEFAULT_REGION or AWS_REGION.
    """
    source = os.environ if variables is None else variables
    deferrable = source.get("CHURN_DEFERRABLE", "").strip().lower()
    return OperatorSettings(
        deferrable=deferrable not in _FALSE,
        poll_interval_seconds=_seconds(source, "CHURN_POLL_INTERVAL_SECONDS", DEFAULT_POLL_INTERVAL_SECONDS),
        aws_conn_id=source.get("CHURN_AWS_CONN_ID", "").strip() or "aws_default",
        region=source.get("AWS_DEFAULT_REGION", "").strip() or source.get("AWS_REGION", "").strip() or None,
        retry_delay_seconds=_seconds(source, "CHURN_RETRY_DELAY_SECONDS", DEFAULT_RETRY_DELAY_SECONDS),
        retraining_schedule=_schedule(source, "CHURN_RETRAINING_SCHEDULE"),
        drift_schedule=_schedule(source, "CHURN_DRIFT_SCHEDULE"),
        retraining_parameters=source.get("CHURN_RETRAINING_PARAMETERS", "").strip(),
        drift_parameters=source.get("CHURN_DRIFT_PARAMETERS", "").strip(),
        batch_poll_interval_seconds=_seconds(
            source, "CHURN_BATCH_POLL_INTERVAL_SECONDS", DEFAULT_BATCH_POLL_INTERVAL_SECONDS
        ),
    )


def _schedule(source: Mapping[str, str], name: str) -> str | None:
    schedule = source.get(name, "").strip() or DEFAULT_SCHEDULE
    return None if schedule.lower() == "none" else schedule


def _seconds(source: Mapping[str, str], name: str, default: float) -> float:
    """Return a number of seconds from 0.1 to one day, or the default."""
    read: Callable[[str], float] = float
    try:
        seconds = read(source.get(name, ""))
    except ValueError:
        return default
    return seconds if 0.1 <= seconds <= 86_400 else default
