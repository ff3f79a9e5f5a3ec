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
  name                = "telecom-churn-test"
  kms_key_arn         = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  log_retention_days  = 30
  execution_role_arn  = "arn:aws:iam::123456789012:role/telecom-churn-test-airflow"
  artifact_bucket_arn = "arn:aws:s3:::a-bucket"
  dags_path           = "dags"
  subnet_ids          = ["subnet-0a", "subnet-0b", "subnet-0c"]
  security_group_ids  = ["sg-0a"]
}

run "environment_runs_the_proven_airflow_in_two_private_subnets" {
  module {
    source = "../mwaa"
  }

  assert {
    condition     = aws_mwaa_environment.this.airflow_version == "3.3.1"
    error_message = "The default is the Airflow that the project is written for."
  }

  assert {
    condition     = length(aws_mwaa_environment.this.network_configuration[0].subnet_ids) == 2
    error_message = "MWAA takes exactly two subnets."
  }

  assert {
    condition     = toset([for group in aws_cloudwatch_log_group.this : "${group.name} ${group.retention_in_days}"]) == toset([for kind in ["DAGProcessing", "Scheduler", "Task", "WebServer", "Worker"] : "airflow-telecom-churn-test-${kind} 30"])
    error_message = "Every log group of the environment is there with its retention before MWAA makes it without."
  }

  assert {
    condition     = aws_mwaa_environment.this.kms_key == var.kms_key_arn
    error_message = "Airflow is encrypted with the project's key."
  }
}

run "values_that_mwaa_or_cloudwatch_does_not_take_then_are_refused" {
  command = plan

  module {
    source = "../mwaa"
  }

  variables {
    airflow_version                 = "3.9.9"
    environment_class               = "mw1.huge"
    log_retention_days              = 45
    subnet_ids                      = ["subnet-0a"]
    webserver_access_mode           = "OPEN"
    weekly_maintenance_window_start = "SUN:03:15"
  }

  expect_failures = [
    var.airflow_version,
    var.environment_class,
    var.log_retention_days,
    var.subnet_ids,
    var.webserver_access_mode,
    var.weekly_maintenance_window_start,
  ]
}

run "fewer_workers_at_most_than_at_least_then_are_refused" {
  command = plan

  module {
    source = "../mwaa"
  }

  variables {
    workers = { min = 3, max = 2 }
  }

  expect_failures = [var.workers]
}

run "many_workers_on_micro_then_are_refused" {
  command = plan

  module {
    source = "../mwaa"
  }

  variables {
    environment_class = "mw1.micro"
    workers           = { min = 1, max = 5 }
  }

  expect_failures = [var.workers]
}
