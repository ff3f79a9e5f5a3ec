"""Memory that every chunk of rows uses again, one set per thread.

A fresh array of half a megabyte is often given back to the system and faulted in anew at the next operation,
which can cost ten times the arithmetic done in it.
"""

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

CHUNK_ROWS = 1 << 16  # a chunk whose buffers stay in the second-level cache is counted fastest


class RowBuffers(threading.local):
    """Named buffers of the calling thread; what one holds is valid until the same name is asked for again."""

    def __init__(self) -> None:
        self._held: dict[str, npt.NDArray[Any]] = {}

    def rows(self, name: str, count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An array of `count` values of `dtype`, not cleared; `name` belongs to one dtype."""
        held = self._held.get(name)
        if held is None or len(held) < count:
            held = self._held[name] = np.empty(max(count, CHUNK_ROWS), dtype=dtype)
        return held[:count]


BUFFERS = RowBuffers()
