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
}

run "buckets_are_closed_versioned_and_encrypted" {
  module {
    source = "../storage"
  }

  assert {
    condition     = toset(keys(aws_s3_bucket.this)) == toset(["artifacts", "data"])
    error_message = "There are two buckets."
  }

  assert {
    condition = alltrue([
      for bucket in ["artifacts", "data"] :
      aws_s3_bucket_public_access_block.this[bucket].block_public_acls
      && aws_s3_bucket_public_access_block.this[bucket].block_public_policy
      && aws_s3_bucket_public_access_block.this[bucket].ignore_public_acls
      && aws_s3_bucket_public_access_block.this[bucket].restrict_public_buckets
    ])
    error_message = "Every bucket must block public access, in all four ways."
  }

  assert {
    condition = alltrue([
      for bucket in ["artifacts", "data"] : aws_s3_bucket_versioning.this[bucket].versioning_configuration[0].status == "Enabled"
    ])
    error_message = "Every bucket must be versioned: MWAA asks for it, and restoring needs it."
  }

  assert {
    condition = alltrue([
      for bucket in ["artifacts", "data"] :
      one(one(aws_s3_bucket_server_side_encryption_configuration.this[bucket].rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
    ])
    error_message = "Every bucket must be encrypted with the project's key."
  }

  assert {
    condition = alltrue([
      for bucket in ["artifacts", "data"] : anytrue([
        for statement in jsondecode(aws_s3_bucket_policy.this[bucket].policy).Statement :
        statement.Effect == "Deny" && try(statement.Condition.Bool["aws:SecureTransport"], "") == "false" && statement.Action == "s3:*"
      ])
    ])
    error_message = "Every bucket must refuse what does not come over TLS."
  }

  assert {
    condition     = aws_s3_bucket_notification.data.eventbridge
    error_message = "Without eventbridge = true no event about new data leaves the bucket."
  }

  assert {
    condition = alltrue(flatten([
      for bucket in ["artifacts", "data"] : [
        for rule in aws_s3_bucket_lifecycle_configuration.this[bucket].rule :
        length(rule.expiration) == 0 || try(one(rule.filter).prefix, "") == "monitoring-runs/"
      ]
    ]))
    error_message = "Nothing but the working files of monitoring runs may expire by age."
  }
}
