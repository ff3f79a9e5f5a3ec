output "environment_arn" {
  description = "ARN of the Airflow environment."
  value       = aws_mwaa_environment.this.arn
}

output "environment_name" {
  description = "Name of the Airflow environment."
  value       = aws_mwaa_environment.this.name
}

output "webserver_url" {
  description = "Host of the Airflow UI."
  value       = aws_mwaa_environment.this.webserver_url
}
