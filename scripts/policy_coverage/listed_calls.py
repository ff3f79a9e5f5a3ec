"""Calls listed by hand: those of people and functions, which must be allowed, and the forbidden ones.

All are written for the values that policies are rendered with in tests (`LAPTOP_VALUES`).
"""

from collections.abc import Mapping
from typing import Any

from scripts.policy_coverage.iam_policies import Call

_REGION, _ACCOUNT = "eu-west-1", "123456789012"
_SAGEMAKER = f"arn:aws:sagemaker:{_REGION}:{_ACCOUNT}"
_LOGS = f"arn:aws:logs:{_REGION}:{_ACCOUNT}"
_KEY = f"arn:aws:kms:{_REGION}:{_ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
_ARTIFACTS, _DATA = "arn:aws:s3:::churn-artifacts", "arn:aws:s3:::churn-data"
_QUEUE = f"arn:aws:sqs:{_REGION}:{_ACCOUNT}:telecom-churn-laptop-dead-letters"
_ENVIRONMENT = "telecom-churn-laptop"
# The second one is what the end-to-end tests of monitoring register in (other_model_package_groups).
_GROUPS = ("telecom-churn", "drift-end-to-end")

# What the laptop's stack is made of (local_airflow/stack_settings.py), so that recorded calls can be judged.
LAPTOP_VALUES: Mapping[str, Any] = {
    "partition": "aws",
    "region": _REGION,
    "account_id": _ACCOUNT,
    "artifact_bucket": "churn-artifacts",
    "data_bucket": "churn-data",
    "kms_key_arn": _KEY,
    "airflow_environment_name": _ENVIRONMENT,
    "dags_path": "dags",
    "bundle_path": "mwaa",
    "registry_arns": [
        f"{_SAGEMAKER}:{kind}"
        for name in _GROUPS
        for group in (name, f"{name}-synthetic")
        for kind in (f"model-package-group/{group}", f"model-package/{group}/*")
    ],
    "approvable_arns": [f"{_SAGEMAKER}:model-package/{name}/*" for name in _GROUPS],
    "metric_namespace": "TelecomChurn",
    "drift_topic_arn": f"arn:aws:sns:{_REGION}:{_ACCOUNT}:churn-drift-alerts",
    "job_role_arn": f"arn:aws:iam::{_ACCOUNT}:role/churn-sagemaker-job",
    "function_name": "a-function",
    "queue_arn": _QUEUE,
}

_APPROVED = {"sagemaker:ModelApprovalStatus": "Approved"}
_PENDING = {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}
_REAL, _SYNTHETIC = (
    f"{_SAGEMAKER}:model-package/telecom-churn/3",
    f"{_SAGEMAKER}:model-package/telecom-churn-synthetic/3",
)
_S3_KEY = {"kms:ViaService": f"s3.{_REGION}.amazonaws.com"}


def _function_calls(name: str) -> list[Call]:
    return [
        Call("logs:CreateLogStream", f"{_LOGS}:log-group:/aws/lambda/a-function:log-stream:x", reason=name),
        Call("logs:PutLogEvents", f"{_LOGS}:log-group:/aws/lambda/a-function:log-stream:x", reason=name),
        Call("kms:Decrypt", _KEY, reason=f"{name}: its variables are encrypted"),
    ]


# role → calls nobody records: a person's way through an approval, and what the functions do.
NEEDED: Mapping[str, list[Call]] = {
    "approver": [
        Call("sagemaker:ListModelPackageGroups", "*", reason="finds the models"),
        Call("sagemaker:ListModelPackages", "*", reason="finds the models"),
        Call("sagemaker:DescribeModelPackage", _REAL, reason="looks at a model"),
        Call("s3:ListBucket", _ARTIFACTS, {"s3:prefix": "retraining/run/evaluate/"}, "finds its report"),
        Call(
            "s3:GetObject",
            f"{_ARTIFACTS}/retraining/run/evaluate/job/evaluation/evaluation.html",
            reason="reads it",
        ),
        Call("kms:Decrypt", _KEY, _S3_KEY, "the report is encrypted"),
        Call("sagemaker:UpdateModelPackage", _REAL, _APPROVED, "approves"),
        Call("sagemaker:UpdateModelPackage", _REAL, {"sagemaker:ModelApprovalStatus": "Rejected"}, "rejects"),
    ],
    "start_retraining": [
        Call(
            "airflow:InvokeRestApi",
            f"arn:aws:airflow:{_REGION}:{_ACCOUNT}:role/{_ENVIRONMENT}/User",
            reason="starts a run",
        ),
        *(
            Call(f"sqs:{verb}", _QUEUE, reason="start_retraining: takes a delivery")
            for verb in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        ),
        *_function_calls("start_retraining"),
    ],
    "job_costs": [
        Call("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "TelecomChurn"}, "publishes a cost"),
        Call("sqs:SendMessage", _QUEUE, reason="job_costs: a dead letter"),
        Call("kms:GenerateDataKey", _KEY, reason="job_costs: the queue is encrypted"),
        *_function_calls("job_costs"),
    ],
}

_OTHER_ROLE = f"arn:aws:iam::{_ACCOUNT}:role/administrator"
_JOB_ROLE = f"arn:aws:iam::{_ACCOUNT}:role/churn-sagemaker-job"
_TO_SAGEMAKER = {"iam:PassedToService": "sagemaker.amazonaws.com"}

# role → calls that must be denied; `reason` is what would go wrong otherwise.
FORBIDDEN: Mapping[str, list[Call]] = {
    "airflow": [
        Call("sagemaker:UpdateModelPackage", _REAL, _APPROVED, "Airflow approves its own model"),
        Call("sagemaker:UpdateModelPackage", _SYNTHETIC, _APPROVED, "a synthetic model is approved"),
        Call(
            "sagemaker:UpdateModelPackage",
            _REAL,
            {"sagemaker:ModelApprovalStatus": "Rejected"},
            "Airflow rejects a model that a person approved",
        ),
        Call("sagemaker:CreateModelPackage", _REAL, _APPROVED, "a model is born approved"),
        Call("sagemaker:CreateModelPackage", _SYNTHETIC, _APPROVED, "a synthetic model is born approved"),
        Call("sagemaker:DeleteModelPackage", _REAL, reason="history disappears"),
        Call(
            "sagemaker:CreateModelPackage",
            f"{_SAGEMAKER}:model-package/other/1",
            _PENDING,
            "another team's group",
        ),
        Call("sagemaker:CreateEndpoint", f"{_SAGEMAKER}:endpoint/churn", reason="something is deployed"),
        Call(
            "sagemaker:CreateTrainingJob", f"{_SAGEMAKER}:training-job/mining", reason="a job of another name"
        ),
        Call("iam:PassRole", _OTHER_ROLE, _TO_SAGEMAKER, "a job gets another role"),
        Call(
            "iam:PassRole",
            _JOB_ROLE,
            {"iam:PassedToService": "lambda.amazonaws.com"},
            "another service gets the role",
        ),
        Call("iam:CreateRole", _OTHER_ROLE, reason="permissions grow"),
        Call("iam:PutRolePolicy", _JOB_ROLE, reason="permissions grow"),
        Call(
            "sts:AssumeRole",
            f"arn:aws:iam::{_ACCOUNT}:role/churn-approver",
            reason="Airflow becomes the approver",
        ),
        Call("s3:GetObject", "arn:aws:s3:::other-bucket/secret.csv", reason="another bucket is read"),
        Call("s3:PutObject", f"{_DATA}/raw/ibm_telco/customers.csv", reason="raw data is changed"),
        Call("s3:PutObject", f"{_ARTIFACTS}/dags/churn_retraining.py", reason="a task changes the DAGs"),
        Call("s3:PutObject", f"{_ARTIFACTS}/mwaa/plugins.zip", reason="a task changes the plugins"),
        Call("s3:PutObject", f"{_ARTIFACTS}/job-bundles/current.json", reason="a task changes the job code"),
        Call(
            "s3:DeleteObject",
            f"{_ARTIFACTS}/monitoring/telecom-churn/3/monitor_state.json",
            reason="evidence disappears",
        ),
        Call("s3:PutBucketPolicy", _ARTIFACTS, reason="the bucket is opened"),
        Call(
            "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "OtherTeam"}, "another team's figures"
        ),
        Call("sns:Publish", f"arn:aws:sns:{_REGION}:{_ACCOUNT}:other-topic", reason="another topic"),
        Call("kms:Decrypt", f"arn:aws:kms:{_REGION}:{_ACCOUNT}:key/other", _S3_KEY, "another key"),
        Call("kms:Decrypt", _KEY, reason="the key is used past the services"),
        Call("kms:ScheduleKeyDeletion", _KEY, reason="everything is lost"),
        Call(
            "kms:CreateGrant",
            _KEY,
            {"kms:ViaService": f"sagemaker.{_REGION}.amazonaws.com"},
            "a grant not for AWS",
        ),
        Call(
            "logs:DeleteLogGroup", f"{_LOGS}:log-group:airflow-{_ENVIRONMENT}-Task", reason="traces disappear"
        ),
        Call(
            "airflow:CreateWebLoginToken",
            f"arn:aws:airflow:{_REGION}:{_ACCOUNT}:role/{_ENVIRONMENT}/Admin",
            reason="a task becomes Admin",
        ),
    ],
    "job": [
        Call("sagemaker:UpdateModelPackage", _REAL, _APPROVED, "a job approves a model"),
        Call("sagemaker:CreateModelPackage", _REAL, _PENDING, "a job registers past the gate"),
        Call("sagemaker:DeleteModelPackage", _REAL, reason="history disappears"),
        Call(
            "sagemaker:CreateTrainingJob", f"{_SAGEMAKER}:training-job/churn-more", reason="a job starts jobs"
        ),
        Call("iam:PassRole", _JOB_ROLE, _TO_SAGEMAKER, "a job hands its role on"),
        Call("s3:PutObject", f"{_DATA}/raw/ibm_telco/customers.csv", reason="raw data is changed"),
        Call("s3:PutObject", f"{_ARTIFACTS}/job-bundles/current.json", reason="a job changes job code"),
        Call("s3:PutObject", f"{_ARTIFACTS}/dags/churn_retraining.py", reason="a job changes the DAGs"),
        Call(
            "s3:PutObject",
            f"{_ARTIFACTS}/monitoring/telecom-churn/3/monitor_state.json",
            reason="a job changes evidence",
        ),
        Call("s3:GetObject", f"{_ARTIFACTS}/mwaa/startup.sh", reason="a job reads the deployment"),
        Call(
            "s3:DeleteObject",
            f"{_ARTIFACTS}/retraining/run/train/job/output/model.tar.gz",
            reason="a model disappears",
        ),
        Call("s3:GetObject", "arn:aws:s3:::other-bucket/secret.csv", reason="another bucket is read"),
        Call("sns:Publish", LAPTOP_VALUES["drift_topic_arn"], reason="a job sends alerts"),
        Call(
            "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "TelecomChurn"}, "a job publishes drift"
        ),
        Call(
            "ecr:BatchGetImage",
            f"arn:aws:ecr:{_REGION}:{_ACCOUNT}:repository/anything",
            reason="another image",
        ),
    ],
    "approver": [
        Call("sagemaker:UpdateModelPackage", _SYNTHETIC, _APPROVED, "a synthetic model is approved"),
        Call("sagemaker:CreateModelPackage", _SYNTHETIC, _APPROVED, "a synthetic model is born approved"),
        Call(
            "sagemaker:UpdateModelPackage",
            f"{_SAGEMAKER}:model-package/other/1",
            _APPROVED,
            "another team's model",
        ),
        Call("sagemaker:CreateModelPackage", _REAL, _PENDING, "a person registers past the gate"),
        Call("sagemaker:DeleteModelPackage", _REAL, reason="history disappears"),
        Call(
            "sagemaker:CreateTrainingJob",
            f"{_SAGEMAKER}:training-job/churn-x",
            reason="an approver starts jobs",
        ),
        Call(
            "s3:PutObject",
            f"{_ARTIFACTS}/retraining/run/evaluate/job/evaluation/evaluation.json",
            reason="a report is changed",
        ),
        Call("s3:GetObject", f"{_DATA}/raw/ibm_telco/customers.csv", reason="customers' data is read"),
        Call("iam:PassRole", _JOB_ROLE, _TO_SAGEMAKER, "a role is handed on"),
    ],
    "start_retraining": [
        Call(
            "airflow:InvokeRestApi",
            f"arn:aws:airflow:{_REGION}:{_ACCOUNT}:role/{_ENVIRONMENT}/Admin",
            reason="the function is Admin",
        ),
        Call(
            "airflow:UpdateEnvironment",
            f"arn:aws:airflow:{_REGION}:{_ACCOUNT}:environment/{_ENVIRONMENT}",
            reason="the environment is changed",
        ),
        Call("s3:GetObject", f"{_DATA}/raw/ibm_telco/customers.csv", reason="customers' data is read"),
    ],
    "job_costs": [
        Call(
            "cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "OtherTeam"}, "another team's figures"
        ),
        Call("sagemaker:StopTrainingJob", f"{_SAGEMAKER}:training-job/churn-x", reason="a job is stopped"),
    ],
}

_OF_MWAA = "needed by MWAA itself (its documentation of the execution role); no test runs MWAA"

# (role, statement) that no call of tests or lists uses, and why it is there all the same.
UNUSED_WITH_REASON: Mapping[tuple[str, str], str] = {
    ("airflow", sid): _OF_MWAA
    for sid in (
        "MwaaReportsTheEnvironmentsHealth",
        "MwaaChecksTheAccountsPublicAccessBlock",
        "MwaaReadsDagsAndBundle",
        "MwaaWritesItsLogs",
        "MwaaFindsItsLogs",
        "MwaaPublishesAirflowsMetrics",
        "CeleryUsesMwaasQueues",
    )
}

# (role, statement, action) that no call uses although its statement is used, and why it is there.
UNUSED_ACTIONS_WITH_REASON: Mapping[tuple[str, str, str], str] = {
    **{
        ("airflow", sid, action): _OF_MWAA
        for sid, action in (
            ("MwaaChecksTheSourceBucket", "s3:GetBucket*"),
            ("MwaaChecksTheSourceBucket", "s3:GetEncryptionConfiguration"),
            ("MwaaChecksTheSourceBucket", "s3:ListBucketVersions"),
            ("KeyForBucketsQueuesAndTopics", "kms:DescribeKey"),
            ("KeyForBucketsQueuesAndTopics", "kms:Encrypt"),
        )
    },
    ("airflow", "RunsItsOwnJobs", "sagemaker:StopTrainingJob"): (
        "a run that is stopped while it trains; the end-to-end tests stop one while it preprocesses"
    ),
}
