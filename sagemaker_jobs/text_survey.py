"""One pass over a text file before it is parsed: encoding, digest, line ends, quotes, NUL bytes.

The pass costs about a second per gigabyte, and its answers let the parser take the fast path: in a file
without quotes and blank lines, row and line number differ by a constant.
"""

import codecs
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from sagemaker_jobs.input_files import read_chunks
from sagemaker_jobs.job_entry import InvalidInputError

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BLANK_LINE = re.compile(rb"(?<=\n)\r?\n")


@dataclass(frozen=True)
class TextSurvey:
    """What one pass over a UTF-8 file found; `blank_lines` are empty lines after the first line."""

    sha256: str
    size_bytes: int
    newlines: int
    quotes: int
    blank_lines: int
    lone_carriage_returns: int
    ends_with_newline: bool

    @property
    def rows_are_lines(self) -> bool:
        """Whether every line is one record, so that row and line differ by a constant."""
        return not (self.quotes or self.blank_lines or self.lone_carriage_returns)


def detect_encoding(path: Path, name: str) -> str:
    """Return the encoding: utf-8, utf-8-sig, utf-16(-le/-be), latin-1 or cp1252; refuse others by name."""
    with path.open("rb") as stream:
        start = stream.read(4096)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if len(start) >= 4 and max(even, odd) > len(start) // 5 and min(even, odd) * 10 < max(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    return _detect_eight_bit(path, name)


def _detect_eight_bit(path: Path, name: str) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
    has_multibyte, broken, has_c1 = False, False, False
    for chunk in read_chunks(path):
        if chunk.isascii() and not decoder.getstate()[0]:
            continue
        text = decoder.decode(chunk)
        try:
            has_multibyte |= not text.encode("utf-8").isascii()
        except UnicodeEncodeError:
            broken = True
            has_multibyte |= any(ord(c) > 0x7F and not 0xDC80 <= ord(c) <= 0xDCFF for c in text)
        has_c1 |= any(0x80 <= byte <= 0x9F for byte in chunk) if broken else False
    broken |= bool(decoder.getstate()[0])
    if not broken:
        return "utf-8"
    if has_multibyte:
        raise InvalidInputError(
            f"{name}: neither valid UTF-8 nor another known encoding (UTF-8 and other bytes are mixed);"
            " export it as UTF-8"
        )
    if not has_c1:
        return "latin-1"
    try:
        for chunk in read_chunks(path):
            chunk.decode("cp1252")
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"{name}: the encoding is neither UTF-8, UTF-16, Latin-1 nor Windows-1252; export it as UTF-8"
        ) from error
    return "cp1252"


def convert_to_utf8(path: Path, destination: Path, encoding: str, name: str) -> None:
    """Write the file's text as UTF-8 without byte order mark, in chunks; refuse undecodable text by name."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with destination.open("wb") as target:
            for chunk in read_chunks(path):
                target.write(decoder.decode(chunk).encode("utf-8"))
            target.write(decoder.decode(b"", final=True).encode("utf-8"))
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise InvalidInputError(
            f"{name}: cannot be read as {encoding} ({error.reason}); is it cut off? export it as UTF-8"
        ) from error


def digest_file(path: Path) -> str:
    """Return the sha256 (hex) of a file."""
    digest = hashlib.sha256()
    for chunk in read_chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def survey_text(path: Path, name: str) -> TextSurvey:
    """Count what decides how a UTF-8 file is parsed; a NUL byte is refused with its line."""
    digest = hashlib.sha256()
    size = newlines = quotes = blank_lines = lone_returns = 0
    last = b""
    for chunk in read_chunks(path):
        digest.update(chunk)
        position = chunk.find(b"\0")
        if position >= 0:
            line = newlines + chunk.count(b"\n", 0, position) + 1
            raise InvalidInputError(f"{name}, line {line}: a NUL byte; the file is damaged, export it again")
        joined = last + chunk
        if b"\n\n" in joined or b"\n\r\n" in joined:
            blank_lines += len(_BLANK_LINE.findall(joined)) - len(_BLANK_LINE.findall(last))
        returns = chunk.count(b"\r")
        if returns or last.endswith(b"\r"):
            # A carriage return at a chunk's end may belong to a newline that comes next.
            pairs = joined.count(b"\r\n") - last.count(b"\r\n")
            lone_returns += returns - pairs
        size += len(chunk)
        newlines += chunk.count(b"\n")
        quotes += chunk.count(b'"')
        last = joined[-2:]
    return TextSurvey(
        digest.hexdigest(), size, newlines, quotes, blank_lines, lone_returns, last[-1:] in {b"\n", b"\r"}
    )
