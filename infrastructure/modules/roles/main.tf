# --- Airflow: orchestrates, registers, never approves ----------------------------------------------------
resource "aws_iam_role" "airflow" {
  name        = "${var.name}-airflow"
  description = "MWAA execution role: starts and stops jobs, registers models, publishes alerts and metrics"
  assume_role_policy = templatefile("${path.module}/policies/airflow_trust.json.tftpl", {
    account_id = var.account.id
  })
}

resource "aws_iam_role_policy" "airflow_environment" {
  name   = "mwaa-environment"
  role   = aws_iam_role.airflow.id
  policy = templatefile("${path.module}/policies/airflow_environment.json.tftpl", local.template_values)
}

resource "aws_iam_role_policy" "airflow_pipeline" {
  name   = "churn-pipeline"
  role   = aws_iam_role.airflow.id
  policy = templatefile("${path.module}/policies/airflow_pipeline.json.tftpl", local.template_values)
}

# --- SageMaker jobs: read data, write results, nothing else ----------------------------------------------
resource "aws_iam_role" "job" {
  name        = local.job_role_name
  description = "SageMaker jobs: read data and code, write results and logs"
  assume_role_policy = templatefile("${path.module}/policies/job_trust.json.tftpl", {
    account_id = var.account.id
  })
}

resource "aws_iam_role_policy" "job" {
  name   = "churn-jobs"
  role   = aws_iam_role.job.id
  policy = templatefile("${path.module}/policies/job.json.tftpl", local.template_values)
}

# --- a person: looks at reports, approves or rejects, starts nothing -------------------------------------
resource "aws_iam_role" "approver" {
  name               = "${var.name}-approver"
  description        = "Approves or rejects models made from real data; never those made from synthetic data"
  assume_role_policy = templatefile("${path.module}/policies/approver_trust.json.tftpl", local.approver_trust)
}

resource "aws_iam_role_policy" "approver" {
  name   = "churn-approval"
  role   = aws_iam_role.approver.id
  policy = templatefile("${path.module}/policies/approver.json.tftpl", local.template_values)
}
