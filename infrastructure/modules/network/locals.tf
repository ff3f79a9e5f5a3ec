locals {
  is_made = var.existing == null
  zones   = local.is_made ? toset(var.availability_zones) : toset([])
  # A list would renumber every subnet when a zone is taken out.
  zone_numbers = { for number, zone in sort(var.availability_zones) : zone => number }
  has_nat      = local.is_made && var.nat_gateway_enabled
  vpc_id       = local.is_made ? aws_vpc.this[0].id : var.existing.vpc_id
  subnet_ids   = local.is_made ? [for zone in sort(var.availability_zones) : aws_subnet.private[zone].id] : var.existing.subnet_ids
  # Of Airflow (https://docs.aws.amazon.com/mwaa/latest/userguide/vpc-vpe-create-access.html), and of our tasks and jobs.
  needed_endpoints = concat(
    ["ecr.api", "ecr.dkr", "kms", "logs", "monitoring", "sagemaker.api", "sns", "sqs", "sts"],
    var.nat_gateway_enabled ? [] : ["airflow.api", "airflow.env", "airflow.ops"],
  )
  interface_endpoints = toset(coalesce(var.interface_endpoints, local.needed_endpoints))
  service_domain      = "com.amazonaws.${var.account.region}"
}
