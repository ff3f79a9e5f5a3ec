"""Archives whose bytes depend on their content only: no times, owners or compression library.

Nothing is compressed. Deflate's output differs between zlib builds and would give one content several names;
the archives are a few hundred kilobytes.
"""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping

_FILE_MODE = 0o644
_EARLIEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_MOST_BYTES_OF_STORED_BLOCK = 65_535


def tar_gz_bytes(files: Mapping[str, bytes]) -> bytes:
    """Return a .tar.gz of path → content, in path order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(files[name]), _FILE_MODE, 0
            archive.addfile(member, io.BytesIO(files[name]))
    return _gzip_stored(buffer.getvalue())


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of path → content, in path order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, _EARLIEST_ZIP_TIME)
            member.create_system = 3  # Unix, whatever system builds it
            member.external_attr = _FILE_MODE << 16
            archive.writestr(member, files[name])
    return buffer.getvalue()


def _gzip_stored(content: bytes) -> bytes:
    """Return gzip (RFC 1952) around stored deflate blocks (RFC 1951, 3.2.4)."""
    header = b"\x1f\x8b\x08" + b"\x00" * 5 + b"\x00\xff"  # deflate; no flags, no time; no system
    blocks = []
    for start in range(0, max(len(content), 1), _MOST_BYTES_OF_STORED_BLOCK):
        block = content[start : start + _MOST_BYTES_OF_STORED_BLOCK]
        is_last = start + _MOST_BYTES_OF_STORED_BLOCK >= len(content)
        blocks.append(struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF) + block)
    trailer = struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)
    return header + b"".join(blocks) + trailer
