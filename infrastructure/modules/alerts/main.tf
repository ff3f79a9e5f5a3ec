resource "aws_sns_topic" "this" {
  for_each = local.topics

  name              = "${var.name}-${each.value}"
  kms_master_key_id = var.kms_key_arn
}

# Without it rules, alarms and budgets publish into nothing, and nothing tells. EventBridge's own example of such a
# policy has no Condition, and one that it does not meet would be silence too: only the others get one.
resource "aws_sns_topic_policy" "this" {
  for_each = local.topics

  arn = aws_sns_topic.this[each.value].arn
  policy = templatefile("${path.module}/policies/topic.json.tftpl", {
    topic_arn  = aws_sns_topic.this[each.value].arn
    account_id = var.account.id
  })
}

# A subscription by e-mail waits until its owner confirms it.
resource "aws_sns_topic_subscription" "this" {
  for_each = var.subscriptions

  topic_arn = aws_sns_topic.this[each.value.topic].arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.rules

  name          = "${var.name}-${each.key}"
  description   = each.value.description
  event_pattern = jsonencode(each.value.pattern)
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = local.rules

  rule      = aws_cloudwatch_event_rule.this[each.key].name
  target_id = "operations-topic"
  arn       = aws_sns_topic.this["operations"].arn

  input_transformer {
    input_paths    = each.value.paths
    input_template = each.value.text
  }
}
