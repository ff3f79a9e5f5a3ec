locals {
  function_name = "${var.name}-start-retraining"
  event_pattern = {
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail = {
      bucket = { name = [var.data_bucket] }
      object = { key = [{ wildcard = var.key_pattern }] }
    }
  }
}
