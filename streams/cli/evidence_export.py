"""Makes a bundle of evidence, with or without its time stamp, writes it, and looks at one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography.x509 import Certificate

from schemas.evidence import Evidence
from streams.cli.evidence_words import NO_STAMP
from streams.errors import BadInput
from streams.evidence.bundle import FILES, SUMS, TOKEN, ChainHead, archive, build, fits
from streams.evidence.chain import Problem
from streams.evidence.timestamp import Stamp, Unusable, ask, check
from streams.evidence.verify import verify_bundle
from streams.evidence.words import plain, sentence
from streams.fetch import NotFetched


async def bundled(
    crisis: str, chains: Mapping[str, Sequence[Evidence]], language: str, tsa: str, roots: Sequence[Certificate]
) -> tuple[dict[str, bytes], Stamp | None, str]:
    """Return a bundle's files, its time stamp, and why it has none where one was asked for."""
    if not tsa:
        return build(crisis, chains, language), None, ""
    files = build(crisis, chains, language, "given")
    try:
        token = await ask(tsa, files[SUMS], roots)
    except NotFetched as error:
        why = sentence(error.problem, language) if isinstance(error, Unusable) else str(error)
        return build(crisis, chains, language, "failed"), None, NO_STAMP[language].format(url=plain(tsa, 120), why=why)
    return files | {TOKEN: token}, check(token, files[SUMS], roots)[1], ""


def write(files: Mapping[str, bytes], out: Path) -> None:
    """Write the files into a new archive (``.zip``) or a new folder."""
    if out.suffix.lower() != ".zip":
        (out / FILES).mkdir(parents=True)
        for name, data in files.items():
            (out / name).write_bytes(data)
        return
    if not fits(files):
        raise BadInput(f"{out}: more than an archive holds (4 GB): give --out the name of a folder")
    with out.open("xb") as file:
        for piece in archive(list(files), files.__getitem__):
            file.write(piece)


def look(path: Path, roots: Sequence[Certificate]) -> tuple[list[Problem], list[ChainHead], Stamp | None]:
    """Return what does not hold of a bundle, its chains and its time stamp."""
    verdict = verify_bundle(path)
    problems, stamp = verdict.problems, None
    if verdict.token is not None:
        found, stamp = check(verdict.token, verdict.stamped, roots)
        problems = [*problems, *found]
    elif roots:
        problems = [*problems, Problem("stamp_none")]
    return problems, verdict.chains, stamp
