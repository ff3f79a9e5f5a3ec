resource "aws_sagemaker_model_package_group" "real" {
  model_package_group_name        = var.group_name
  model_package_group_description = "Telecom churn models made from real data, waiting for a person's approval"

  tags = { "churn:data-origin" = "real" }
}

resource "aws_sagemaker_model_package_group" "synthetic" {
  model_package_group_name        = local.synthetic_group_name
  model_package_group_description = "Telecom churn models made from SYNTHETIC data, never approvable"

  tags = { "churn:data-origin" = "synthetic" }
}

# The roles of this project are denied it as well; this also binds whoever has wider permissions. That SageMaker takes a
# Deny in such a policy rests on its documentation of resource policies alone: should it refuse this one, leave the
# resource out and keep the roles' denials.
resource "aws_sagemaker_model_package_group_policy" "synthetic" {
  model_package_group_name = aws_sagemaker_model_package_group.synthetic.model_package_group_name
  resource_policy = templatefile("${path.module}/policies/synthetic_group.json.tftpl", {
    partition            = var.account.partition
    region               = var.account.region
    account_id           = var.account.id
    synthetic_group_name = local.synthetic_group_name
  })
}
