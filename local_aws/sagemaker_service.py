"""SageMaker's JSON protocol: an operation in, a result or a refusal out."""

import json
from collections.abc import Callable
from typing import Any

from local_aws.api_error import ApiError, validation_error
from local_aws.request_validation import check_request

Operation = Callable[[str, dict[str, Any]], dict[str, Any]]
TAG_OPERATIONS = ("AddTags", "DeleteTags", "ListTags")
OWN_RESOURCES = (":processing-job/", ":training-job/", ":model-package/", ":model-package-group/")


class SageMakerService:
    """The operations the stand-in itself answers; the rest of SageMaker is left to moto."""

    def __init__(self, operations: dict[str, Operation]):
        self._operations = operations

    def answers(self, operation: str, body: bytes) -> bool:
        """Say whether a request is for this service; tags of resources that moto keeps are not."""
        if operation in TAG_OPERATIONS:
            try:
                arn = json.loads(body)["ResourceArn"]
                return any(resource in arn for resource in OWN_RESOURCES)
            except (ValueError, KeyError, TypeError):
                return True
        return operation in self._operations

    def handle(self, operation: str, region: str, body: bytes) -> dict[str, Any]:
        """Check a request as AWS does and carry it out; raises ApiError."""
        try:
            parameters = json.loads(body or b"{}")
        except ValueError as error:
            raise ApiError("SerializationException", f"The request body is not JSON: {error}") from error
        check_request("sagemaker", operation, parameters)
        try:
            return self._operations[operation](region, parameters)
        except RecursionError as error:
            raise validation_error("The request is nested too deeply") from error
