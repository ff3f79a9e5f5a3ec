"""Which service, region and action an AWS request is for, read from its signature and headers."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from local_aws import DEFAULT_REGION

CREDENTIAL_KEY = re.compile(r"Credential=([^/]+)/")
CREDENTIAL = re.compile(r"Credential=[^/]*/\d{8}/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True)
class Target:
    """Service and region of a request; an unsigned request has the service ''."""

    service: str
    region: str


def target_of(environ: dict[str, Any]) -> Target:
    """Read service and region from the Authorization header or from a presigned address."""
    signed = environ.get("HTTP_AUTHORIZATION", "")
    query = environ.get("QUERY_STRING", "")
    match = CREDENTIAL.search(signed) or CREDENTIAL.search(
        unquote(query).replace("X-Amz-Credential", "Credential")
    )
    if match:
        return Target(match.group(2).lower(), match.group(1))
    if (
        signed.startswith("AWS ") or "AWSAccessKeyId=" in query
    ):  # the old signature, which only S3 still takes
        return Target("s3", DEFAULT_REGION)
    return Target("", DEFAULT_REGION)


def action_of(environ: dict[str, Any], body: bytes) -> str:
    """Return the action of a JSON or query request ('' for REST protocols)."""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return target.rpartition(".")[2]
    in_path = re.search(r"/operation/(\w+)$", environ.get("PATH_INFO", ""))  # CBOR
    if in_path:
        return in_path.group(1)
    named = parse_qs(environ.get("QUERY_STRING", "")).get("Action")
    if not named and environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        named = parse_qs(body.decode("utf-8", "replace")).get("Action")
    return named[0] if named else ""
