data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  account = {
    id        = data.aws_caller_identity.this.account_id
    region    = data.aws_region.this.name
    partition = data.aws_partition.this.partition
  }
  # Where `make deploy` puts things in the artifact bucket.
  dags_path   = "dags"
  bundle_path = "mwaa"

  # Read by include/settings/environment.py of every Airflow process.
  settings = {
    CHURN_ENVIRONMENT_NAME      = var.name
    CHURN_ARTIFACT_BUCKET       = module.storage.artifact_bucket
    CHURN_DATA_BUCKET           = module.storage.data_bucket
    CHURN_SAGEMAKER_ROLE_ARN    = module.roles.job_role_arn
    CHURN_KMS_KEY_ID            = module.encryption.key_arn
    CHURN_SUBNET_IDS            = join(",", module.network.subnet_ids)
    CHURN_SECURITY_GROUP_IDS    = module.network.security_group_id
    CHURN_NETWORK_ISOLATION     = tostring(var.network_isolation)
    CHURN_ALERT_TOPIC_ARN       = module.alerts.drift_topic_arn
    CHURN_METRIC_NAMESPACE      = var.metric_namespace
    CHURN_RETRAINING_SCHEDULE   = var.retraining_schedule
    CHURN_RETRAINING_PARAMETERS = var.retraining_parameters
    CHURN_DRIFT_SCHEDULE        = var.drift_schedule
    CHURN_DRIFT_PARAMETERS      = var.drift_parameters
  }
}
