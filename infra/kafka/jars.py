"""Kafka's jars, fetched once by Maven as `pom.xml` pins them, and the Java that runs them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
POM = (HERE / "pom.xml").read_text("utf-8")
VERSION = re.findall(r"<kafka\.version>([^<]+)<", POM)[0]
#: Where the jars are kept between runs; never in git.
LIBS = Path(os.environ.get("VEILLE_KAFKA_LIBS", HERE.parent.parent / ".venv" / f"kafka-{VERSION}"))
_MAVEN_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


class Missing(RuntimeError):
    """Java or Maven is not installed, or did not do its work; the message says what to do."""


def java() -> str:
    """Return the path of ``java`` (``JAVA_HOME`` first). Raises `Missing`."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    found = found or shutil.which("java")
    if found is None:
        raise Missing("Kafka needs Java 17 or newer: install it (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME")
    return found


def fetch_jars(libs: Path = LIBS) -> Path:
    """Copy the pinned jars into ``libs`` once and return it. Raises `Missing`."""
    stamp = libs / "complete"
    if stamp.is_file() and stamp.read_text("utf-8") == POM:
        return libs
    maven = shutil.which("mvn")
    if maven is None:
        raise Missing("Maven fetches Kafka's jars the first time: install it (Debian: apt-get install maven)")
    libs.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="jars-", dir=libs.parent))
    try:
        command = [maven, "-q", "-B", "-f", str(HERE / "pom.xml"), _MAVEN_GOAL, f"-DoutputDirectory={fresh}", "-DincludeScope=runtime"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not list(fresh.glob("kafka_2.13-*.jar")):
            raise Missing(f"Maven could not fetch Kafka {VERSION}:\n{(done.stdout + done.stderr)[-2000:]}")
        (fresh / "complete").write_text(POM, "utf-8")
        shutil.rmtree(libs, ignore_errors=True)
        fresh.rename(libs)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return libs
