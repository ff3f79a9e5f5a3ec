provider "aws" {
  region = var.region

  default_tags {
    tags = {
      "churn:environment" = local.name
      "churn:managed-by"  = "terraform"
    }
  }
}

locals {
  name = "telecom-churn-development"
}

module "platform" {
  source = "../../modules/platform"

  name = local.name

  availability_zones          = var.availability_zones
  bundle_directory            = var.bundle_directory
  function_archive_directory  = var.function_archive_directory
  subscriptions               = var.subscriptions
  approver_principal_arns     = var.approver_principal_arns
  instance_hour_prices        = var.instance_hour_prices
  manage_sagemaker_log_groups = var.manage_sagemaker_log_groups
  is_monitoring_expected      = var.is_monitoring_expected

  environment_class     = "mw1.micro"
  workers               = { min = 1, max = 1 }
  webserver_access_mode = "PUBLIC_ONLY" # behind IAM; no way into the private network is needed to look

  log_retention_days      = 30
  noncurrent_version_days = 30
  force_destroy           = true
  approver_requires_mfa   = false

  most_job_cost_per_day = 10
  monthly_budget        = 500
}
