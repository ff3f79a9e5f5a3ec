variable "account" {
  description = "Account number, region and partition that every ARN of this module is made of."
  type = object({
    id        = string
    region    = string
    partition = string
  })
}

variable "group_name" {
  description = "Model package group of models made from real data; -synthetic is added for the other one."
  type        = string
  default     = "telecom-churn"

  validation {
    condition     = can(regex("^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,52}$", var.group_name)) && !endswith(var.group_name, "-synthetic")
    error_message = "group_name takes up to 53 letters, digits and hyphens and does not end in -synthetic."
  }
}
