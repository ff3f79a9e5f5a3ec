locals {
  # Every template gets the same names, so that a test can render them all with one mapping.
  template_values = {
    partition                = var.account.partition
    region                   = var.account.region
    account_id               = var.account.id
    artifact_bucket          = var.artifact_bucket
    data_bucket              = var.data_bucket
    kms_key_arn              = var.kms_key_arn
    airflow_environment_name = var.airflow_environment_name
    dags_path                = var.dags_path
    bundle_path              = var.bundle_path
    registry_arns            = local.registry_arns
    approvable_arns          = [for name in var.model_package_groups : "${local.sagemaker}:model-package/${name}/*"]
    metric_namespace         = var.metric_namespace
    drift_topic_arn          = var.drift_topic_arn
    job_role_arn             = "arn:${var.account.partition}:iam::${var.account.id}:role/${local.job_role_name}"
  }
  sagemaker = "arn:${var.account.partition}:sagemaker:${var.account.region}:${var.account.id}"
  registry_arns = flatten([
    for name in var.model_package_groups : [
      for group in [name, "${name}-synthetic"] : [
        "${local.sagemaker}:model-package-group/${group}",
        "${local.sagemaker}:model-package/${group}/*",
      ]
    ]
  ])

  job_role_name = "${var.name}-sagemaker-job"
  has_approvers = length(var.approver_principal_arns) > 0
  # A trust policy needs a principal even when nobody may take the role: then the whole account is denied it.
  approver_trust = {
    effect         = local.has_approvers ? "Allow" : "Deny"
    principal_arns = local.has_approvers ? var.approver_principal_arns : ["arn:${var.account.partition}:iam::${var.account.id}:root"]
    condition = local.has_approvers && var.approver_requires_mfa ? {
      Bool = { "aws:MultiFactorAuthPresent" = "true" }
    } : {}
  }
}
