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
  name = "telecom-churn-production"
}

module "platform" {
  source = "../../modules/platform"

  name = local.name

  availability_zones          = var.availability_zones
  function_archive_directory  = var.function_archive_directory
  subscriptions               = var.subscriptions
  approver_principal_arns     = var.approver_principal_arns
  instance_hour_prices        = var.instance_hour_prices
  manage_sagemaker_log_groups = var.manage_sagemaker_log_groups
  is_monitoring_expected      = var.is_monitoring_expected

  existing_network    = var.existing_network
  vpc_cidr            = var.vpc_cidr
  nat_gateway_enabled = var.nat_gateway_enabled
  interface_endpoints = var.interface_endpoints

  other_model_package_groups = var.other_model_package_groups
  retraining_schedule        = var.retraining_schedule
  drift_schedule             = var.drift_schedule
  retraining_on_new_data     = var.retraining_on_new_data

  environment_class     = "mw1.small"
  workers               = { min = 1, max = 5 }
  webserver_access_mode = "PRIVATE_ONLY"

  log_retention_days      = 400
  noncurrent_version_days = 90

  most_job_cost_per_day = 50
  monthly_budget        = 1500
}
