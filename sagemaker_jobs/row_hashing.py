"""Hash ids and rows into 64-bit integers, a whole column at a time.

Duplicates are found by comparing hashes. With n rows the chance that any two different ones collide is about
n**2 / 2**65: three in a million for ten million rows.
"""

import numpy as np
import pyarrow as pa

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
HASH_SPAN = 2.0**64


def mix(values: np.ndarray, salt: int) -> np.ndarray:
    """Return the splitmix64 finaliser of uint64 `values` plus a salt: every input bit moves every output bit.

    Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
    """
    salted = (salt * int(_GOLDEN) + int(_GOLDEN)) % 2**64
    mixed = values + np.uint64(salted)
    mixed ^= mixed >> np.uint64(30)
    mixed *= _FIRST
    mixed ^= mixed >> np.uint64(27)
    mixed *= _SECOND
    mixed ^= mixed >> np.uint64(31)
    return mixed


def combine(hashes: np.ndarray, values: np.ndarray, salt: int) -> np.ndarray:
    """Fold one more uint64 column into running hashes; the order of columns matters, by salt."""
    return mix(hashes ^ mix(values, salt), salt + 1)


def number_bits(values: np.ndarray) -> np.ndarray:
    """Return float64 values as uint64 bits; both zeros are one value, and so are all NaN."""
    canonical = values + 0.0  # -0.0 becomes 0.0
    bits = canonical.view(np.uint64)
    is_missing = np.isnan(canonical)
    if is_missing.any():
        bits = np.where(is_missing, np.uint64(0x7FF8000000000000), bits)
    return bits


def _hash_fixed_length(text: np.ndarray, length: int) -> np.ndarray:
    """Hash m texts of one length; `text` is uint8 (m, length)."""
    words = -(-length // 8)
    padded = np.zeros((len(text), words * 8), dtype=np.uint8)
    padded[:, :length] = text
    blocks = padded.view(np.uint64)
    hashes = np.full(len(text), length, dtype=np.uint64)
    for word in range(words):
        hashes = combine(hashes, blocks[:, word], 0)
    return hashes


def hash_strings(strings: pa.Array) -> np.ndarray:
    """Hash a string array without nulls to uint64 (n,): equal texts, equal hashes."""
    count = len(strings)
    if count == 0:
        return np.empty(0, dtype=np.uint64)
    array = strings.cast(pa.large_string())
    _, offset_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64, count=count + 1 + array.offset)[array.offset :]
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer else np.empty(0, dtype=np.uint8)
    lengths = np.diff(offsets)
    if lengths[0] == lengths.max() == lengths.min():
        length = int(lengths[0])
        return _hash_fixed_length(data[offsets[0] : offsets[-1]].reshape(count, length), length)
    hashes = np.empty(count, dtype=np.uint64)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        text = data[offsets[rows][:, None] + np.arange(length)]
        hashes[rows] = _hash_fixed_length(text, int(length))
    return hashes
