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

  log_retention_days       = 30
  archive                  = "../../../dist/functions/start_retraining.zip"
  data_bucket              = "d-bucket"
  airflow_environment_name = "telecom-churn-test"
}

run "new_data_reach_airflow_or_a_dead_letter_queue" {
  module {
    source = "../trigger"
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.this.event_pattern) == {
      source      = ["aws.s3"]
      detail-type = ["Object Created"]
      detail = {
        bucket = { name = ["d-bucket"] }
        object = { key = [{ wildcard = "raw/*/_SUCCESS" }] }
      }
    }
    error_message = "The rule matches markers of complete deliveries in the data bucket, and nothing else."
  }

  assert {
    condition     = one(aws_cloudwatch_event_target.this.dead_letter_config).arn == aws_sqs_queue.dead_letters.arn && jsondecode(aws_sqs_queue.deliveries.redrive_policy).deadLetterTargetArn == aws_sqs_queue.dead_letters.arn
    error_message = "What EventBridge cannot deliver and what the function cannot handle both become dead letters."
  }

  assert {
    condition = alltrue([
      for policy in [aws_sqs_queue_policy.deliveries.policy, aws_sqs_queue_policy.dead_letters.policy] : anytrue([
        for statement in jsondecode(policy).Statement :
        statement.Effect == "Allow" && try(statement.Principal.Service, "") == "events.amazonaws.com" && statement.Action == "sqs:SendMessage"
        && try(statement.Condition.ArnEquals["aws:SourceArn"], "") == aws_cloudwatch_event_rule.this.arn
      ])
    ])
    error_message = "The queue's policy must let this rule in, and only this rule."
  }

  assert {
    condition     = aws_cloudwatch_event_target.this.arn == aws_sqs_queue.deliveries.arn && aws_lambda_event_source_mapping.this.event_source_arn == aws_sqs_queue.deliveries.arn
    error_message = "The rule fills the queue that the function takes from."
  }

  assert {
    condition     = aws_sqs_queue.deliveries.visibility_timeout_seconds * jsondecode(aws_sqs_queue.deliveries.redrive_policy).maxReceiveCount >= 3600 && aws_sqs_queue.deliveries.visibility_timeout_seconds >= 6 * aws_lambda_function.this.timeout
    error_message = "A delivery outlives an update of the environment, and Lambda wants six times its timeout."
  }

  assert {
    condition     = aws_lambda_function.this.handler == "start_retraining.handler"
    error_message = "The handler is the one in the archive."
  }
}

run "switched_off_then_no_event_is_handled" {
  module {
    source = "../trigger"
  }

  variables {
    is_enabled = false
  }

  assert {
    condition     = aws_cloudwatch_event_rule.this.state == "DISABLED"
    error_message = "Switched off means that the rule is off."
  }
}

run "key_pattern_that_every_file_matches_then_is_refused" {
  command = plan

  module {
    source = "../trigger"
  }

  variables {
    key_pattern = "raw/*"
  }

  expect_failures = [var.key_pattern]
}

run "function_that_was_not_built_then_is_told" {
  command = plan

  module {
    source = "../trigger"
  }

  variables {
    archive = "../../../dist/functions/nowhere.zip"
  }

  expect_failures = [var.archive]
}
