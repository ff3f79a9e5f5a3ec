output "deployment" {
  description = "What `make deploy` needs to know: where code goes, which environment runs it, and its settings."
  value = {
    region           = local.account.region
    environment_name = module.mwaa.environment_name
    artifact_bucket  = module.storage.artifact_bucket
    data_bucket      = module.storage.data_bucket
    dags_path        = local.dags_path
    bundle_path      = local.bundle_path
    settings         = local.settings
  }
}

output "webserver_url" {
  description = "Host of the Airflow UI."
  value       = module.mwaa.webserver_url
}

output "approver_role_arn" {
  description = "Role in which a person approves or rejects a model."
  value       = module.roles.approver_role_arn
}

output "airflow_role_arn" {
  description = "MWAA execution role."
  value       = module.roles.airflow_role_arn
}

output "operations_topic_arn" {
  description = "Topic of alarms, failed jobs, changed models and budgets."
  value       = module.alerts.operations_topic_arn
}

output "dashboard_name" {
  description = "CloudWatch dashboard."
  value       = module.monitoring.dashboard_name
}
