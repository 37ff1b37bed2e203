"""Words of a bundle's page, in English and French."""

from __future__ import annotations

INDEX = {
    "en": {
        "title": "Evidence of", "colon": ":", "receipt": "receipt", "check": "How to check it without Veille: README.txt.",
        "chains": "Chains", "crisis": "crisis", "receipts": "receipts", "head": "hash of the last receipt", "number": "no.",
        "id": "receipt", "when": "captured (UTC)",
        "what": "what", "by": "by", "about": "of", "bytes": "bytes", "file": "file", "name": "file given as", "address": "address",
        "mention": "mention", "network": "network", "published": "published", "author": "author (keyed hash)",
        "given": "SHA256SUMS.tsr is a time stamp (RFC 3161) of SHA256SUMS.",
        "failed": "A time stamp was asked for and none was given: the bundle goes without one.",
        "none": "No time stamp was asked for.",
    },
    "fr": {
        "title": "Preuves de", "colon": "\u00a0:", "receipt": "reçu", "check": "Comment les vérifier sans Veille\u00a0: README.txt.",
        "chains": "Chaînes", "crisis": "crise", "receipts": "reçus", "head": "empreinte du dernier reçu", "number": "n°", "id": "reçu",
        "when": "capturé (UTC)", "what": "quoi", "by": "par", "about": "de", "bytes": "octets", "file": "fichier",
        "name": "fichier remis sous le nom", "address": "adresse", "mention": "mention", "network": "réseau", "published": "publié",
        "author": "auteur (empreinte à clé)",
        "given": "SHA256SUMS.tsr est un horodatage (RFC 3161) de SHA256SUMS.",
        "failed": "Un horodatage a été demandé et n'a pas été obtenu\u00a0: le dossier n'en a pas.",
        "none": "Aucun horodatage n'a été demandé.",
    },
}  # fmt: skip
