variable "region" {
  description = "AWS region of everything."
  type        = string
}

variable "availability_zones" {
  description = "Two zones of the region, one private subnet in each."
  type        = list(string)

  validation {
    condition     = length(distinct(var.availability_zones)) >= 2
    error_message = "Name at least two availability zones of the region."
  }
}

variable "subscriptions" {
  description = "Who hears of what: topic is drift or operations, protocol for example email."
  type = map(object({
    topic    = string
    protocol = string
    endpoint = string
  }))
}

variable "approver_principal_arns" {
  description = "Roles or users of the people who may approve a model."
  type        = list(string)
}

variable "instance_hour_prices" {
  description = "US dollars per hour of each SageMaker instance type in use, from the AWS price list of the region."
  type        = map(number)

  validation {
    condition     = length(var.instance_hour_prices) > 0
    error_message = "Look up the region's price of every instance type that runs use (README, Costs) and name it here: the alarm on job cost counts with it."
  }
}

variable "function_archive_directory" {
  description = "Folder that `make function-archives` wrote."
  type        = string
  default     = "../../../dist/functions"
}

variable "manage_sagemaker_log_groups" {
  description = "False where the account has the log groups of SageMaker's jobs already."
  type        = bool
  default     = true
}

variable "is_monitoring_expected" {
  description = "Whether silence of the drift metrics is told: set it to true when the first model is approved."
  type        = bool
  default     = false
}

variable "existing_network" {
  description = "A network that is there already, with private subnets in two zones that reach AWS's services; null makes one."
  type = object({
    vpc_id     = string
    subnet_ids = list(string)
  })
  default = null

  validation {
    condition     = var.existing_network == null ? true : length(distinct(var.existing_network.subnet_ids)) >= 2
    error_message = "Name at least two private subnets, in different availability zones."
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

variable "nat_gateway_enabled" {
  description = "Whether Airflow may call the internet: requirements.txt names its constraints by a public address."
  type        = bool
  default     = true
}

variable "interface_endpoints" {
  description = "AWS services reached without leaving the network that is made, such as kms; null: those that are needed."
  type        = set(string)
  default     = null

  validation {
    condition     = var.nat_gateway_enabled || try(length(var.interface_endpoints), 1) > 0 || var.existing_network != null
    error_message = "Without a NAT gateway the interface endpoints are the only way to AWS's services: name them, or leave it null."
  }
}

variable "other_model_package_groups" {
  description = "Further groups that a run's model_package_group may name; Airflow is denied every other."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.other_model_package_groups : can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,52}$", name)) && !endswith(name, "-synthetic")])
    error_message = "A group takes up to 53 letters, digits and hyphens and does not end in -synthetic: that one comes along by itself."
  }
}

variable "retraining_schedule" {
  description = "Cron expression or preset of the retraining DAG, in UTC; none runs it on new data and by hand only."
  type        = string
  default     = "@daily"

  validation {
    condition     = can(regex("^(none|@(hourly|daily|weekly|monthly|quarterly|yearly)|[0-9*/,A-Z-]+( [0-9*/,A-Z-]+){4})$", var.retraining_schedule))
    error_message = "A schedule is none, a preset such as @daily, or a cron expression of five fields such as 30 2 * * *."
  }
}

variable "drift_schedule" {
  description = "Cron expression or preset of the monitoring DAG, in UTC; none runs it by hand only."
  type        = string
  default     = "@daily"

  validation {
    condition     = can(regex("^(none|@(hourly|daily|weekly|monthly|quarterly|yearly)|[0-9*/,A-Z-]+( [0-9*/,A-Z-]+){4})$", var.drift_schedule))
    error_message = "A schedule is none, a preset such as @daily, or a cron expression of five fields such as 30 2 * * *."
  }
}

variable "retraining_on_new_data" {
  description = "Whether a complete delivery of raw data starts a retraining, besides the schedule."
  type        = bool
  default     = true
}
