locals {
  # Bucket names are the world's: the account number keeps ours apart.
  buckets = {
    artifacts = "${var.name}-artifacts-${var.account.id}"
    data      = "${var.name}-data-${var.account.id}"
  }
}
