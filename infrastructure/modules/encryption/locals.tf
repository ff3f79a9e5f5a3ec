locals {
  # EventBridge gets no aws:SourceAccount condition: its documentation has none for encrypted topics and queues, and one
  # that it does not meet would be silence. A rule of another account gets no further than the queues' and topics' policies.
  key_policy = templatefile("${path.module}/policies/key.json.tftpl", {
    partition  = var.account.partition
    account_id = var.account.id
    region     = var.account.region
  })
}
