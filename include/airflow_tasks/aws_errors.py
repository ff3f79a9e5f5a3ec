"""Which AWS errors pass by themselves, and what an AWS error says in one line."""

from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import ConnectionError as BotocoreConnectionError

_TRANSIENT_CODES = frozenset({
    "BandwidthLimitExceeded",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
})  # fmt: skip
_FIRST_SERVER_ERROR = 500
# botocore's two families cover connection refused, reset and timed out, for boto3 and aiobotocore alike.
_NETWORK_ERRORS = (
    BotocoreConnectionError,
    HTTPClientError,
    CredentialRetrievalError,
    IncompleteReadError,
    ConnectionError,
    TimeoutError,
)


def is_transient(error: BaseException) -> bool:
    """Tell whether an AWS call failed for a reason that passes: throttling, network, a server error."""
    if isinstance(error, ClientError):
        code, _ = code_and_message(error)
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return code in _TRANSIENT_CODES or status >= _FIRST_SERVER_ERROR
    return isinstance(error, _NETWORK_ERRORS)


def code_and_message(error: BaseException) -> tuple[str, str]:
    """Return an AWS error's code and message; of any other exception, its class name and text."""
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        return str(details.get("Code", "")), str(details.get("Message", ""))
    return type(error).__name__, str(error)


def one_line(error: BaseException) -> str:
    """Describe an error in one line, without a traceback."""
    code, message = code_and_message(error)
    return " ".join(f"{code}: {message}".split())
