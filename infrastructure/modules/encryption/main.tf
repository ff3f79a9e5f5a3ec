resource "aws_kms_key" "this" {
  description             = "Encrypts everything of ${var.name}: buckets, logs, topics, queues, Airflow, job volumes"
  policy                  = local.key_policy
  deletion_window_in_days = var.deletion_window_days
  enable_key_rotation     = true
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}
