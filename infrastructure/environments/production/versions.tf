terraform {
  required_version = ">= 1.10, < 2.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # Bucket and region of the state come from backend.hcl: terraform init -backend-config=backend.hcl
  backend "s3" {
    key          = "telecom-churn/production.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
