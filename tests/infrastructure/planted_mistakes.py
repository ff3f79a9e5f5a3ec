# ruff: noqa: E501 - texts that are replaced stand here as they stand there
"""Mistakes that a person could make in `infrastructure/`, and the layer that has to catch each of them.

A mistake is one replacement in one file of a copy. `evidence` is what the layer must say, so that a mistake
is not counted as caught because another one was.
"""

from dataclasses import dataclass
from pathlib import Path

LOADING, REFERENCES, SCHEMA, TEST, ACTIONS, COVERAGE, METRICS = (
    "validate (loading)",
    "validate (references)",
    "validate (provider's schema)",
    "terraform test",
    "policy_sentry",
    "policy coverage",
    "metric names",
)


@dataclass(frozen=True)
class Mistake:
    """One planted mistake: where, what it replaces, which layer catches it and by which words."""

    name: str
    layer: str
    file: str
    right: str
    wrong: str
    evidence: str

    def plant(self, modules: Path) -> None:
        """Make the mistake in a copy; the text it replaces must be there exactly once."""
        path = modules / self.file
        text = path.read_text()
        if text.count(self.right) != 1:
            raise AssertionError(
                f"{self.name}: {self.right!r} is {text.count(self.right)} times in {self.file}"
            )
        path.write_text(text.replace(self.right, self.wrong))


_PIPELINE = "roles/policies/airflow_pipeline.json.tftpl"

MISTAKES: tuple[Mistake, ...] = (
    # --- loading: wiring between modules -------------------------------------------------------------
    Mistake(
        "a module does not get what it needs", LOADING, "platform/main.tf",
        "  airflow_environment_name = module.mwaa.environment_name\n  is_enabled",
        "  is_enabled", 'The argument "airflow_environment_name" is required',
    ),
    # --- references, then the provider's schema -----------------------------------------------------------------------
    Mistake(
        "a misspelt argument", REFERENCES, "encryption/main.tf",
        "enable_key_rotation     = true", "enable_key_rotations = true", "enable_key_rotations",
    ),
    Mistake(
        "a reference to a resource that is not there", REFERENCES, "storage/main.tf",
        'aws_s3_bucket.this["data"].id\n  eventbridge', 'aws_s3_bucket.raw["data"].id\n  eventbridge',
        '"aws_s3_bucket" "raw" has not been declared',
    ),
    Mistake(
        "an alarm that compares with an unknown word", SCHEMA, "monitoring/main.tf",
        'comparison_operator = "LessThanThreshold"', 'comparison_operator = "Below"', "comparison_operator",
    ),
    Mistake(
        "a required argument left out", SCHEMA, "job_costs/main.tf",
        '  function_name = aws_lambda_function.this.function_name\n  principal', "  principal", "function_name",
    ),
    Mistake(
        "a queue that keeps messages for a year", SCHEMA, "job_costs/main.tf",
        "14 * 24 * 3600", "365 * 24 * 3600", "message_retention_seconds",
    ),
    # --- variable validations and wiring, by terraform test ------------------------------------------
    Mistake(
        "any Airflow version is taken", TEST, "mwaa/variables.tf",
        'contains(["3.2.1", "3.3.1"], var.airflow_version)', 'var.airflow_version != ""', "var.airflow_version",
    ),
    Mistake(
        "any environment class is taken", TEST, "mwaa/variables.tf",
        'contains(["mw1.micro", "mw1.small", "mw1.medium", "mw1.large", "mw1.xlarge", "mw1.2xlarge"], var.environment_class)',
        'startswith(var.environment_class, "mw1")', "var.environment_class",
    ),
    Mistake(
        "one subnet is enough", TEST, "mwaa/variables.tf",
        "length(var.subnet_ids) >= 2", "length(var.subnet_ids) >= 1", "var.subnet_ids",
    ),
    Mistake(
        "the S3 to EventBridge switch is off", TEST, "storage/main.tf",
        "eventbridge = true", "eventbridge = false", "no event about new data leaves the bucket",
    ),
    Mistake(
        "a bucket lets the public in", TEST, "storage/main.tf",
        "restrict_public_buckets = true", "restrict_public_buckets = false", "must block public access",
    ),
    Mistake(
        "a bucket takes plain HTTP", TEST, "storage/policies/bucket.json.tftpl",
        '{"Bool": {"aws:SecureTransport": "false"}}', '{"Bool": {"aws:SecureTransport": "true"}}',
        "refuse what does not come over TLS",
    ),
    Mistake(
        "versions are not kept", TEST, "storage/main.tf",
        'status = "Enabled"\n  }\n}', 'status = "Suspended"\n  }\n}', "must be versioned",
    ),
    Mistake(
        "silence is no alarm", TEST, "monitoring/main.tf",
        'treat_missing_data  = "breaching"', 'treat_missing_data  = "missing"', "Missing drift metrics must breach",
    ),
    Mistake(
        "an alarm looks back too little to see yesterday's figure", TEST, "monitoring/main.tf",
        "evaluation_periods  = var.look_back_hours\n  datapoints_to_alarm = 1",
        "evaluation_periods  = 1\n  datapoints_to_alarm = 1", "never sees it",
    ),
    Mistake(
        "the budget counts a tag that does not exist", TEST, "monitoring/main.tf",
        'format("user:churn:environment$%s", var.name)', '"user:churn:environment$${var.name}"',
        "counts what carries this environment's tag",
    ),
    Mistake(
        "the dead-letter queue lets nobody in", TEST, "trigger/policies/queue.json.tftpl",
        '"sqs:SendMessage"', '"sqs:ReceiveMessage"', "The queue's policy must let this rule in",
    ),
    Mistake(
        "an event that no service sends", TEST, "alerts/locals.tf",
        '"SageMaker Model Package State Change"', '"SageMaker Model Package Status Change"',
        "The detail types are SageMaker's own words",
    ),
    Mistake(
        "rules may not publish to the topic", TEST, "alerts/policies/topic.json.tftpl",
        '"Service": "events.amazonaws.com"', '"Service": "event.amazonaws.com"', "fail in silence",
    ),
    Mistake(
        "anybody's SageMaker takes the job role", TEST, "roles/policies/job_trust.json.tftpl",
        '"aws:SourceAccount": "${account_id}"', '"aws:SourceAccount": "*"', "confused deputy",
    ),
    Mistake(
        "logs cannot use the key", TEST, "encryption/policies/key.json.tftpl",
        "logs.${region}.amazonaws.com", "log.${region}.amazonaws.com", "must be able to use the key",
    ),
    Mistake(
        "a setting that no program reads", TEST, "platform/data.tf",
        "CHURN_ALERT_TOPIC_ARN ", "CHURN_ALERTS_TOPIC_ARN ", "missing or misspelt",
    ),
    # --- policies ------------------------------------------------------------------------------------
    Mistake(
        "an unknown IAM action", ACTIONS, _PIPELINE,
        '"sagemaker:CreateProcessingJob"', '"sagemaker:CreateProcessJob"', "sagemaker:CreateProcessJob",
    ),
    Mistake(
        "a misspelt condition key in a Deny", ACTIONS, "registry/policies/synthetic_group.json.tftpl",
        "sagemaker:ModelApprovalStatus", "sagemaker:ApprovalStatus", "sagemaker:ApprovalStatus",
    ),
    Mistake(
        "a policy that is no JSON", ACTIONS, "roles/policies/job.json.tftpl",
        '"Action": "ecr:GetAuthorizationToken",', '"Action": "ecr:GetAuthorizationToken"', "no JSON",
    ),
    Mistake(
        "a needed action left out", COVERAGE, _PIPELINE,
        '        "sagemaker:AddTags",\n        "sagemaker:CreateProcessingJob",',
        '        "sagemaker:CreateProcessingJob",', "not covered: role airflow needs sagemaker:AddTags",
    ),
    Mistake(
        "jobs may not write their results", COVERAGE, "roles/policies/job.json.tftpl",
        '"Action": ["s3:PutObject", "s3:AbortMultipartUpload"],', '"Action": "s3:AbortMultipartUpload",',
        "not covered: role job needs s3:PutObject",
    ),
    Mistake(
        "Airflow may hand on any role", COVERAGE, _PIPELINE,
        '"Resource": "${job_role_arn}"', '"Resource": "*"', "forbidden but allowed: role airflow, iam:PassRole",
    ),
    Mistake(
        "metrics may go to any namespace", COVERAGE, _PIPELINE,
        '{"StringEquals": {"cloudwatch:namespace": "${metric_namespace}"}}',
        '{"StringLike": {"cloudwatch:namespace": "*"}}',
        "forbidden but allowed: role airflow, cloudwatch:PutMetricData",
    ),
    Mistake(
        "Airflow may create approved models", COVERAGE, _PIPELINE,
        '"Effect": "Deny",\n      "Action": ["sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"]',
        '"Effect": "Deny",\n      "Action": ["sagemaker:UpdateModelPackage"]',
        "forbidden but allowed: role airflow, sagemaker:CreateModelPackage",
    ),
    Mistake(
        "the approver may approve synthetic models", COVERAGE, "roles/policies/approver.json.tftpl",
        '"Effect": "Deny"', '"Effect": "Allow"', "forbidden but allowed: role approver, sagemaker:UpdateModelPackage",
    ),
    Mistake(
        "jobs may change raw data", COVERAGE, "roles/policies/job.json.tftpl",
        '''      "Resource": [
        "arn:${partition}:s3:::${artifact_bucket}/retraining/*",
        "arn:${partition}:s3:::${artifact_bucket}/monitoring-runs/*"
      ]''',
        '      "Resource": "arn:${partition}:s3:::*"', "forbidden but allowed: role job, s3:PutObject",
    ),
    Mistake(
        "a permission that nothing needs", COVERAGE, "trigger/policies/function.json.tftpl",
        '  "Statement": [\n',
        '  "Statement": [\n    {"Sid": "Spare", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"},\n',
        "unused: no call needs statement Spare",
    ),
    Mistake(
        "an alarm on a metric that nobody publishes", METRICS, "monitoring/locals.tf",
        '{ metric = "DataBreak"', '{ metric = "DataBreaks"', "DataBreaks",
    ),
    Mistake(
        "a dimension that no metric has", METRICS, "monitoring/locals.tf",
        "{ ModelPackageGroup = var.model_package_group }", "{ ModelGroup = var.model_package_group }", "ModelGroup",
    ),
)  # fmt: skip
