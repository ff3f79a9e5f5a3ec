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

  model_package_groups = ["telecom-churn", "telecom-churn-synthetic"]
  subscriptions = {
    team = { topic = "drift", protocol = "email", endpoint = "team@example.com" }
  }
}

run "events_reach_the_operations_topic" {
  module {
    source = "../alerts"
  }

  assert {
    condition = alltrue([
      for topic in aws_sns_topic_policy.this : toset(flatten([
        for statement in jsondecode(topic.policy).Statement : try([statement.Principal.Service], [])
        if statement.Effect == "Allow" && statement.Action == "sns:Publish"
      ])) == toset(["budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com"])
    ])
    error_message = "Rules, alarms and budgets must be allowed to publish; else they fail in silence."
  }

  assert {
    condition = toset(flatten([
      for rule in aws_cloudwatch_event_rule.this : jsondecode(rule.event_pattern)["detail-type"]
    ])) == toset(["SageMaker Model Package State Change", "SageMaker Processing Job State Change", "SageMaker Training Job State Change"])
    error_message = "The detail types are SageMaker's own words; another one never matches."
  }

  assert {
    condition = alltrue([
      for key, rule in aws_cloudwatch_event_rule.this :
      aws_cloudwatch_event_target.this[key].rule == rule.name && aws_cloudwatch_event_target.this[key].arn == aws_sns_topic.this["operations"].arn
    ])
    error_message = "Every rule has a target: the operations topic."
  }

  assert {
    condition     = alltrue([for topic in aws_sns_topic.this : topic.kms_master_key_id == var.kms_key_arn])
    error_message = "Topics are encrypted with the project's key."
  }
}

run "subscription_to_an_unknown_topic_then_is_refused" {
  command = plan

  module {
    source = "../alerts"
  }

  variables {
    subscriptions = { team = { topic = "everything", protocol = "email", endpoint = "team@example.com" } }
  }

  expect_failures = [var.subscriptions]
}
