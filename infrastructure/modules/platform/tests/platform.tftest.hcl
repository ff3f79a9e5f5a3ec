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
  name                       = "telecom-churn-test"
  availability_zones         = ["eu-west-1a", "eu-west-1b"]
  existing_network           = { vpc_id = "vpc-0a", subnet_ids = ["subnet-0a", "subnet-0b"] }
  environment_class          = "mw1.micro"
  workers                    = { min = 1, max = 1 }
  webserver_access_mode      = "PRIVATE_ONLY"
  function_archive_directory = "../../../dist/functions"
  log_retention_days         = 30
  noncurrent_version_days    = 30
  subscriptions              = {}
  approver_principal_arns    = []
  instance_hour_prices       = { "ml.m5.large" = 1 }
  most_job_cost_per_day      = 10
  monthly_budget             = 500
}

run "deployment_names_every_setting_that_airflow_reads" {
  assert {
    condition = toset(keys(output.deployment.settings)) == toset([
      "CHURN_ENVIRONMENT_NAME", "CHURN_ARTIFACT_BUCKET", "CHURN_DATA_BUCKET", "CHURN_SAGEMAKER_ROLE_ARN", "CHURN_KMS_KEY_ID", "CHURN_SUBNET_IDS",
      "CHURN_SECURITY_GROUP_IDS", "CHURN_NETWORK_ISOLATION", "CHURN_ALERT_TOPIC_ARN", "CHURN_METRIC_NAMESPACE",
      "CHURN_RETRAINING_SCHEDULE", "CHURN_RETRAINING_PARAMETERS", "CHURN_DRIFT_SCHEDULE", "CHURN_DRIFT_PARAMETERS",
    ])
    error_message = "A setting that include/settings/environment.py reads is missing or misspelt."
  }
}

run "parameters_that_are_no_object_or_hold_a_quote_then_are_refused" {
  command = plan

  variables {
    drift_parameters      = "[true]"
    retraining_parameters = "{\"gate_metric\": \"it's\"}"
  }

  expect_failures = [var.drift_parameters, var.retraining_parameters]
}

run "metric_namespace_of_amazon_and_schedules_that_are_none_then_are_refused" {
  command = plan

  variables {
    metric_namespace    = "AWS/TelecomChurn"
    retraining_schedule = "every day"
    drift_schedule      = "'; rm -rf /"
  }

  expect_failures = [var.metric_namespace, var.retraining_schedule, var.drift_schedule]
}
