output "drift_topic_arn" {
  description = "Topic of drift alerts, CHURN_ALERT_TOPIC_ARN."
  value       = aws_sns_topic.this["drift"].arn
}

output "operations_topic_arn" {
  description = "Topic of alarms, failed jobs, changed models and budgets."
  value       = aws_sns_topic.this["operations"].arn
  depends_on  = [aws_sns_topic_policy.this]
}
