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
  name               = "telecom-churn-test"
  account            = { id = "123456789012", region = "eu-west-1", partition = "aws" }
  availability_zones = ["eu-west-1a", "eu-west-1b"]
}

run "network_when_made_then_has_two_private_subnets_and_every_endpoint" {
  module {
    source = "../network"
  }

  assert {
    condition     = length(output.subnet_ids) == 2
    error_message = "One private subnet per zone."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.private : subnet.map_public_ip_on_launch != true])
    error_message = "Private subnets hand out no public addresses."
  }

  assert {
    condition = length(setsubtract(
      ["ecr.api", "ecr.dkr", "kms", "logs", "monitoring", "sagemaker.api", "sns", "sqs", "sts"],
      [for endpoint in aws_vpc_endpoint.interface : trimprefix(endpoint.service_name, "com.amazonaws.eu-west-1.")]
    )) == 0
    error_message = "An endpoint that Airflow or a job needs is missing."
  }

  assert {
    condition     = aws_vpc_endpoint.s3[0].vpc_endpoint_type == "Gateway"
    error_message = "S3 is reached through its gateway, which costs nothing."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.self.referenced_security_group_id == aws_security_group.this.id && aws_vpc_security_group_ingress_rule.self.ip_protocol == "-1"
    error_message = "MWAA needs a security group that lets its own members in."
  }
}

run "network_when_there_is_one_then_nothing_but_the_security_group_is_made" {
  module {
    source = "../network"
  }

  variables {
    existing = { vpc_id = "vpc-0a", subnet_ids = ["subnet-0a", "subnet-0b"] }
  }

  assert {
    condition     = length(aws_vpc.this) + length(aws_subnet.private) + length(aws_nat_gateway.this) + length(aws_vpc_endpoint.interface) == 0
    error_message = "An existing network is used as it is."
  }

  assert {
    condition     = output.vpc_id == "vpc-0a" && output.subnet_ids == tolist(["subnet-0a", "subnet-0b"])
    error_message = "The existing network is the one that is used."
  }
}

run "one_zone_one_subnet_and_few_addresses_then_are_refused" {
  command = plan

  module {
    source = "../network"
  }

  variables {
    availability_zones = ["eu-west-1a", "eu-west-1a"]
    existing           = { vpc_id = "vpc-0a", subnet_ids = ["subnet-0a"] }
    vpc_cidr           = "10.20.0.0/28"
  }

  expect_failures = [var.availability_zones, var.existing, var.vpc_cidr]
}

run "some_endpoints_but_not_all_that_are_needed_then_are_refused" {
  command = plan

  module {
    source = "../network"
  }

  variables {
    interface_endpoints = ["kms", "logs"]
  }

  expect_failures = [var.interface_endpoints]
}

run "network_without_internet_then_has_airflows_own_endpoints_too" {
  command = plan

  module {
    source = "../network"
  }

  variables {
    nat_gateway_enabled = false
  }

  assert {
    condition     = length(setsubtract(["airflow.api", "airflow.env", "airflow.ops", "sqs", "kms"], keys(aws_vpc_endpoint.interface))) == 0
    error_message = "MWAA's documentation of private routing names these endpoints."
  }

  assert {
    condition     = length(aws_nat_gateway.this) + length(aws_internet_gateway.this) == 0
    error_message = "Without a NAT gateway there is no way to the internet."
  }
}

run "no_way_to_aws_then_is_refused" {
  command = plan

  module {
    source = "../network"
  }

  variables {
    nat_gateway_enabled = false
    interface_endpoints = []
  }

  expect_failures = [var.interface_endpoints]
}
