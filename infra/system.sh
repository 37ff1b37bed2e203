#!/usr/bin/env bash
# Installs the foreign programs that the connected suites use, where they are missing (Debian and Ubuntu, as root).
set -euo pipefail

missing=()
need() { # need PROGRAM PACKAGE
    command -v "$1" >/dev/null || missing+=("$2")
}

if ! command -v java >/dev/null; then
    missing+=("default-jre-headless")
fi
need mvn maven
command -v chromium-browser >/dev/null || need chromium chromium
need kcat kcat
need openssl openssl
need promtool prometheus
need amtool prometheus-alertmanager

if [ "${#missing[@]}" -eq 0 ]; then
    echo "system: everything is there"
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "system: missing ${missing[*]}; install them as your system does (on Debian as root: apt-get install ${missing[*]})" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# A container may not start services while packages are installed; the programs are all that is wanted.
apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null || {
    echo "system: apt-get could not install ${missing[*]}" >&2
    exit 1
}
echo "system: installed ${missing[*]}"
