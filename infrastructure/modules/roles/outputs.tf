output "airflow_role_arn" {
  description = "MWAA execution role."
  value       = aws_iam_role.airflow.arn

  # MWAA checks the role's permissions when the environment is made.
  depends_on = [aws_iam_role_policy.airflow_environment, aws_iam_role_policy.airflow_pipeline]
}

output "job_role_arn" {
  description = "Role of the SageMaker jobs, CHURN_SAGEMAKER_ROLE_ARN."
  value       = aws_iam_role.job.arn
  depends_on  = [aws_iam_role_policy.job]
}

output "approver_role_arn" {
  description = "Role in which a person approves or rejects a model."
  value       = aws_iam_role.approver.arn
  depends_on  = [aws_iam_role_policy.approver]
}
