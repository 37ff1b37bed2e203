"""The image, Compose and the Kubernetes resources: as their own formats ask, and in step with Veille's settings, topics and users."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from infra.kafka import Missing
from infra.kafka.jars import fetch_jars, java
from schemas.topics import load_topics
from streams.settings import Settings, variables
from streams.sources.live.config import parse_sources

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
KUBERNETES = INFRA / "kubernetes"
#: Kinds of Strimzi, KEDA, the Prometheus operator and Kustomize: their schemas come with their operators, not with Kubernetes.
_FOREIGN = ("kafka.strimzi.io", "keda.sh", "monitoring.coreos.com", "kustomize.config.k8s.io")
_KUBERNETES_VERSION = "1.34"


def _resources() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(KUBERNETES.glob("*.yaml")):
        for resource in yaml.safe_load_all(path.read_text("utf-8")):
            yield path.name, resource


def _named(kind: str, name: str) -> dict[str, Any]:
    return next(resource for _, resource in _resources() if resource["kind"] == kind and resource["metadata"]["name"] == name)


def _compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((INFRA / "compose" / "compose.yaml").read_text("utf-8"))
    return found


def _settings(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings that a container with ``environment`` starts with; an unknown or wrong one raises."""
    for name in [name for name in os.environ if name.startswith("VEILLE_")]:
        monkeypatch.delenv(name)
    assert set(environment) <= set(variables())
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None)


def test_the_image_has_all_that_a_build_reads() -> None:
    """What the Dockerfile copies exists, is let through by its ignore file, and covers what pyproject.toml names."""
    text = (INFRA / "container" / "Dockerfile").read_text("utf-8")
    copied = [word for line in re.findall(r"^COPY (?!--)(.+)$", text, re.MULTILINE) for word in line.split()[:-1]]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    let_through = {
        line[1:] for line in (INFRA / "container" / "Dockerfile.dockerignore").read_text("utf-8").splitlines() if line.startswith("!")
    }
    assert let_through == set(copied)
    assert {"pyproject.toml", "README.md", "LICENSE", "streams", "schemas", "requirements/run.lock"} <= let_through


def test_a_wheel_made_of_what_the_image_copies_holds_every_file(tmp_path: Path) -> None:
    """Models, word lists, playbooks and templates travel: each file of the two packages that is kept in the repository is in the wheel."""
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    kept = []
    for room in ("schemas", "streams"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
        kept += [str(path.relative_to(ROOT)) for path in (ROOT / room).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "made")]
    built = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-2000:]
    (wheel,) = (tmp_path / "made").iterdir()
    held = set(zipfile.ZipFile(wheel).namelist())
    assert sorted(set(kept) - held)[:10] == []


def test_compose_is_as_its_specification_asks() -> None:
    """The published schema of the Compose format takes the file."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", "infra/compose/compose.yaml"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout[-2000:] + checked.stderr[-2000:]


def test_compose_starts_commands_with_settings_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each service of ours runs a command there is, with settings that Veille takes; ports are published on loopback alone."""
    for name, service in _compose()["services"].items():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name
        for mount in service.get("volumes", ()):
            source = re.sub(r"\$\{\w+:-(.*?)\}", r"\1", mount).split(":")[0]
            assert not source.startswith(".") or (INFRA / "compose" / source).exists(), mount
        if service["image"] != "veille":
            assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+", service["image"]), name
            continue
        settings = _settings({name: value for name, value in service["environment"].items() if name.startswith("VEILLE_")}, monkeypatch)
        assert settings.broker == "kafka:9092"
        words = [word for word in service["command"] if not word.startswith("/")]
        helped = [sys.executable, "-m", "streams.cli.main", *(word for word in words if not word.startswith("-")), "--help"]
        shown = subprocess.run(helped, cwd=ROOT, capture_output=True, text=True, check=False)
        assert shown.returncode == 0, shown.stderr
        assert all(word in shown.stdout for word in words if word.startswith("-"))


def test_compose_runs_the_kafka_that_the_suites_run() -> None:
    """One version of Kafka stands in both places."""
    pom = (INFRA / "kafka" / "pom.xml").read_text("utf-8")
    version = re.search(r"<kafka.version>(.+)</kafka.version>", pom)
    assert version is not None
    assert _compose()["services"]["kafka"]["image"] == f"apache/kafka:{version[1]}"


@pytest.mark.connected
def test_kafka_takes_the_settings_of_compose(tmp_path: Path) -> None:
    """Kafka's own storage tool reads them and formats a store (the image makes ``a.b`` of ``KAFKA_A_B``)."""
    try:
        libs, program = fetch_jars(), java()
    except Missing as missing:
        pytest.skip(str(missing))
    environment = _compose()["services"]["kafka"]["environment"]
    lines = {name.removeprefix("KAFKA_").lower().replace("_", "."): value for name, value in environment.items() if name != "CLUSTER_ID"}
    lines["log.dirs"] = str(tmp_path / "store")
    (tmp_path / "server.properties").write_text("".join(f"{name}={value}\n" for name, value in lines.items()), "utf-8")
    command = [program, "-cp", f"{libs}/*", "kafka.tools.StorageTool", "format", "-t", environment["CLUSTER_ID"], "-c", "server.properties"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-1000:]
    assert environment["CLUSTER_ID"] in (tmp_path / "store" / "meta.properties").read_text("utf-8")


def test_kubernetes_takes_the_resources() -> None:
    """Kubernetes's own schema, strictly: an unknown key is an error. What belongs to an operator is left to the next tests."""
    checked = 0
    for _, resource in _resources():
        if not resource["apiVersion"].startswith(_FOREIGN):
            kubernetes_validate.validate(resource, _KUBERNETES_VERSION, strict=True)
            checked += 1
    assert checked >= 5


def test_kustomize_names_every_file() -> None:
    """Nothing that lies in the folder is forgotten."""
    named = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text("utf-8"))["resources"]
    assert sorted(named) == sorted(path.name for path in KUBERNETES.glob("*.yaml") if path.name != "kustomization.yaml")


@pytest.mark.parametrize(
    ("kind", "name"), [("Deployment", "veille-worker"), ("Deployment", "veille-board"), ("StatefulSet", "veille-collect")]
)
def test_pods_start_with_settings_that_exist(kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are Veille's, certificates come from the secrets of our Strimzi users, and a stop has the time that it may take."""
    spec = _named(kind, name)["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    environment = {one["name"]: one["value"] for one in container.get("env", ())}
    for source in container["envFrom"]:
        environment |= _named("ConfigMap", source["configMapRef"]["name"])["data"]
    settings = _settings(environment, monkeypatch)
    mounted = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    secrets = {volume["name"]: volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
    others = {volume["name"] for volume in pod["volumes"] if "secret" not in volume}
    others |= {claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", ())}
    for path, keys in ((settings.ssl_cafile, {"ca.crt"}), (settings.ssl_certfile, {"user.crt"}), (settings.ssl_keyfile, {"user.key"})):
        folder, _, file = path.rpartition("/")
        assert folder in mounted
        assert file in keys
    users = {resource["metadata"]["name"] for _, resource in _resources() if resource["kind"] == "KafkaUser"}
    assert secrets.keys() | others == set(mounted.values())
    assert secrets["user"] in users
    assert pod.get("terminationGracePeriodSeconds", 30) > settings.engine.stop_grace_seconds
    (port,) = container["ports"]
    ports = {"veille-worker": settings.http.port, "veille-board": settings.board.port, "veille-collect": settings.collect.port}
    assert port["containerPort"] == ports[name]


def test_the_sources_of_the_cluster_can_be_used() -> None:
    """The shipped sources file holds, and the collector's state lies where the image lets it write."""
    assert [source.name for source in parse_sources(_named("ConfigMap", "veille-sources")["data"]["sources.yaml"], "sources.yaml")]
    image = (INFRA / "container" / "Dockerfile").read_text("utf-8")
    state = re.search(r"VEILLE_COLLECT__STATE=(\S+)", image)
    assert state is not None
    (container,) = _named("StatefulSet", "veille-collect")["spec"]["template"]["spec"]["containers"]
    assert state[1] in {mount["mountPath"] for mount in container["volumeMounts"]}
    assert f"collect:{state[1]}" in _compose()["services"]["collect"]["volumes"]
    assert f"10001 -g 10001 {state[1]}" in image


def test_the_scaler_counts_what_the_workers_read() -> None:
    """KEDA looks at the worker's group and input, keeps two, and makes no more workers than there are partitions."""
    spec = _named("ScaledObject", "veille-worker")["spec"]
    (trigger,) = spec["triggers"]
    topic = next(one for _, one in _resources() if one["kind"] == "KafkaTopic" and one["spec"]["topicName"] == "mentions.raw")
    assert trigger["metadata"]["topic"] in load_topics()
    assert trigger["metadata"]["consumerGroup"] == Settings.model_fields["group"].default
    assert trigger["metadata"]["bootstrapServers"] == _named("ConfigMap", "veille-worker")["data"]["VEILLE_BROKER"]
    assert spec["scaleTargetRef"]["name"] == _named("Deployment", "veille-worker")["metadata"]["name"]
    assert 2 == spec["minReplicaCount"] == _named("Deployment", "veille-worker")["spec"]["replicas"]
    assert spec["maxReplicaCount"] == topic["spec"]["partitions"]


@pytest.mark.system
def test_amtool_agrees() -> None:
    """Alertmanager's own checker takes the routes; a page and a ticket go where they should."""
    amtool = shutil.which("amtool")
    if amtool is None:
        pytest.skip("amtool is missing: make system installs it")
    file = str(INFRA / "alertmanager" / "alertmanager.yml")
    checked = subprocess.run([amtool, "check-config", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    for severity, receiver in (("page", "on-call"), ("ticket", "tickets")):
        routed = [amtool, "config", "routes", "test", f"--config.file={file}", f"severity={severity}"]
        assert subprocess.run(routed, capture_output=True, text=True, check=True).stdout.split() == [receiver]
