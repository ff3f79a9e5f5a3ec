output "vpc_id" {
  description = "Network of Airflow and of the jobs."
  value       = local.vpc_id
}

output "subnet_ids" {
  description = "Private subnets, at least two."
  value       = local.subnet_ids

  # Nothing that needs AWS's services may start before there is a way to them.
  depends_on = [
    aws_route.private_to_nat,
    aws_route_table_association.private,
    aws_vpc_endpoint.interface,
    aws_vpc_endpoint.s3,
  ]
}

output "security_group_id" {
  description = "The one security group of Airflow, jobs and endpoints."
  value       = aws_security_group.this.id

  depends_on = [
    aws_vpc_security_group_egress_rule.self,
    aws_vpc_security_group_egress_rule.tls,
    aws_vpc_security_group_ingress_rule.self,
  ]
}
