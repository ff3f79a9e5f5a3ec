locals {
  # Names and dimensions of include/drift_alerts/metric_data.py; a test compares the two.
  monitored_model = { ModelPackageGroup = var.model_package_group }
  # Published for every day, with a batch or without: only silence leaves it out.
  daily_metric = "BatchMissing"

  # What is 1 on a day that needs a person, else 0.
  day_alarms = {
    drift         = { metric = "AlertOpen", what = "The data or the model's behaviour changed in a way that matters" }
    data-break    = { metric = "DataBreak", what = "A daily batch is broken" }
    batch-missing = { metric = "BatchMissing", what = "A daily batch is missing or stale" }
  }

  dags = toset(["churn_retraining", "churn_drift_monitoring"])

  sagemaker_log_groups = var.manage_sagemaker_log_groups ? toset(["ProcessingJobs", "TrainingJobs"]) : toset([])

  # One row of the dashboard per entry: title and metrics, [namespace, metric, dimension, value, ...].
  model_metrics = {
    for metric in ["Verdict", "AlertOpen", "DataBreak", "BatchMissing", "Rows", "BatchAgeHours", "PredictedChurnRate", "Accuracy", "RocAuc"] :
    metric => [var.metric_namespace, metric, "ModelPackageGroup", var.model_package_group]
  }
  feature_searches = {
    for metric in ["FeatureEffectSize", "FeatureAdjustedPValue", "FeatureMissingShare"] :
    metric => "SEARCH('{${var.metric_namespace},Feature,ModelPackageGroup} MetricName=\"${metric}\" ModelPackageGroup=\"${var.model_package_group}\"', 'Maximum', 86400)"
  }
  dashboard_rows = [
    {
      title = "Verdict of each day: 0 no drift, 1 insufficient data, 2 drift, 3 data break"
      metrics = [
        local.model_metrics["Verdict"], local.model_metrics["AlertOpen"],
        local.model_metrics["DataBreak"], local.model_metrics["BatchMissing"],
      ]
    },
    { title = "Effect size of each column", metrics = [[{ expression = local.feature_searches["FeatureEffectSize"] }]] },
    { title = "Adjusted p-value of each column", metrics = [[{ expression = local.feature_searches["FeatureAdjustedPValue"] }]] },
    { title = "Missing share of each column", metrics = [[{ expression = local.feature_searches["FeatureMissingShare"] }]] },
    {
      title = "What the model says, and how well"
      metrics = [
        local.model_metrics["PredictedChurnRate"], local.model_metrics["Accuracy"], local.model_metrics["RocAuc"],
      ]
    },
    { title = "Rows of each batch", metrics = [local.model_metrics["Rows"]] },
    { title = "Age of each batch in hours", metrics = [local.model_metrics["BatchAgeHours"]] },
    { title = "Cost of SageMaker jobs per day, US dollars", metrics = [[var.metric_namespace, "JobCost", { stat = "Sum" }]] },
  ]

  alarms = concat(
    values(aws_cloudwatch_metric_alarm.day),
    values(aws_cloudwatch_metric_alarm.failed_runs),
    values(aws_cloudwatch_metric_alarm.dead_letters),
    [aws_cloudwatch_metric_alarm.silence, aws_cloudwatch_metric_alarm.job_cost],
  )
  alarm_arns = [for alarm in local.alarms : alarm.arn]
}
