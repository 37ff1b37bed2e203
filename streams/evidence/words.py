"""What is said of receipts and bundles to people, in English and French."""

from __future__ import annotations

from collections.abc import Mapping

from streams.evidence.chain import Problem

_DIRECTIONS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
#: How much of a name, an address or a text is shown; the record holds all of it.
WIDE = 400

#: How a receipt came about: of a mention on a card, of the earliest mention, by a person's command.
WHAT = {
    "en": {"sample": "sample", "originator": "originator", "command": "capture"},
    "fr": {"sample": "extrait", "originator": "origine", "command": "capture"},
}
PROBLEMS: Mapping[str, tuple[str, str]] = {
    "two": ("{name}: two different receipts under one id", "{name} : deux reçus différents sous un même identifiant"),
    "number": ("{name}: number {found} where {wanted} was to come", "{name} : numéro {found} là où {wanted} devait suivre"),
    "name": ("{name}: the id does not say number {found}", "{name} : l'identifiant ne dit pas le numéro {found}"),
    "follows": ("{name}: does not follow the receipt before it", "{name} : ne suit pas le reçu qui le précède"),
    "changed": ("{name}: changed after it was sealed", "{name} : modifié après avoir été scellé"),
    "bytes": ("{name}: its bytes are not those that were captured", "{name} : ses octets ne sont pas ceux qui ont été capturés"),
    "no_zip": ("it is neither a folder nor a zip archive that can be read", "ce n'est ni un répertoire ni une archive zip lisible"),
    "packed": ("the archive is not laid out as Veille writes it: it was packed anew, or something was put around or between its files",
               "l'archive n'est pas disposée comme Veille l'écrit : refaite, ou quelque chose a été mis autour ou entre ses fichiers"),
    "foreign": ("{name}: no file of a bundle", "{name} : aucun fichier d'un dossier de preuves ne s'appelle ainsi"),
    "twice": ("{name}: there twice", "{name} : présent deux fois"),
    "link": ("{name}: a link or something else that is no plain file", "{name} : un lien, ou autre chose qu'un simple fichier"),
    "inflates": ("{name}: compressed, encrypted or too large, so not read", "{name} : comprimé, chiffré ou trop grand, donc pas lu"),
    "unreadable": ("{name}: cannot be read, or is damaged", "{name} : illisible ou endommagé"),
    "missing": ("{name}: missing", "{name} : manquant"),
    "unlisted": ("{name}: not named in SHA256SUMS", "{name} : pas nommé dans SHA256SUMS"),
    "sum": ("{name}: not the file that SHA256SUMS names", "{name} : pas le fichier que nomme SHA256SUMS"),
    "sum_line": ("{name}: line {found} is no sum", "{name} : la ligne {found} n'est pas une empreinte"),
    "sums": ("SHA256SUMS: not as Veille writes it", "SHA256SUMS : pas tel que Veille l'écrit"),
    "line": ("{name}: line {found} is no receipt as Veille writes it", "{name} : la ligne {found} n'est pas un reçu de Veille"),
    "no_file": ("{name}: line {found} has no file", "{name} : la ligne {found} n'a pas de fichier"),
    "many_files": ("{name}: line {found} has several files", "{name} : la ligne {found} a plusieurs fichiers"),
    "no_receipt": ("{name}: no receipt is of this file", "{name} : aucun reçu n'est de ce fichier"),
    "about": ("{name}: cannot be read, or is of a later Veille", "{name} : illisible, ou d'un Veille plus récent"),
    "heads": ("{name}: names other chains, numbers or last receipts than there are",
              "{name} : nomme d'autres chaînes, nombres ou derniers reçus que ceux qui sont là"),
    "not_asked": ("{name}: there, though the bundle says that it has no time stamp",
                  "{name} : présent, alors que le dossier dit n'en avoir aucun"),
    "stamp_broken": ("{name}: no time stamp that can be read", "{name} : aucun horodatage lisible"),
    "stamp_refused": ("{name}: the authority did not grant it", "{name} : l'autorité ne l'a pas accordé"),
    "stamp_none": ("there is no time stamp that the root certificate could vouch for",
                   "il n'y a pas d'horodatage dont le certificat racine pourrait répondre"),
    "stamp_other": ("{name}: a time stamp of something else than this SHA256SUMS",
                    "{name} : un horodatage d'autre chose que ce SHA256SUMS"),
    "stamp_asked": ("{name}: not the answer to what was asked", "{name} : pas la réponse à ce qui a été demandé"),
    "stamp_signed": ("{name}: not signed by an authority that the root certificate vouches for",
                     "{name} : pas signé par une autorité dont le certificat racine répond"),
}  # fmt: skip


def plain(text: str, limit: int = WIDE) -> str:
    r"""Return ``text`` on one line, without what steers a terminal or turns the direction of reading, at most ``limit`` characters.

    >>> plain("a\nb\u202e\x1b[1mc", 10)
    'a b [1mc'
    """
    line = " ".join("".join(c if c.isprintable() and c not in _DIRECTIONS else " " for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def sentence(problem: Problem, language: str = "en") -> str:
    """Return what is wrong as a sentence.

    >>> sentence(Problem("number", "acme-1/3", "3", "2"))
    'acme-1/3: number 3 where 2 was to come'
    """
    words = PROBLEMS[problem.word][language == "fr"]
    return words.format(name=plain(problem.name, 120), found=plain(problem.found, 120), wanted=plain(problem.wanted, 120))
