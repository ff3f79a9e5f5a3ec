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
  name        = "telecom-churn-test"
  account     = { id = "123456789012", region = "eu-west-1", partition = "aws" }
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"

  log_retention_days          = 30
  metric_namespace            = "TelecomChurn"
  model_package_group         = "telecom-churn"
  airflow_environment_name    = "telecom-churn-test"
  operations_topic_arn        = "arn:aws:sns:eu-west-1:123456789012:telecom-churn-test-operations"
  dead_letter_queue_names     = ["a-dead-letters"]
  most_job_cost_per_day       = 10
  monthly_budget              = 500
  manage_sagemaker_log_groups = true
}

run "silence_is_an_alarm" {
  module {
    source = "../monitoring"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.silence.treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.silence.statistic == "SampleCount"
    error_message = "Missing drift metrics must breach."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.silence.period * aws_cloudwatch_metric_alarm.silence.evaluation_periods >= 40 * 3600
    error_message = "A figure that arrives a day after the last one is not silence."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.day : alarm.period * alarm.evaluation_periods >= 40 * 3600 && alarm.datapoints_to_alarm == 1])
    error_message = "A day's figure arrives hours after the time it is filed under: an alarm that looks back less never sees it."
  }

  assert {
    condition = alltrue([
      for alarm in local.alarms : alarm.alarm_actions == toset([var.operations_topic_arn])
    ])
    error_message = "An alarm that tells nobody is none."
  }

  assert {
    condition     = toset([for alarm in aws_cloudwatch_metric_alarm.failed_runs : one(alarm.metric_query).expression]) == toset([for dag in ["churn_retraining", "churn_drift_monitoring"] : "SELECT COUNT(DAGDurationFailed) FROM \"AmazonMWAA\" WHERE Environment = 'telecom-churn-test' AND DAG = '${dag}'"])
    error_message = "Failed runs of both DAGs are counted."
  }

  assert {
    condition     = one(aws_budgets_budget.month.cost_filter).values == tolist(["user:churn:environment$telecom-churn-test"])
    error_message = "The budget counts what carries this environment's tag."
  }

  assert {
    condition     = toset([for group in aws_cloudwatch_log_group.sagemaker : group.name]) == toset(["/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TrainingJobs"])
    error_message = "The logs of jobs have a retention."
  }
}

run "look_back_that_would_miss_a_late_day_then_is_refused" {
  command = plan

  module {
    source = "../monitoring"
  }

  variables {
    look_back_hours = 36
  }

  expect_failures = [var.look_back_hours]
}
