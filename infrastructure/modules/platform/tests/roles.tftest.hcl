mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::a-bucket" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:123456789012:a-topic" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-west-1:123456789012:a-queue", url = "https://sqs.eu-west-1.amazonaws.com/123456789012/a-queue" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/a-role" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:a-function" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-west-1:123456789012:rule/a-rule" }
  }
  mock_resource "aws_security_group" {
    defaults = { id = "sg-0123456789abcdef0" }
  }
  mock_resource "aws_subnet" {
    defaults = { id = "subnet-0123456789abcdef0" }
  }
}

variables {
  name                     = "telecom-churn-test"
  account                  = { id = "123456789012", region = "eu-west-1", partition = "aws" }
  kms_key_arn              = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  artifact_bucket          = "a-bucket"
  data_bucket              = "d-bucket"
  airflow_environment_name = "telecom-churn-test"
  dags_path                = "dags"
  bundle_path              = "mwaa"
  model_package_groups     = ["telecom-churn"]
  metric_namespace         = "TelecomChurn"
  drift_topic_arn          = "arn:aws:sns:eu-west-1:123456789012:telecom-churn-test-drift"
  approver_principal_arns  = ["arn:aws:iam::123456789012:role/ml-lead"]
}

# What each policy allows and denies is judged by scripts/policy_coverage; here: who may take which role.
run "roles_are_taken_by_those_they_are_for" {
  module {
    source = "../roles"
  }

  assert {
    condition     = jsondecode(aws_iam_role.airflow.assume_role_policy).Statement[0].Principal.Service == ["airflow.amazonaws.com", "airflow-env.amazonaws.com"]
    error_message = "Only MWAA takes the execution role."
  }

  assert {
    condition     = jsondecode(aws_iam_role.job.assume_role_policy).Statement[0].Principal.Service == "sagemaker.amazonaws.com"
    error_message = "Only SageMaker takes the job role."
  }

  assert {
    condition = alltrue([
      for role in [aws_iam_role.airflow, aws_iam_role.job] :
      jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    ])
    error_message = "A service must act for this account when it takes a role (confused deputy)."
  }

  assert {
    condition = (
      jsondecode(aws_iam_role.approver.assume_role_policy).Statement[0].Principal.AWS == ["arn:aws:iam::123456789012:role/ml-lead"]
      && jsondecode(aws_iam_role.approver.assume_role_policy).Statement[0].Condition.Bool["aws:MultiFactorAuthPresent"] == "true"
    )
    error_message = "Only the named people take the approver role, with a second factor."
  }

  assert {
    condition = alltrue([
      for policy in [aws_iam_role_policy.airflow_environment, aws_iam_role_policy.airflow_pipeline, aws_iam_role_policy.job, aws_iam_role_policy.approver] :
      can(jsondecode(policy.policy)) && length(policy.policy) < 10240
    ])
    error_message = "Every policy is JSON and fits into a role (10,240 characters)."
  }
}

run "nobody_named_then_nobody_may_approve" {
  module {
    source = "../roles"
  }

  variables {
    approver_principal_arns = []
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role.approver.assume_role_policy).Statement : statement.Effect] == ["Deny"]
    error_message = "Without approvers nobody takes the approver role."
  }
}

run "everybody_as_approver_then_is_refused" {
  command = plan

  module {
    source = "../roles"
  }

  variables {
    approver_principal_arns = ["*"]
  }

  expect_failures = [var.approver_principal_arns]
}
