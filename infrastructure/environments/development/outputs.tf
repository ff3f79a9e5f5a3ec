output "deployment" {
  description = "What `make deploy` needs to know: terraform output -json deployment."
  value       = module.platform.deployment
}

output "webserver_url" {
  description = "Host of the Airflow UI."
  value       = module.platform.webserver_url
}

output "approver_role_arn" {
  description = "Role in which a person approves or rejects a model."
  value       = module.platform.approver_role_arn
}

output "dashboard_name" {
  description = "CloudWatch dashboard."
  value       = module.platform.dashboard_name
}
