"""Cues of Chinese texts, which have no spaces between words: a cue is there where one of its phrases is."""

from __future__ import annotations

from typing import Final

_PHRASES: Final = {
    "denial": ("谣言", "辟谣", "造谣", "假的", "不实", "别信", "不是真", "不可能", "骗人", "扯淡", "胡扯", "澄清"),
    "fact_check": ("辟谣", "求证", "核实", "证实", "澄清"),
    "hearsay": ("据说", "听说", "网传", "传闻", "传言", "疑似", "未经证实", "求真相"),
    "question": ("?", "？", "真的吗", "真假", "是真的么", "真的假的", "求证"),
}


def chinese_cues(text: str) -> list[str]:
    """Return the cues of a Chinese text, by name.

    >>> chinese_cues("这是谣言吧？")
    ['denial', 'question']
    """
    return [cue for cue, phrases in _PHRASES.items() if any(phrase in text for phrase in phrases)]
