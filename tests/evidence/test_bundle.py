"""Bundles: what was kept can be checked by anybody, and no change to it goes unseen."""

from __future__ import annotations

import base64
import gzip
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.evidence import Evidence
from streams.evidence.bundle import RECEIPTS, SUMS, TOKEN, archive, build, file_name, sums
from streams.evidence.chain import digest, seal
from streams.evidence.verify import verify_bundle
from streams.evidence.words import PROBLEMS, plain, sentence

_TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
_KEPT = st.tuples(_TEXT, _TEXT, _TEXT, st.binary(max_size=200), st.sampled_from(["", "m1"]), st.sampled_from(["application/json", "x/y"]))


def chained(crisis: str, kept: list[tuple[str, str, str, bytes, str, str]]) -> list[Evidence]:
    """Return sealed receipts of what was kept: by whom, name, address, bytes, mention, type."""
    found: list[Evidence] = []
    for seq, (by, name, url, data, mention, form) in enumerate(kept, 1):
        receipt = Evidence(
            evidence_id=f"{crisis}/{seq}", crisis_id=crisis, brand="acme", mention_id=mention, captured_at="2026-03-02T08:15:01Z",
            sha256=digest(data), seq=seq, url=url, content_type=form, bytes_b64=base64.b64encode(data).decode(), by=by, name=name,
        )  # fmt: skip
        found.append(seal(receipt, found[-1].chain if found else ""))
    return found


def sample(text: str = "lost my bag") -> tuple[str, str, str, bytes, str, str]:
    """Return what is kept of a mention."""
    return ("", "", "", msgspec.json.encode({"mention_id": "m1", "network": "x", "text": text}), "m1", "application/json")


def two_chains() -> dict[str, list[Evidence]]:
    """Return the receipts of a crisis and of one that was merged into it."""
    return {
        "acme-2": chained(
            "acme-2", [sample(), ("ann", "letter.eml", "", b"Dear", "", "x/y"), ("bo", "", "https://x.example", b"{}", "", "x/y")]
        ),
        "acme-1": chained("acme-1", [sample("<script>alert(1)</script>")]),
    }


def zipped(files: dict[str, bytes], folder: Path) -> Path:
    """Write a bundle as an archive."""
    path = folder / "bundle.zip"
    path.write_bytes(b"".join(archive(list(files), files.__getitem__)))
    return path


def laid_out(files: dict[str, bytes], folder: Path) -> Path:
    """Write a bundle as a folder."""
    path = folder / "bundle"
    (path / "files").mkdir(parents=True)
    for name, data in files.items():
        (path / name).write_bytes(data)
    return path


def said(path: Path) -> list[str]:
    """Return what does not hold, each as a sentence in both languages."""
    problems = verify_bundle(path).problems
    for problem in problems:
        assert sentence(problem, "fr") != sentence(problem, "en")
    return [sentence(problem) for problem in problems]


@settings(deadline=None)
@given(st.lists(_KEPT, max_size=5), st.lists(_KEPT, max_size=3), st.sampled_from(["en", "fr"]))
def test_whatever_was_kept_holds(first: list[tuple[str, ...]], second: list[tuple[str, ...]], language: str) -> None:
    """Any receipts, exported as an archive or a folder, hold; the same receipts make the same bytes."""
    chains = {"a-1": chained("a-1", first), "a-2": chained("a-2", second)}  # type: ignore[arg-type]
    files = build("a-1", chains, language)
    assert files == build("a-1", chains, language)
    with tempfile.TemporaryDirectory() as place:
        for path in (zipped(files, Path(place)), laid_out(files, Path(place))):
            verdict = verify_bundle(path)
            assert verdict.problems == []
            assert [(chain.crisis_id, chain.head) for chain in verdict.chains] == [(k, c[-1].chain) for k, c in chains.items() if c]
    for number, (name, data) in enumerate([(n, d) for n, d in files.items() if n.startswith("files/")], 1):
        assert re.fullmatch(rf"files/{number:04d}\.(bin|json|eml|msg|txt|csv|png|jpg|gif|pdf|zip|gz|warc\.gz)", name), "of nobody's words"
        assert digest(data) == [*chains["a-1"], *chains["a-2"]][number - 1].sha256


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_any_changed_byte_is_seen(data: st.DataObject) -> None:
    """One byte of the archive changed, taken out or put in, anywhere: it does not hold, and a sentence says why."""
    with tempfile.TemporaryDirectory() as place:
        path = zipped(build("acme-2", two_chains(), stamp="given") | {TOKEN: b"token"}, Path(place))
        whole = path.read_bytes()
        at, byte = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
        how = data.draw(st.sampled_from(["change", "drop", "add"]))
        middle = {"change": bytes([whole[at] ^ byte]), "drop": b"", "add": bytes([byte, whole[at]])}[how]
        path.write_bytes(whole[:at] + middle + whole[at + 1 :])
        assert said(path)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_any_changed_byte_of_a_folder_is_seen(data: st.DataObject) -> None:
    """The same of a bundle that was unpacked."""
    with tempfile.TemporaryDirectory() as place:
        path = laid_out(build("acme-2", two_chains()), Path(place))
        file = data.draw(st.sampled_from(sorted(one for one in path.rglob("*") if one.is_file())))
        whole = file.read_bytes()
        at = data.draw(st.integers(0, len(whole) - 1))
        file.write_bytes(whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :])
        assert said(path)


def _altered(change: Callable[[list[Evidence]], list[Evidence]]) -> dict[str, bytes]:
    """Return a bundle of receipts that were changed by somebody who then made every sum anew."""
    chains = two_chains()
    return build("acme-2", chains | {"acme-2": change(chains["acme-2"])})


def test_altered_receipts_do_not_hold() -> None:
    """Whoever changes, drops or swaps receipts and then writes all sums anew is given away by the chain."""
    replace = msgspec.structs.replace
    for change, why in (
        (lambda c: [replace(c[0], by="eve"), *c[1:]], "acme-2/1: changed after it was sealed"),
        (lambda c: [c[0], *c[2:]], "acme-2/3: number 3 where 2 was to come"),
        (lambda c: [c[1], c[0], c[2]], "acme-2/2: number 2 where 1 was to come"),
        (lambda c: [c[0], replace(c[1], bytes_b64="RXZpbA=="), c[2]], "acme-2/2: its bytes are not those that were captured"),
        (lambda c: [c[0], seal(replace(c[1], by="eve"), c[1].previous), c[2]], "acme-2/3: does not follow the receipt before it"),
    ):
        with tempfile.TemporaryDirectory() as place:
            assert why in said(zipped(_altered(change), Path(place)))


def resummed(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files with sums made anew."""
    return files | {SUMS: sums({name: digest(data) for name, data in files.items() if name not in (SUMS, TOKEN)})}


@pytest.mark.parametrize("form", [zipped, laid_out])
def test_what_is_missing_or_too_much(form: Callable[[dict[str, bytes], Path], Path], tmp_path: Path) -> None:
    """A file too few or too many, a count that is wrong, a stamp that nobody asked for: each has its sentence."""
    files = build("acme-2", two_chains())
    forged = files["bundle.json"].replace(b'"receipts": 3', b'"receipts": 2')
    for number, (changed, why) in enumerate([
        ({k: v for k, v in files.items() if k != "files/0002.eml"}, "files/0002.eml: missing"),
        (resummed({k: v for k, v in files.items() if k != "files/0002.eml"}), "receipts.jsonl: line 2 has no file"),
        ({k: v for k, v in files.items() if k != SUMS}, "SHA256SUMS: missing"),
        ({k: v for k, v in files.items() if k != RECEIPTS}, "receipts.jsonl: missing"),
        (resummed(files | {"files/0002.txt": b"more"}), "receipts.jsonl: line 2 has several files"),
        (resummed(files | {"files/0009.txt": b"more"}), "files/0009.txt: no receipt is of this file"),
        (files | {"files/0009.txt": b"more"}, "files/0009.txt: not named in SHA256SUMS"),
        (files | {"virus.exe": b"more"}, "virus.exe: no file of a bundle"),
        (files | {TOKEN: b"x"}, "SHA256SUMS.tsr: there, though the bundle says that it has no time stamp"),
        (build("acme-2", two_chains(), stamp="given"), "SHA256SUMS.tsr: missing"),
        (resummed(files | {"bundle.json": forged}), "bundle.json: names other chains, numbers or last receipts than there are"),
        (resummed(files | {"bundle.json": b"[" * 9999}), "bundle.json: cannot be read, or is of a later Veille"),
        (resummed(files | {RECEIPTS: files[RECEIPTS] + b"{}\n"}), "receipts.jsonl: line 5 is no receipt as Veille writes it"),
        (resummed(files | {RECEIPTS: files[RECEIPTS].replace(b"{", b'{"x":1,', 1)}),
         "receipts.jsonl: line 1 is no receipt as Veille writes it"),
        (files | {SUMS: files[SUMS] + b"../../etc/passwd\n"}, "SHA256SUMS: line 9 is no sum"),
    ]):  # fmt: skip
        place = tmp_path / str(number)
        place.mkdir()
        assert why in said(form(changed, place))


def test_hostile_archives_do_no_harm(tmp_path: Path) -> None:
    """Paths that lead out, links, bombs, doubles and rubbish are told, and nothing is written anywhere."""
    files = build("acme-2", two_chains())
    link = zipfile.ZipInfo("files/0001.json")
    link.external_attr = 0o120777 << 16

    def write(path: Path, *more: tuple[str | zipfile.ZipInfo, bytes], form: int = zipfile.ZIP_STORED) -> Path:
        with zipfile.ZipFile(path, "w", form) as held:
            for name, content in (*files.items(), *more):
                if not (isinstance(name, str) and any(getattr(other, "filename", "") == name for other, _ in more)):
                    held.writestr(name, content)
        return path

    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = write(tmp_path / "twice.zip", ("bundle.json", b"{}"))
    for path, why in (
        (write(tmp_path / "out.zip", ("../../evil.txt", b"x")), "../../evil.txt: no file of a bundle"),
        (write(tmp_path / "root.zip", ("/etc/evil", b"x")), "/etc/evil: no file of a bundle"),
        (write(tmp_path / "steer.zip", ("\x1b[2J\u202e.txt", b"x")), "[2J .txt: no file of a bundle"),
        (write(tmp_path / "bomb.zip", ("files/0009.bin", b"0" * 10_000_000), form=zipfile.ZIP_DEFLATED),
         "files/0009.bin: compressed, encrypted or too large, so not read"),
        (write(tmp_path / "link.zip", (link, b"/etc/passwd")), "files/0001.json: a link or something else that is no plain file"),
        (twice, "bundle.json: there twice"),
    ):  # fmt: skip
        assert why in said(path)
    packed_anew = said(write(tmp_path / "anew.zip"))
    assert packed_anew == [
        "the archive is not laid out as Veille writes it: it was packed anew, or something was put around or between its files"
    ]
    for content in (b"", b"PK\x05\x06", b"no archive" * 100, b"PK\x03\x04" + b"\xff" * 300):
        (tmp_path / "rubbish.zip").write_bytes(content)
        assert said(tmp_path / "rubbish.zip") == ["it is neither a folder nor a zip archive that can be read"]
    assert {one.name for one in tmp_path.iterdir()} == {
        f"{n}.zip" for n in ("out", "root", "steer", "bomb", "link", "twice", "anew", "rubbish")
    }


def test_hostile_folders_do_no_harm(tmp_path: Path) -> None:
    """Links are not followed, pipes not waited for, folders in folders not entered."""
    path = laid_out(build("acme-2", two_chains()), tmp_path)
    secret = tmp_path / "secret"
    secret.write_bytes((path / "files" / "0001.json").read_bytes())
    (path / "files" / "0001.json").unlink()
    (path / "files" / "0001.json").symlink_to(secret)
    (path / "files" / "0002.eml").unlink()
    os.mkfifo(path / "files" / "0002.eml")
    (path / "more" / "deep").mkdir(parents=True)
    found = said(path)
    assert "files/0001.json: a link or something else that is no plain file" in found
    assert "files/0002.eml: a link or something else that is no plain file" in found
    assert "more: no file of a bundle" in found
    shutil.rmtree(path / "files")
    (path / "files").symlink_to(tmp_path)
    assert "files: no file of a bundle" in said(path)


def test_the_page_and_the_names_are_harmless() -> None:
    """What people and publishers wrote is shown as text: no tag, no link, no request, no name of a file."""
    bad = "\u202e<img src=x onerror=alert(1)>\"'&"
    chains = {"c-1": chained("c-1", [(bad, f"../../{bad}.html", f"javascript:{bad}", b"<html>", "", "x/y"), sample(bad)])}
    for language in ("en", "fr"):
        files = build("c-1", chains, language)
        page = files["index.html"].decode()
        assert [name for name in files if name.startswith("files/")] == ["files/0001.bin", "files/0002.json"]
        assert not {"<img", "<script", "\u202e"} & set(re.findall(r"<img|<script|\u202e", page))
        assert re.findall(r'(?:href|src)="([^"]*)"', page) == ["files/0001.bin", "files/0002.json"]
        assert "default-src 'none'" in page
        assert f'<html lang="{language}">' in page


def test_files_are_called_by_what_they_are() -> None:
    """Known forms have their ending, so that they open; nothing that would run."""
    receipt = chained("c-1", [("a", "x.html", "", b"", "", "x/y")])[0]
    for data, name, ending in (
        (b"\x89PNG\r\n\x1a\n..", "a.exe", "png"), (b"\xff\xd8\xff", "", "jpg"), (b"%PDF-1", "", "pdf"), (b"PK\x03\x04", "a.docx", "zip"),
        (gzip.compress(b"WARC/1.1"), "", "warc.gz"), (gzip.compress(b"other"), "", "gz"), (b"\x1f\x8b", "", "gz"), (b"MZ", "a.exe", "bin"),
        (b"Dear", "A.EML", "eml"), (b"<html>", "a.html", "bin"), (b"x", "csv", "csv"),
    ):  # fmt: skip
        assert file_name(7, 20_000, msgspec.structs.replace(receipt, name=name), data) == f"files/00007.{ending}"


def test_each_sentence_can_be_written() -> None:
    """Every word for a problem has two sentences that stay on one line."""
    for english, french in PROBLEMS.values():
        assert english != french
        assert plain(english, 999) == english


@pytest.mark.parametrize("language", ["en", "fr"])
def test_anybody_can_check_it_with_what_it_says(language: str, tmp_path: Path) -> None:
    """The commands of README.txt, run by a shell: each sum holds, and each line of the receipts gives its place in the chain."""
    if not shutil.which("sha256sum") or not shutil.which("sed"):
        pytest.skip("sha256sum or sed is missing")
    chains = two_chains()
    path = laid_out(build("acme-2", chains, language), tmp_path)
    told = re.findall(r"^ {5}(\S.*)$", (path / "README.txt").read_text("utf-8"), re.M)
    assert len(told) == 2, "no time stamp, so nothing is said of one"

    def shell(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, shell=True, cwd=path, capture_output=True, text=True)

    assert shell(told[0]).returncode == 0
    receipts = [receipt for chain in chains.values() for receipt in chain]
    shown = [shell(told[1].replace("1p", f"{number}p")).stdout.split()[0] for number in range(1, len(receipts) + 1)]
    assert shown == [receipt.chain for receipt in receipts]
    (path / "files" / "0002.eml").write_bytes(b"Dear!")
    assert shell(told[0]).returncode == 1
