output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "dead_letter_queue_name" {
  description = "Name of the queue that holds what could not be handled."
  value       = aws_sqs_queue.dead_letters.name
}
