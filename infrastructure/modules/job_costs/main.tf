resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${local.function_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# What could not be handled, kept for two weeks so that a person can look and send it again.
resource "aws_sqs_queue" "dead_letters" {
  name                      = "${local.function_name}-dead-letters"
  message_retention_seconds = 14 * 24 * 3600
  kms_master_key_id         = var.kms_key_arn
}

# Without it EventBridge drops what it cannot deliver, without a word.
resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy = templatefile("${path.module}/policies/dead_letters.json.tftpl", {
    queue_arn = aws_sqs_queue.dead_letters.arn
    rule_arn  = aws_cloudwatch_event_rule.this.arn
  })
}

resource "aws_iam_role" "this" {
  name               = local.function_name
  description        = "Publishes what each SageMaker job of this project cost"
  assume_role_policy = file("${path.module}/policies/trust.json")
}

resource "aws_iam_role_policy" "this" {
  name = "function"
  role = aws_iam_role.this.id
  policy = templatefile("${path.module}/policies/function.json.tftpl", {
    partition        = var.account.partition
    region           = var.account.region
    account_id       = var.account.id
    function_name    = local.function_name
    kms_key_arn      = var.kms_key_arn
    queue_arn        = aws_sqs_queue.dead_letters.arn
    metric_namespace = var.metric_namespace
  })
}

resource "aws_lambda_function" "this" {
  function_name    = local.function_name
  description      = "Publishes what each SageMaker job of this project cost"
  role             = aws_iam_role.this.arn
  runtime          = "python3.12"
  handler          = "job_costs.handler"
  filename         = var.archive
  source_code_hash = filebase64sha256(var.archive)
  kms_key_arn      = var.kms_key_arn
  memory_size      = 256
  timeout          = 60

  dead_letter_config {
    target_arn = aws_sqs_queue.dead_letters.arn
  }

  environment {
    variables = {
      METRIC_NAMESPACE     = var.metric_namespace
      INSTANCE_HOUR_PRICES = jsonencode(var.instance_hour_prices)
    }
  }

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

# Lambda tries twice more, after one and after two minutes; then the event becomes a dead letter.
resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = aws_lambda_function.this.function_name
  maximum_event_age_in_seconds = 6 * 3600
  maximum_retry_attempts       = 2
}

resource "aws_lambda_permission" "rule" {
  statement_id  = "EventBridgeInvokes"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.this.arn # names the account, too
}

resource "aws_cloudwatch_event_rule" "this" {
  name          = local.function_name
  description   = "A job of this project ended"
  event_pattern = jsonencode(local.event_pattern)
}

resource "aws_cloudwatch_event_target" "this" {
  rule      = aws_cloudwatch_event_rule.this.name
  target_id = "function"
  arn       = aws_lambda_function.this.arn

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }

  retry_policy {
    maximum_event_age_in_seconds = 6 * 3600
    maximum_retry_attempts       = 60
  }
}
