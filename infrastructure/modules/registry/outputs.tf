output "group_name" {
  description = "Model package group of models made from real data."
  value       = aws_sagemaker_model_package_group.real.model_package_group_name
}

output "synthetic_group_name" {
  description = "Model package group of models made from synthetic data."
  value       = aws_sagemaker_model_package_group.synthetic.model_package_group_name
}
