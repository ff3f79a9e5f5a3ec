locals {
  synthetic_group_name = "${var.group_name}-synthetic"
}
