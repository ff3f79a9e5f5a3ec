resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${local.function_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# Deliveries wait here: an environment that is updating refuses runs for 10 to 30 minutes, one that MWAA rolls back for
# an hour. What the function does not take comes again after ten minutes, nine times in all.
resource "aws_sqs_queue" "deliveries" {
  name                       = "${local.function_name}-deliveries"
  visibility_timeout_seconds = 600
  message_retention_seconds  = 4 * 24 * 3600
  kms_master_key_id          = var.kms_key_arn
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 9
  })
}

# What could not be handled, kept for two weeks so that a person can look and send it again.
resource "aws_sqs_queue" "dead_letters" {
  name                      = "${local.function_name}-dead-letters"
  message_retention_seconds = 14 * 24 * 3600
  kms_master_key_id         = var.kms_key_arn
}

# Without them EventBridge drops what it cannot deliver, without a word.
resource "aws_sqs_queue_policy" "deliveries" {
  queue_url = aws_sqs_queue.deliveries.id
  policy = templatefile("${path.module}/policies/queue.json.tftpl", {
    queue_arn = aws_sqs_queue.deliveries.arn
    rule_arn  = aws_cloudwatch_event_rule.this.arn
  })
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy = templatefile("${path.module}/policies/queue.json.tftpl", {
    queue_arn = aws_sqs_queue.dead_letters.arn
    rule_arn  = aws_cloudwatch_event_rule.this.arn
  })
}

resource "aws_iam_role" "this" {
  name               = local.function_name
  description        = "Asks Airflow to retrain when data has landed"
  assume_role_policy = file("${path.module}/policies/trust.json")
}

resource "aws_iam_role_policy" "this" {
  name = "function"
  role = aws_iam_role.this.id
  policy = templatefile("${path.module}/policies/function.json.tftpl", {
    partition                = var.account.partition
    region                   = var.account.region
    account_id               = var.account.id
    function_name            = local.function_name
    kms_key_arn              = var.kms_key_arn
    queue_arn                = aws_sqs_queue.deliveries.arn
    airflow_environment_name = var.airflow_environment_name
  })
}

resource "aws_lambda_function" "this" {
  function_name    = local.function_name
  description      = "Asks Airflow to retrain when data has landed"
  role             = aws_iam_role.this.arn
  runtime          = "python3.12"
  handler          = "start_retraining.handler"
  filename         = var.archive
  source_code_hash = filebase64sha256(var.archive)
  kms_key_arn      = var.kms_key_arn
  memory_size      = 256
  timeout          = 60

  environment {
    variables = {
      AIRFLOW_ENVIRONMENT_NAME = var.airflow_environment_name
      RETRAINING_DAG_ID        = "churn_retraining"
    }
  }

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

resource "aws_lambda_event_source_mapping" "this" {
  event_source_arn = aws_sqs_queue.deliveries.arn
  function_name    = aws_lambda_function.this.arn
  batch_size       = 1
}

resource "aws_cloudwatch_event_rule" "this" {
  name          = local.function_name
  description   = "A delivery of raw data is complete"
  event_pattern = jsonencode(local.event_pattern)
  state         = var.is_enabled ? "ENABLED" : "DISABLED"
}

resource "aws_cloudwatch_event_target" "this" {
  rule      = aws_cloudwatch_event_rule.this.name
  target_id = "deliveries"
  arn       = aws_sqs_queue.deliveries.arn

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }

  retry_policy {
    maximum_event_age_in_seconds = 6 * 3600
    maximum_retry_attempts       = 60
  }
}
