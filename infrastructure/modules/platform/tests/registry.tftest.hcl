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
  account = { id = "123456789012", region = "eu-west-1", partition = "aws" }
}

run "registry_has_a_group_for_real_models_and_one_that_is_never_approved" {
  module {
    source = "../registry"
  }

  assert {
    condition     = aws_sagemaker_model_package_group.real.model_package_group_name == "telecom-churn" && aws_sagemaker_model_package_group.synthetic.model_package_group_name == "telecom-churn-synthetic"
    error_message = "The groups are those that the DAG registers in."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_sagemaker_model_package_group_policy.synthetic.resource_policy).Statement :
      statement.Effect == "Deny" && statement.Principal == "*" && endswith(statement.Resource, ":model-package/telecom-churn-synthetic/*")
    ])
    error_message = "Nobody at all may approve a synthetic model."
  }
}

run "group_name_when_it_claims_to_be_synthetic_then_is_refused" {
  command = plan

  module {
    source = "../registry"
  }

  variables {
    group_name = "telecom-synthetic"
  }

  expect_failures = [var.group_name]
}
