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

  log_retention_days   = 30
  archive              = "../../../dist/functions/job_costs.zip"
  metric_namespace     = "TelecomChurn"
  instance_hour_prices = { "ml.m5.large" = 1 }
}

run "every_ended_job_is_priced_or_becomes_a_dead_letter" {
  module {
    source = "../job_costs"
  }

  assert {
    condition = toset(jsondecode(aws_cloudwatch_event_rule.this.event_pattern)["detail-type"]) == toset([
      "SageMaker Processing Job State Change", "SageMaker Training Job State Change"
    ])
    error_message = "Both kinds of jobs cost money."
  }

  assert {
    condition     = one(aws_cloudwatch_event_target.this.dead_letter_config).arn == aws_sqs_queue.dead_letters.arn && one(aws_lambda_function.this.dead_letter_config).target_arn == aws_sqs_queue.dead_letters.arn
    error_message = "A job without a price becomes a dead letter."
  }

  assert {
    condition     = aws_lambda_function.this.handler == "job_costs.handler"
    error_message = "The handler is the one in the archive."
  }
}

run "price_of_nothing_then_is_refused" {
  command = plan

  module {
    source = "../job_costs"
  }

  variables {
    instance_hour_prices = { "ml.m5.large" = 0 }
  }

  expect_failures = [var.instance_hour_prices]
}
