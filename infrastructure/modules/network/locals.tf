locals {
  is_made = var.existing == null
  zones   = local.is_made ? toset(var.availability_zones) : toset([])
  # A list would renumber every subnet when a zone is taken out.
  zone_numbers   = { for number, zone in sort(var.availability_zones) : zone => number }
  has_nat        = local.is_made && var.nat_gateway_enabled
  vpc_id         = local.is_made ? aws_vpc.this[0].id : var.existing.vpc_id
  subnet_ids     = local.is_made ? [for zone in sort(var.availability_zones) : aws_subnet.private[zone].id] : var.existing.subnet_ids
  service_domain = "com.amazonaws.${var.account.region}"
}
