"""Small XML documents as S3 writes and reads them."""

from datetime import UTC, datetime
from xml.etree import ElementTree

from local_aws.api_error import ApiError

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def element(name: str, *children: ElementTree.Element, **texts: str) -> ElementTree.Element:
    """Return an element with one child per keyword (name and text) and then the given children."""
    root = ElementTree.Element(name)
    for child, text in texts.items():
        ElementTree.SubElement(root, child).text = text
    root.extend(children)
    return root


def to_xml(root: ElementTree.Element) -> bytes:
    """Return the document with S3's namespace; an Error document has none."""
    if root.tag != "Error":
        root.set("xmlns", NAMESPACE)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def read_xml(content: bytes) -> ElementTree.Element:
    """Return the root with the namespaces stripped; raises MalformedXML."""
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - loopback only, from the user's own programs
    except ElementTree.ParseError as error:
        raise ApiError("MalformedXML", f"The XML you provided was not well-formed: {error}") from error
    for item in root.iter():
        item.tag = item.tag.rpartition("}")[2]
    return root


def iso_time(seconds: float) -> str:
    """Return a time as S3 writes it, in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
