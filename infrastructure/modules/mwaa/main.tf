# Made before the environment: MWAA would make them itself, to be kept for ever and unencrypted by our key.
resource "aws_cloudwatch_log_group" "this" {
  for_each = local.log_kinds

  name              = "airflow-${var.name}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_s3_object" "bundle" {
  for_each = local.bundle_files

  bucket      = var.artifact_bucket
  key         = "${var.bundle_path}/${each.value}"
  source      = "${var.bundle_directory}/${each.value}"
  source_hash = filemd5("${var.bundle_directory}/${each.value}")

  lifecycle {
    ignore_changes = [source, source_hash] # from the second time on `make deploy` brings code
  }
}

# The settings come first, so that the bundle's own script sees them.
resource "aws_s3_object" "startup" {
  count = local.has_bundle ? 1 : 0

  bucket  = var.artifact_bucket
  key     = "${var.bundle_path}/startup.sh"
  content = "#!/bin/sh\n${local.exports}${file("${var.bundle_directory}/startup.sh")}"

  lifecycle {
    ignore_changes = [content]
  }
}

resource "aws_mwaa_environment" "this" {
  name              = var.name
  airflow_version   = var.airflow_version
  environment_class = var.environment_class

  execution_role_arn = var.execution_role_arn
  kms_key            = var.kms_key_arn
  source_bucket_arn  = var.artifact_bucket_arn
  dag_s3_path        = var.dags_path

  plugins_s3_path                  = local.has_bundle ? aws_s3_object.bundle["plugins"].key : null
  plugins_s3_object_version        = local.has_bundle ? aws_s3_object.bundle["plugins"].version_id : null
  requirements_s3_path             = local.has_bundle ? aws_s3_object.bundle["requirements"].key : null
  requirements_s3_object_version   = local.has_bundle ? aws_s3_object.bundle["requirements"].version_id : null
  startup_script_s3_path           = local.has_bundle ? aws_s3_object.startup[0].key : null
  startup_script_s3_object_version = local.has_bundle ? aws_s3_object.startup[0].version_id : null

  min_workers = var.workers.min
  max_workers = var.workers.max
  # A micro environment has one scheduler and one web server, and takes no other number.
  schedulers = var.environment_class == "mw1.micro" ? 1 : 2

  webserver_access_mode           = var.webserver_access_mode
  weekly_maintenance_window_start = var.weekly_maintenance_window_start

  airflow_configuration_options = {
    # A DAG that has just been uploaded must not start a year of runs.
    "core.dags_are_paused_at_creation" = "true"
    # The job must be stopped before the killed task is gone for good.
    "core.killed_task_cleanup_time" = "60"
  }

  network_configuration {
    subnet_ids         = slice(var.subnet_ids, 0, 2)
    security_group_ids = var.security_group_ids
  }

  logging_configuration {
    dag_processing_logs {
      enabled   = true
      log_level = "WARNING"
    }

    scheduler_logs {
      enabled   = true
      log_level = "WARNING"
    }

    task_logs {
      enabled   = true
      log_level = "INFO"
    }

    webserver_logs {
      enabled   = true
      log_level = "WARNING"
    }

    worker_logs {
      enabled   = true
      log_level = "WARNING"
    }
  }

  lifecycle {
    # `make deploy` brings new code and points the environment at its object versions.
    ignore_changes = [
      plugins_s3_path,
      plugins_s3_object_version,
      requirements_s3_path,
      requirements_s3_object_version,
      startup_script_s3_path,
      startup_script_s3_object_version,
    ]
  }

  depends_on = [aws_cloudwatch_log_group.this]
}
