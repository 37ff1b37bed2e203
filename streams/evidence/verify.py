"""Checks a bundle of evidence offline: sums, files, receipts, chains, and whether it says of itself what is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import msgspec

from schemas.evidence import Evidence
from streams.evidence.bundle import ABOUT, FILES, PAGE, README, RECEIPTS, STAMPS, SUMS, TOKEN, About, ChainHead, heads, sums
from streams.evidence.chain import Problem, digest, line, verify
from streams.evidence.opened import Opened, Unreadable, opened
from streams.reading import reader

_read_about, _read_receipt = reader(About), reader(Evidence)
_SUM = re.compile(rb"([0-9a-f]{64})  ([A-Za-z0-9./]{1,64})")


class Verdict(NamedTuple):
    """What does not hold (nothing: it all does), the chains that are there, and the time stamp with the bytes that it is of."""

    problems: list[Problem]
    chains: list[ChainHead]
    token: bytes | None = None
    stamped: bytes = b""


def verify_chains(chains: dict[str, list[Evidence]]) -> Verdict:
    """Check the receipts of some crises as the topic has them."""
    return Verdict([problem for receipts in chains.values() for problem in verify(receipts)], heads(chains))


def verify_bundle(path: Path) -> Verdict:
    """Check a bundle, whatever somebody made of it; the time stamp's own signature is `streams.evidence.timestamp`'s. Raises OSError."""
    with opened(path) as found:
        check = _Check(found)
        if "no_zip" in {problem.word for problem in found.problems}:
            return Verdict(found.problems, [])
        return check.all()


class _Check:
    """One bundle while it is checked."""

    def __init__(self, found: Opened) -> None:
        self._files = found.files
        self._problems = [*found.problems]
        self._hashes: dict[str, str] = {}

    def all(self) -> Verdict:
        """Check everything."""
        stated = self._read(SUMS)
        for name in sorted(self._files):
            if name not in (SUMS, TOKEN) and (data := self._read(name)) is not None:
                self._hashes[name] = digest(data)
        if stated is not None:
            self._sums(stated)
        receipts = self._receipts()
        chains = self._chains(receipts)
        self._kept(receipts)
        token = self._about(chains)
        return Verdict(self._problems, chains, token, stated or b"")

    def _say(self, word: str, name: str = "", found: str = "", wanted: str = "") -> None:
        self._problems.append(Problem(word, name, found, wanted))

    def _read(self, name: str) -> bytes | None:
        try:
            return self._files[name]()
        except KeyError:
            self._say("missing", name)
        except Unreadable:
            self._say("unreadable", name)
        return None

    def _sums(self, stated: bytes) -> None:
        """Compare each file with its sum, and the list with the files."""
        wanted: dict[str, str] = {}
        for number, text in enumerate(stated.splitlines(), 1):
            if (found := _SUM.fullmatch(text)) is None:
                self._say("sum_line", SUMS, str(number))
            else:
                wanted[found[2].decode()] = found[1].decode()
        if sums(wanted) != stated and not any(problem.word == "sum_line" for problem in self._problems):
            self._say("sums")
        for name in sorted({*wanted, README, PAGE} - self._files.keys() - {ABOUT, RECEIPTS}):  # of those two their own checks tell
            self._say("missing", name)
        for name, held in self._hashes.items():
            if name not in wanted:
                self._say("unlisted", name)
            elif held != wanted[name]:
                self._say("sum", name)

    def _receipts(self) -> list[Evidence | None]:
        """Return the receipt of each line; None where a line is none as Veille writes it."""
        text = self._read(RECEIPTS) or b""
        if text and not text.endswith(b"\n"):
            self._say("line", RECEIPTS, str(text.count(b"\n") + 1))
        found: list[Evidence | None] = []
        for number, one in enumerate(text.split(b"\n")[:-1], 1):
            try:
                receipt = _read_receipt(one)
            except msgspec.DecodeError:
                receipt = None
            if receipt is None or line(receipt) != one:
                self._say("line", RECEIPTS, str(number))
                receipt = None
            found.append(receipt)
        return found

    def _chains(self, receipts: Sequence[Evidence | None]) -> list[ChainHead]:
        """Check each chain: receipts of one crisis stand together."""
        runs = [(crisis, list(run)) for crisis, run in groupby((r for r in receipts if r is not None), key=lambda r: r.crisis_id)]
        for _, run in runs:
            self._problems += verify(run, files=False)
        return [head for crisis, run in runs for head in heads({crisis: run})]

    def _kept(self, receipts: Sequence[Evidence | None]) -> None:
        """Compare the bytes of each receipt with it: the file of its number, and no file more."""
        named: dict[int, list[str]] = {}
        for name in self._files:
            if name.startswith(FILES):
                named.setdefault(int(name.removeprefix(FILES).partition(".")[0]), []).append(name)
        for number, receipt in enumerate(receipts, 1):
            names = named.pop(number, [])
            if len(names) != 1:
                self._say("no_file" if not names else "many_files", RECEIPTS, str(number))
            elif receipt is not None and self._hashes.get(names[0]) != receipt.sha256:
                self._say("bytes", receipt.evidence_id)
        for name in sorted(name for names in named.values() for name in names):
            self._say("no_receipt", name)

    def _about(self, chains: list[ChainHead]) -> bytes | None:
        """Compare what the bundle says of itself with what is there; return the time stamp's token."""
        token = self._read(TOKEN) if TOKEN in self._files else None
        text = self._read(ABOUT)
        if text is None:
            return token
        try:
            about = _read_about(text)
        except msgspec.DecodeError:
            about = None
        if about is None or about.format != 1 or about.timestamp not in STAMPS:
            self._say("about", ABOUT)
            return token
        if about.chains != chains:
            self._say("heads", ABOUT)
        if about.timestamp == "given" and TOKEN not in self._files:
            self._say("missing", TOKEN)
        if about.timestamp != "given" and TOKEN in self._files:
            self._say("not_asked", TOKEN)
        return token
