"""Time stamps: asked for, checked, and checked again by another program; none is taken that is not of what was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.cli.evidence_export import bundled, look, write
from streams.errors import BadInput
from streams.evidence.bundle import SUMS, TOKEN
from streams.evidence.der import in_order
from streams.evidence.timestamp import ask, check, roots_of
from streams.fetch import NotFetched
from tests.evidence.authority import authority, make, openssl
from tests.evidence.test_bundle import two_chains

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where an authority's keys lie."""
    openssl("-help")
    folder = tmp_path_factory.mktemp("authority")
    make(folder)
    return folder


@pytest.mark.parametrize("name", ["bundle.zip", "bundle"])
async def test_a_stamped_bundle_holds_here_and_elsewhere(name: str, place: Path, tmp_path: Path) -> None:
    """`openssl ts -verify` and Veille agree about a bundle's time stamp; of another root both say no."""
    roots, other = roots_of((place / "root.pem").read_bytes()), make(tmp_path / "other")
    async with authority(place) as url:
        files, stamp, why = await bundled("acme-2", two_chains(), "en", url, roots)
    assert why == ""
    assert stamp is not None
    assert (stamp.by, stamp.vouched) == ("CN=Veille test authority", True)
    out = tmp_path / name
    write(files, out)
    problems, chains, found = look(out, roots)
    assert (problems, found, [one.crisis_id for one in chains]) == ([], stamp, ["acme-2", "acme-1"])
    problems, _, found = look(out, [])
    assert (problems, found) == ([], stamp._replace(vouched=False))
    problems, *_ = look(out, roots_of(other.read_bytes()))
    assert [problem.word for problem in problems] == ["stamp_signed"]
    for part in (SUMS, TOKEN):
        (tmp_path / part).write_bytes(files[part])

    def foreign(root: Path) -> bytes:
        done = openssl("-verify", "-data", tmp_path / SUMS, "-in", tmp_path / TOKEN, "-CAfile", root)
        return done.stdout + done.stderr

    assert b"Verification: OK" in foreign(place / "root.pem")
    assert b"Verification: FAILED" in foreign(other)
    (tmp_path / SUMS).write_bytes(files[SUMS] + b"\n")
    assert b"Verification: FAILED" in foreign(place / "root.pem")


async def test_without_an_answer_the_bundle_says_so(place: Path, tmp_path: Path) -> None:
    """An authority that is not there, refuses, or answers rubbish or of something else: a bundle without a time stamp, which holds."""
    roots = roots_of((place / "root.pem").read_bytes())
    stolen = b""
    async with authority(place) as url:
        stolen = await ask(url, b"something else")
    for number, (change, status, said) in enumerate([
        (bytes, "503 Busy", "http 503"),
        (lambda answer: b"<html>", "200 OK", "no time stamp that can be read"),
        (lambda answer: bytes.fromhex("30053003020102"), "200 OK", "the authority did not grant it"),
        (lambda answer: answer[:-9], "200 OK", "no time stamp that can be read"),
        (lambda answer: stolen, "200 OK", "a time stamp of something else than this SHA256SUMS"),
        (lambda answer: answer * 999, "200 OK", "the answer is too large"),
    ]):  # fmt: skip
        async with authority(place, change, status) as url:
            files, stamp, why = await bundled("acme-2", two_chains(), "en", url, roots)
        assert stamp is None
        assert said in why
        assert "gave none" in why
        assert TOKEN not in files
        write(files, tmp_path / str(number))
        assert look(tmp_path / str(number), [])[0] == []
        assert [problem.word for problem in look(tmp_path / str(number), roots)[0]] == ["stamp_none"]
        assert "goes without" in files["README.txt"].decode()
    files, _, why = await bundled("acme-2", two_chains(), "fr", "http://127.0.0.1:1/", [])
    assert "pas d'horodatage" in why
    assert "n'a pas été obtenu" in files["index.html"].decode().replace("&#39;", "'")


async def test_another_answer_to_the_same_question_is_none(place: Path) -> None:
    """A stamp of the same bytes that answers somebody else's request is not taken: its number is another."""
    async with authority(place) as url:
        earlier = await ask(url, b"data")
    async with authority(place, lambda answer: earlier) as url:
        with pytest.raises(NotFetched, match="stamp_asked"):
            await ask(url, b"data")


@pytest.mark.parametrize(("name", "above", "sorted_already"), [("a", "b" * 60, True), ("a" * 60, "b", False)])
async def test_authorities_that_send_their_certificates_in_any_order(name: str, above: str, sorted_already: bool, tmp_path: Path) -> None:
    """DER sorts them, and `openssl ts`, like the authorities made with it, does not: read all the same."""
    root = make(tmp_path, name, above, whole=True)
    async with authority(tmp_path) as url:
        token = await ask(url, b"data", roots_of(root.read_bytes()))
    problems, stamp = check(token, b"data", roots_of(root.read_bytes()))
    assert (problems, stamp and stamp.by) == ([], f"CN={name}")
    assert (in_order(token) == token) == sorted_already
    for end in range(len(token)):
        assert in_order(token[:end]) == token[:end]


async def test_broken_stamps_end_nothing(place: Path) -> None:
    """Whatever is done to a stamp's bytes, it is checked to the end; what its signature covers cannot be changed."""
    roots = roots_of((place / "root.pem").read_bytes())
    async with authority(place) as url:
        token = await ask(url, b"data", roots)
    at = check(token, b"data", roots)[1]
    for position in range(0, len(token), 3):
        changed = token[:position] + bytes([token[position] ^ 0x55]) + token[position + 1 :]
        problems, stamp = check(changed, b"data", roots)
        assert problems or stamp == at
    for part in (b"", token[:40], token[:-1], token + b"x"):
        assert check(part, b"data", roots)[0]


def test_a_root_that_is_none() -> None:
    """What is no certificate is told before anything is asked."""
    with pytest.raises(BadInput, match="--tsa-root"):
        roots_of(b"no certificate")
