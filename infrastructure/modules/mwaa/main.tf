# Made before the environment: MWAA would make them itself, to be kept for ever and unencrypted by our key.
resource "aws_cloudwatch_log_group" "this" {
  for_each = local.log_kinds

  name              = "airflow-${var.name}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# Code is no resource here: deleting an object would take all of its versions, those of a rollback included. A
# state that still holds the objects of a first bundle forgets them and leaves them in S3.
removed {
  from = aws_s3_object.bundle

  lifecycle {
    destroy = false
  }
}

removed {
  from = aws_s3_object.startup

  lifecycle {
    destroy = false
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
    # The environment starts empty; `make deploy` brings code and points it at that code's object versions.
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
