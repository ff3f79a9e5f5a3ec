variable "name" {
  description = "Beginning of every name, for example telecom-churn-development."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}[a-z0-9]$", var.name))
    error_message = "name takes 4 to 32 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "account" {
  description = "Account number, region and partition that every ARN of this module is made of."
  type = object({
    id        = string
    region    = string
    partition = string
  })
}

variable "existing" {
  description = "A network that is there already; null makes one. Its subnets are private and reach AWS's services."
  type = object({
    vpc_id     = string
    subnet_ids = list(string)
  })
  default = null

  validation {
    condition     = var.existing == null ? true : length(distinct(var.existing.subnet_ids)) >= 2
    error_message = "MWAA needs two private subnets in different availability zones; name at least two."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the network that is made; unused with an existing one."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.vpc_cidr, 8, 255))
    error_message = "vpc_cidr is an IPv4 range of at least 65,536 addresses, such as 10.20.0.0/16."
  }
}

variable "availability_zones" {
  description = "Zones of the network that is made, one private subnet in each; unused with an existing one."
  type        = list(string)

  validation {
    condition     = length(distinct(var.availability_zones)) >= 2
    error_message = "MWAA needs private subnets in two availability zones; name at least two."
  }
}

variable "interface_endpoints" {
  description = "AWS services reached without leaving the network, by the last part of the endpoint service's name; null: those that are needed."
  type        = set(string)
  default     = null

  validation {
    condition     = var.interface_endpoints == null ? true : length(var.interface_endpoints) == 0 || length(setsubtract(local.needed_endpoints, var.interface_endpoints)) == 0
    error_message = "Name all of ${join(", ", local.needed_endpoints)} (and more), or none when there is a NAT gateway."
  }

  validation {
    condition     = var.nat_gateway_enabled || try(length(var.interface_endpoints), 1) > 0 || var.existing != null
    error_message = "Without a NAT gateway the interface endpoints are the only way to AWS's services: name them."
  }
}

variable "nat_gateway_enabled" {
  description = "Whether Airflow may call the internet: needed while requirements.txt installs from PyPI."
  type        = bool
  default     = true
}
