"""Look up labels, levels and null tokens by their spelling: each distinct text is judged once per batch."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from include.data_contracts.feature_schema import CategoricalColumn, TargetColumn, normalise_spelling

if TYPE_CHECKING:  # the TensorFlow image has no pyarrow, and judges spellings all the same
    import pyarrow as pa

MISSING, UNKNOWN = -1, -2
_WHOLE_FLOAT = re.compile(r"([+-]?\d+)\.0+\Z", re.ASCII)
_CACHE_ENTRIES = 10_000


def as_text(column: "pa.Array") -> "pa.Array":
    """Return a column as strings without nulls; whole floats read as whole numbers, null as empty text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        if pa.types.is_floating(column.type):
            whole = pc.cast(column, pa.int64(), safe=False)
            is_whole = pc.equal(pc.cast(whole, column.type, safe=False), column)
            column = pc.if_else(is_whole, pc.cast(whole, pa.string()), pc.cast(column, pa.string()))
        else:
            column = pc.cast(column, pa.string())
    return pc.fill_null(column, "") if column.null_count else column


class NullTokens:
    """The spellings of a missing value; case and surrounding spaces do not matter, empty always counts."""

    def __init__(self, tokens: Iterable[str]) -> None:
        """Fold the tokens."""
        self._tokens = {token.strip().casefold() for token in tokens} | {""}
        self._longest = max(map(len, self._tokens))

    def __call__(self, text: str) -> bool:
        """Tell whether the text means a missing value."""
        return text.strip().casefold() in self._tokens

    def find(self, texts: "pa.Array") -> np.ndarray:
        """Return where the texts (without nulls) mean a missing value, boolean (n,)."""
        import pyarrow as pa
        import pyarrow.compute as pc

        lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False)
        is_missing = np.zeros(len(texts), dtype=bool)
        # Only short texts are folded and compared; the allowance is for blank space around a token.
        candidates = np.flatnonzero(lengths <= self._longest + 16)
        if len(candidates):
            short = texts if len(candidates) == len(texts) else texts.take(pa.array(candidates))
            folded = pc.utf8_lower(pc.utf8_trim_whitespace(short))
            is_token = pc.is_in(folded, value_set=pa.array(sorted(self._tokens)))
            is_missing[candidates] = is_token.to_numpy(zero_copy_only=False)
        return is_missing


class _SpellingTable:
    """Map texts to small integer codes through one judgement per distinct text."""

    def __init__(self, judge: Callable[[str], tuple[int, bool]]) -> None:
        self._judge = judge
        self._cache: dict[str, tuple[int, bool]] = {}

    def read(self, texts: "pa.Array") -> tuple[np.ndarray, np.ndarray | None]:
        """Return (codes int16 (n,), where the spelling was another one, or None if nowhere)."""
        import pyarrow.compute as pc

        encoded = pc.dictionary_encode(texts)
        codes, respelled = self.judge(encoded.dictionary.to_pylist())
        indices = encoded.indices.to_numpy()
        return codes[indices], respelled[indices] if respelled.any() else None

    def judge(self, spellings: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return (codes int16, is it another spelling than the canonical one) of distinct texts."""
        if len(self._cache) > _CACHE_ENTRIES:
            self._cache.clear()
        codes = np.empty(len(spellings), dtype=np.int16)
        respelled = np.zeros(len(spellings), dtype=bool)
        for position, spelling in enumerate(spellings):
            if spelling not in self._cache:
                self._cache[spelling] = self._judge(spelling)
            codes[position], respelled[position] = self._cache[spelling]
        return codes, respelled


def _find_spelling(text: str, codes: dict[str, int]) -> int | None:
    folded = normalise_spelling(text)
    if folded in codes:
        return codes[folded]
    whole = _WHOLE_FLOAT.match(folded)  # 1 exported through a column that once held a missing value
    return codes.get(whole[1]) if whole else None


class LevelSpellings(_SpellingTable):
    """Codes of a categorical column: position in the schema's levels, MISSING or UNKNOWN."""

    def __init__(self, column: CategoricalColumn, is_null: NullTokens) -> None:
        """Build the table of all spellings of all levels."""
        names = column.level_names
        codes = {
            normalise_spelling(spelling): code
            for code, level in enumerate(column.levels)
            for spelling in (level.name, *level.spellings)
        }

        def judge(text: str) -> tuple[int, bool]:
            code = _find_spelling(text, codes)
            if code is not None:
                return code, text != names[code]
            return (MISSING if is_null(text) else UNKNOWN), False

        super().__init__(judge)


class LabelSpellings(_SpellingTable):
    """Codes of the target: 1, 0, MISSING or UNKNOWN; each label's first spelling is the canonical one."""

    def __init__(self, target: TargetColumn, is_null: NullTokens) -> None:
        """Build the table of both labels' spellings."""
        codes = {normalise_spelling(text): 1 for text in target.positive}
        codes |= {normalise_spelling(text): 0 for text in target.negative}
        canonical = {target.positive[0], target.negative[0]}

        def judge(text: str) -> tuple[int, bool]:
            code = _find_spelling(text, codes)
            if code is not None:
                return code, text not in canonical
            return (MISSING if is_null(text) else UNKNOWN), False

        super().__init__(judge)
