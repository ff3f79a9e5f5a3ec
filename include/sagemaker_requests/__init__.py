"""Pure builders of SageMaker requests: a plan and the results so far give a dictionary."""
