# --- what the data did -----------------------------------------------------------------------------------
# A day's figures are filed late on the day itself and arrive after midnight, so an alarm has to look back: it
# rings when the figure arrives and ends by itself `look_back_hours` after the last day that was not quiet.
resource "aws_cloudwatch_metric_alarm" "day" {
  for_each = local.day_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.what}. Runbook: docs/runbooks/drift-alarm.md"
  namespace           = var.metric_namespace
  metric_name         = each.value.metric
  dimensions          = local.monitored_model
  statistic           = "Maximum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  period              = 3600
  evaluation_periods  = var.look_back_hours
  datapoints_to_alarm = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.operations_topic_arn]
  ok_actions          = [var.operations_topic_arn]
}

# Silence is an alarm: monitoring that has stopped looks exactly like a quiet year.
resource "aws_cloudwatch_metric_alarm" "silence" {
  alarm_name          = "${var.name}-drift-metrics-missing"
  alarm_description   = "No drift metric for ${var.look_back_hours} hours: monitoring does not run. Runbook: docs/runbooks/drift-alarm.md"
  namespace           = var.metric_namespace
  metric_name         = local.daily_metric
  dimensions          = local.monitored_model
  statistic           = "SampleCount"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 3600
  evaluation_periods  = var.look_back_hours
  datapoints_to_alarm = var.look_back_hours
  treat_missing_data  = "breaching"
  actions_enabled     = var.is_monitoring_expected
  alarm_actions       = [var.operations_topic_arn]
  ok_actions          = [var.operations_topic_arn]
}

# --- what the machinery did ------------------------------------------------------------------------------
resource "aws_cloudwatch_metric_alarm" "failed_runs" {
  for_each = local.dags

  alarm_name          = "${var.name}-${each.value}-failed"
  alarm_description   = "A run of ${each.value} failed. Runbook: docs/runbooks/failed-retraining.md"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.operations_topic_arn]

  # AWS documents DAGDurationFailed under "DAG, Environment" ("Apache Airflow environment metrics in CloudWatch"). A query
  # instead of one metric: one more dimension would end the alarm. A failed job is told by EventBridge as well (alerts).
  metric_query {
    id          = "failed"
    label       = "Failed runs"
    period      = 300
    expression  = "SELECT COUNT(DAGDurationFailed) FROM \"AmazonMWAA\" WHERE Environment = '${var.airflow_environment_name}' AND DAG = '${each.value}'"
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = toset(var.dead_letter_queue_names)

  alarm_name          = each.value
  alarm_description   = "An event could not be handled and lies in ${each.value}. Runbook: docs/runbooks/failed-retraining.md"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = each.value }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.operations_topic_arn]
}

# --- what it costs ---------------------------------------------------------------------------------------
resource "aws_cloudwatch_metric_alarm" "job_cost" {
  alarm_name          = "${var.name}-job-cost"
  alarm_description   = "SageMaker jobs cost more than ${var.most_job_cost_per_day} US dollars in a day. Runbook: docs/costs.md"
  namespace           = var.metric_namespace
  metric_name         = "JobCost"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.most_job_cost_per_day
  period              = 86400
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.operations_topic_arn]
}

resource "aws_budgets_budget" "month" {
  name         = "${var.name}-month"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget)
  limit_unit   = "USD"

  # The provider tags everything of this environment with it; switch it on as a cost allocation tag once.
  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:churn:environment$%s", var.name)]
  }

  dynamic "notification" {
    for_each = { FORECASTED = 100, ACTUAL = 90 }

    content {
      notification_type         = notification.key
      comparison_operator       = "GREATER_THAN"
      threshold                 = notification.value
      threshold_type            = "PERCENTAGE"
      subscriber_sns_topic_arns = [var.operations_topic_arn]
    }
  }
}

# --- what a person looks at ------------------------------------------------------------------------------
# SageMaker would make them itself, to be kept for ever.
resource "aws_cloudwatch_log_group" "sagemaker" {
  for_each = local.sagemaker_log_groups

  name              = "/aws/sagemaker/${each.value}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = concat(
      [
        {
          type   = "alarm"
          x      = 0
          y      = 0
          width  = 24
          height = 3
          properties = {
            title  = "Alarms"
            alarms = local.alarm_arns
          }
        },
      ],
      [
        for number, row in local.dashboard_rows : {
          type   = "metric"
          x      = 12 * (number % 2)
          y      = 3 + 6 * floor(number / 2)
          width  = 12
          height = 6
          properties = {
            title   = row.title
            region  = var.account.region
            view    = "timeSeries"
            stat    = "Maximum"
            period  = 86400
            metrics = row.metrics
          }
        }
      ],
    )
  })
}
