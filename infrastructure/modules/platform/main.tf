module "encryption" {
  source = "../encryption"

  name    = var.name
  account = local.account
}

module "storage" {
  source = "../storage"

  name                    = var.name
  account                 = local.account
  kms_key_arn             = module.encryption.key_arn
  noncurrent_version_days = var.noncurrent_version_days
  force_destroy           = var.force_destroy
}

module "network" {
  source = "../network"

  name                = var.name
  account             = local.account
  existing            = var.existing_network
  vpc_cidr            = var.vpc_cidr
  availability_zones  = var.availability_zones
  nat_gateway_enabled = var.nat_gateway_enabled
  interface_endpoints = var.interface_endpoints
}

module "registry" {
  source = "../registry"

  account    = local.account
  group_name = var.model_package_group
}

module "alerts" {
  source = "../alerts"

  name          = var.name
  account       = local.account
  kms_key_arn   = module.encryption.key_arn
  subscriptions = var.subscriptions
  model_package_groups = flatten([
    [module.registry.group_name, module.registry.synthetic_group_name],
    [for name in var.other_model_package_groups : [name, "${name}-synthetic"]],
  ])
}

module "roles" {
  source = "../roles"

  name                     = var.name
  account                  = local.account
  artifact_bucket          = module.storage.artifact_bucket
  data_bucket              = module.storage.data_bucket
  kms_key_arn              = module.encryption.key_arn
  airflow_environment_name = var.name
  dags_path                = local.dags_path
  bundle_path              = local.bundle_path
  model_package_groups     = concat([module.registry.group_name], var.other_model_package_groups)
  metric_namespace         = var.metric_namespace
  drift_topic_arn          = module.alerts.drift_topic_arn
  approver_principal_arns  = var.approver_principal_arns
  approver_requires_mfa    = var.approver_requires_mfa
}

module "mwaa" {
  source = "../mwaa"

  name                  = var.name
  kms_key_arn           = module.encryption.key_arn
  log_retention_days    = var.log_retention_days
  airflow_version       = var.airflow_version
  environment_class     = var.environment_class
  workers               = var.workers
  webserver_access_mode = var.webserver_access_mode
  execution_role_arn    = module.roles.airflow_role_arn
  artifact_bucket_arn   = "arn:${local.account.partition}:s3:::${module.storage.artifact_bucket}"
  dags_path             = local.dags_path
  subnet_ids            = module.network.subnet_ids
  security_group_ids    = [module.network.security_group_id]
}

module "trigger" {
  source = "../trigger"

  name                     = var.name
  account                  = local.account
  kms_key_arn              = module.encryption.key_arn
  log_retention_days       = var.log_retention_days
  archive                  = "${var.function_archive_directory}/start_retraining.zip"
  data_bucket              = module.storage.data_bucket
  airflow_environment_name = module.mwaa.environment_name
  is_enabled               = var.retraining_on_new_data
}

module "job_costs" {
  source = "../job_costs"

  name                 = var.name
  account              = local.account
  kms_key_arn          = module.encryption.key_arn
  log_retention_days   = var.log_retention_days
  archive              = "${var.function_archive_directory}/job_costs.zip"
  metric_namespace     = var.metric_namespace
  instance_hour_prices = var.instance_hour_prices
}

module "monitoring" {
  source = "../monitoring"

  name                        = var.name
  account                     = local.account
  kms_key_arn                 = module.encryption.key_arn
  log_retention_days          = var.log_retention_days
  metric_namespace            = var.metric_namespace
  model_package_group         = module.registry.group_name
  airflow_environment_name    = module.mwaa.environment_name
  operations_topic_arn        = module.alerts.operations_topic_arn
  dead_letter_queue_names     = [module.trigger.dead_letter_queue_name, module.job_costs.dead_letter_queue_name]
  most_job_cost_per_day       = var.most_job_cost_per_day
  monthly_budget              = var.monthly_budget
  manage_sagemaker_log_groups = var.manage_sagemaker_log_groups
  is_monitoring_expected      = var.is_monitoring_expected
}
