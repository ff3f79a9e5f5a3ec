output "artifact_bucket" {
  description = "Name of the bucket for code, models, reports and evidence."
  value       = aws_s3_bucket.this["artifacts"].id

  # Whoever uses the bucket needs it finished: MWAA checks versioning and the public access block.
  depends_on = [
    aws_s3_bucket_versioning.this,
    aws_s3_bucket_public_access_block.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_policy.this,
  ]
}

output "data_bucket" {
  description = "Name of the bucket for raw data, daily batches and labels."
  value       = aws_s3_bucket.this["data"].id

  depends_on = [
    aws_s3_bucket_versioning.this,
    aws_s3_bucket_public_access_block.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_policy.this,
  ]
}
