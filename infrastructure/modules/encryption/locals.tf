locals {
  key_policy = templatefile("${path.module}/policies/key.json.tftpl", {
    partition  = var.account.partition
    account_id = var.account.id
    region     = var.account.region
  })
}
