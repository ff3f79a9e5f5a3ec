"""S3 over HTTP: the operations boto3 and the AWS command line use, answered from the object store."""

from collections.abc import Callable
from urllib.parse import unquote
from xml.etree import ElementTree

from local_aws import ACCOUNT_ID
from local_aws.api_error import ApiError
from local_aws.multipart_uploads import MultipartUploads
from local_aws.object_listing import list_objects
from local_aws.object_store import ObjectStore
from local_aws.s3_requests import S3Request, byte_range, kept_headers, parse_tags, write_condition
from local_aws.s3_responses import (
    FilePart,
    S3Response,
    empty_response,
    error_response,
    listing_document,
    object_response,
    xml_response,
)
from local_aws.s3_xml import element, iso_time, read_xml

# Answered when nothing was stored for the aspect: AWS sends these codes, or an empty document.
ABSENT_CONFIGURATION = {
    "policy": "NoSuchBucketPolicy",
    "lifecycle": "NoSuchLifecycleConfiguration",
    "tagging": "NoSuchTagSet",
    "cors": "NoSuchCORSConfiguration",
    "website": "NoSuchWebsiteConfiguration",
    "publicAccessBlock": "NoSuchPublicAccessBlockConfiguration",
    "ownershipControls": "OwnershipControlsNotFoundError",
    "replication": "ReplicationConfigurationNotFoundError",
    "encryption": "ServerSideEncryptionConfigurationNotFoundError",
    "object-lock": "ObjectLockConfigurationNotFoundError",
    "versioning": "<VersioningConfiguration/>",
    "notification": "<NotificationConfiguration/>",
    "logging": "<BucketLoggingStatus/>",
    "accelerate": "<AccelerateConfiguration/>",
    "requestPayment": "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
}

Handler = Callable[[S3Request], S3Response]


class S3Service:
    """Dispatch by method, path and query, as S3 does."""

    def __init__(self, store: ObjectStore, uploads: MultipartUploads):
        self._store = store
        self._uploads = uploads

    def handle(self, request: S3Request, region: str) -> S3Response:
        """Answer one request; refusals come as S3's XML error document."""
        try:
            return self._route(request, region)(request)
        except ApiError as error:
            return error_response(request, error)

    def _route(self, request: S3Request, region: str) -> Handler:
        method, query = request.method, request.query
        if not request.bucket:
            return self._list_buckets
        if not request.key:
            return self._bucket_route(method, query, region)
        routes = self._object_routes(request)
        if method not in routes or {"acl", "retention", "legal-hold", "select", "restore"} & set(query):
            raise ApiError(
                "NotImplemented", f"local_aws does not implement {method} with {sorted(query)}", 501
            )
        return routes[method]

    def _object_routes(self, request: S3Request) -> dict[str, Handler]:
        query = request.query
        if "tagging" in query:
            return {"GET": self._get_tags, "PUT": self._put_tags, "DELETE": self._delete_tags}
        if "uploadId" in query:
            routes = {"GET": self._list_parts, "PUT": self._put_part, "POST": self._complete}
            return {**routes, "DELETE": self._abort}
        routes = {"GET": self._get_object, "HEAD": self._get_object, "DELETE": self._delete_object}
        routes["PUT"] = self._copy_object if "x-amz-copy-source" in request.headers else self._put_object
        return {**routes, "POST": self._create_upload} if "uploads" in query else routes

    def _bucket_route(self, method: str, query: dict[str, str], region: str) -> Handler:
        aspect = next((name for name in query if name in ABSENT_CONFIGURATION), None)
        if aspect is not None:
            return lambda request: self._configuration(request, aspect)
        if method == "PUT":
            return lambda request: self._create_bucket(request, region)
        if method == "POST" and "delete" in query:
            return self._delete_objects
        if method == "GET" and "location" in query:
            return self._location
        if method == "GET" and "uploads" in query:
            return self._list_uploads
        plain = {"GET": self._list_objects, "HEAD": self._head_bucket, "DELETE": self._delete_bucket}
        if method not in plain or {"versions", "acl", "policyStatus"} & set(query):
            raise ApiError(
                "NotImplemented", f"local_aws does not implement {method} with {sorted(query)}", 501
            )
        return plain[method]

    # --- buckets -------------------------------------------------------------------------------------
    def _list_buckets(self, _request: S3Request) -> S3Response:
        buckets = [
            element("Bucket", Name=record["Name"], CreationDate=iso_time(record["CreationDate"]))
            for record in self._store.buckets()
        ]
        owner = element("Owner", ID=ACCOUNT_ID)
        return xml_response(element("ListAllMyBucketsResult", owner, element("Buckets", *buckets)))

    def _create_bucket(self, request: S3Request, region: str) -> S3Response:
        content = request.body.read_all()
        asked = read_xml(content).findtext("LocationConstraint") if content else None
        self._store.create_bucket(request.bucket, asked or region)
        return empty_response(headers={"Location": f"/{request.bucket}"})

    def _head_bucket(self, request: S3Request) -> S3Response:
        return empty_response(headers={"x-amz-bucket-region": self._store.bucket(request.bucket)["Region"]})

    def _delete_bucket(self, request: S3Request) -> S3Response:
        self._store.delete_bucket(request.bucket)
        return empty_response(204)

    def _location(self, request: S3Request) -> S3Response:
        region = self._store.bucket(request.bucket)["Region"]
        root = ElementTree.Element("LocationConstraint")
        root.text = "" if region == "us-east-1" else region
        return xml_response(root)

    def _configuration(self, request: S3Request, aspect: str) -> S3Response:
        """Keep, give back or forget one aspect of a bucket; none of them has an effect here."""
        if request.method == "PUT":
            self._store.configure_bucket(request.bucket, aspect, request.body.read_all().decode())
            return empty_response(204 if aspect == "policy" else 200)
        if request.method == "DELETE":
            self._store.configure_bucket(request.bucket, aspect, None)
            return empty_response(204)
        content = self._store.bucket(request.bucket)["Configuration"].get(aspect)
        if content is None:
            absent = ABSENT_CONFIGURATION[aspect]
            if not absent.startswith("<"):
                raise ApiError(absent, f"The bucket has no {aspect} configuration", 404)
            content = absent
        body = content.encode()
        media_type = "application/json" if aspect == "policy" else "application/xml"
        return S3Response(200, {"Content-Type": media_type, "Content-Length": str(len(body))}, [body])

    def _list_objects(self, request: S3Request) -> S3Response:
        query = request.query
        version_two = query.get("list-type") == "2"
        after = (
            query.get("continuation-token") or query.get("start-after")
            if version_two
            else query.get("marker")
        )
        max_keys = min(int(query.get("max-keys") or 1000), 1000)
        listing = list_objects(
            self._store,
            request.bucket,
            prefix=query.get("prefix", ""),
            delimiter=query.get("delimiter", ""),
            after=after or "",
            max_keys=max_keys,
        )
        return xml_response(listing_document(request, listing, max_keys, version_two=version_two))

    def _delete_objects(self, request: S3Request) -> S3Response:
        document = read_xml(request.body.read_all())
        quiet = document.findtext("Quiet") == "true"
        self._store.bucket(request.bucket)
        deleted = []
        for entry in document.findall("Object"):
            key = entry.findtext("Key") or ""
            self._store.delete(request.bucket, key)
            deleted.append(element("Deleted", Key=key))
        return xml_response(element("DeleteResult", *([] if quiet else deleted)))

    # --- objects -------------------------------------------------------------------------------------
    def _put_object(self, request: S3Request) -> S3Response:
        condition = write_condition(request.headers)
        self._store.bucket(request.bucket)
        condition.check(self._store.find(request.bucket, request.key))
        blob = self._store.write_blob(request.body)
        stored = self._store.attach(
            request.bucket,
            request.key,
            blob,
            kept_headers(request.headers),
            tags=parse_tags(request.headers.get("x-amz-tagging", "")),
            condition=condition,
        )
        return empty_response(headers={"ETag": f'"{stored.etag}"'})

    def _get_object(self, request: S3Request) -> S3Response:
        if request.method == "HEAD":
            stored, file = self._store.get(request.bucket, request.key), None
        else:
            stored, file = self._store.open(request.bucket, request.key)
        try:
            return object_response(request, stored, file)
        except ApiError:
            if file is not None:
                file.close()
            raise

    def _delete_object(self, request: S3Request) -> S3Response:
        self._store.delete(request.bucket, request.key)
        return empty_response(204)

    def _copy_object(self, request: S3Request) -> S3Response:
        source = unquote(request.headers["x-amz-copy-source"].split("?")[0]).lstrip("/")
        bucket, _, key = source.partition("/")
        found, file = self._store.open(bucket, key)
        self._store.bucket(request.bucket)
        with file:
            blob = self._store.write_blob(file)
        replaced = request.headers.get("x-amz-metadata-directive", "COPY").upper() == "REPLACE"
        tags_replaced = request.headers.get("x-amz-tagging-directive", "COPY").upper() == "REPLACE"
        stored = self._store.attach(
            request.bucket,
            request.key,
            blob,
            kept_headers(request.headers) if replaced else found.headers,
            tags=parse_tags(request.headers.get("x-amz-tagging", "")) if tags_replaced else found.tags,
        )
        return xml_response(
            element("CopyObjectResult", ETag=f'"{stored.etag}"', LastModified=iso_time(stored.last_modified))
        )

    def _get_tags(self, request: S3Request) -> S3Response:
        tags = self._store.get(request.bucket, request.key).tags
        entries = [element("Tag", Key=name, Value=value) for name, value in tags.items()]
        return xml_response(element("Tagging", element("TagSet", *entries)))

    def _put_tags(self, request: S3Request) -> S3Response:
        entries = read_xml(request.body.read_all()).findall("TagSet/Tag")
        tags = {entry.findtext("Key") or "": entry.findtext("Value") or "" for entry in entries}
        self._store.set_tags(request.bucket, request.key, tags)
        return empty_response()

    def _delete_tags(self, request: S3Request) -> S3Response:
        self._store.set_tags(request.bucket, request.key, {})
        return empty_response(204)

    # --- multipart uploads ---------------------------------------------------------------------------
    def _create_upload(self, request: S3Request) -> S3Response:
        headers = kept_headers(
            {k: v for k, v in request.headers.items() if not k.startswith("x-amz-checksum")}
        )
        tags = parse_tags(request.headers.get("x-amz-tagging", ""))
        upload_id = self._uploads.create(request.bucket, request.key, headers, tags)
        names = {"Bucket": request.bucket, "Key": request.key, "UploadId": upload_id}
        return xml_response(element("InitiateMultipartUploadResult", **names))

    def _put_part(self, request: S3Request) -> S3Response:
        number = int(request.query.get("partNumber") or 0)
        if not 1 <= number <= 10_000:
            raise ApiError("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
        upload_id = request.query["uploadId"]
        if "x-amz-copy-source" in request.headers:
            return self._copy_part(request, upload_id, number)
        etag = self._uploads.put_part(request.bucket, request.key, upload_id, number, request.body)
        return empty_response(headers={"ETag": f'"{etag}"'})

    def _copy_part(self, request: S3Request, upload_id: str, number: int) -> S3Response:
        source = unquote(request.headers["x-amz-copy-source"].split("?")[0]).lstrip("/")
        bucket, _, key = source.partition("/")
        stored, file = self._store.open(bucket, key)
        with file:
            wanted = byte_range(request.headers.get("x-amz-copy-source-range"), stored.size_bytes)
            first, last = wanted or (0, stored.size_bytes - 1)
            part = FilePart(file, first, last - first + 1)
            etag = self._uploads.put_part(request.bucket, request.key, upload_id, number, part)
        return xml_response(
            element("CopyPartResult", ETag=f'"{etag}"', LastModified=iso_time(stored.last_modified))
        )

    def _complete(self, request: S3Request) -> S3Response:
        document = read_xml(request.body.read_all())
        wanted = [
            (int(part.findtext("PartNumber") or 0), (part.findtext("ETag") or "").strip('"'))
            for part in document.findall("Part")
        ]
        if not wanted:
            raise ApiError("MalformedXML", "An upload is completed with at least one part")
        condition = write_condition(request.headers)
        upload_id = request.query["uploadId"]
        stored = self._uploads.complete(request.bucket, request.key, upload_id, wanted, condition=condition)
        names = {"Bucket": request.bucket, "Key": request.key, "ETag": f'"{stored.etag}"'}
        return xml_response(element("CompleteMultipartUploadResult", **names))

    def _abort(self, request: S3Request) -> S3Response:
        self._uploads.abort(request.bucket, request.key, request.query["uploadId"])
        return empty_response(204)

    def _list_parts(self, request: S3Request) -> S3Response:
        upload_id = request.query["uploadId"]
        self._uploads.get(request.bucket, request.key, upload_id)
        parts = [
            element("Part", PartNumber=str(number), ETag=f'"{part["md5"]}"', Size=str(part["size_bytes"]))
            for number, part in self._uploads.parts(upload_id).items()
        ]
        names = {"Bucket": request.bucket, "Key": request.key, "UploadId": upload_id, "IsTruncated": "false"}
        return xml_response(element("ListPartsResult", *parts, **names))

    def _list_uploads(self, request: S3Request) -> S3Response:
        self._store.bucket(request.bucket)
        uploads = [
            element(
                "Upload", Key=item["Key"], UploadId=item["UploadId"], Initiated=iso_time(item["Initiated"])
            )
            for item in self._uploads.all(request.bucket)
        ]
        return xml_response(
            element("ListMultipartUploadsResult", *uploads, Bucket=request.bucket, IsTruncated="false")
        )
