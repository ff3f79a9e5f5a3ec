"""The one exception every service of the stand-in raises when it refuses a request."""


class ApiError(Exception):
    """A refusal as AWS would send it: error code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400):
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def validation_error(message: str) -> ApiError:
    """Return the error AWS answers a malformed or impossible request with."""
    return ApiError("ValidationException", message)
