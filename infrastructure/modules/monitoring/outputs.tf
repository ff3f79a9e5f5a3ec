output "dashboard_name" {
  description = "CloudWatch dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "alarm_names" {
  description = "Every alarm, by name."
  value       = sort([for alarm in local.alarms : alarm.alarm_name])
}
