"""The image and the compose file, as far as a machine without a container engine can tell.

A linter and a parser of the compose format read them, and what the container would run is run: the image's own entry
point with its variables and no others, in the environment that the Dockerfile's locks make.
"""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from runyard.cli import main as runyard_cli
from tests.object_stores import SeaweedFS
from tests.ports import free_port
from tests.server.http import make_run, send

ROOT = Path(__file__).parent.parent.parent
IMAGE = ROOT / "deploy/image"
COMPOSE = ROOT / "deploy/compose"
ENVIRONMENT = ROOT / ".venvs/image"
TIMEOUT_S = 60

CHOSEN = {"POSTGRES_PASSWORD": "p-1", "S3_SECRET_KEY": "s-2", "GRAFANA_PASSWORD": "g-3"}

Instruction = tuple[str, str]


def stages() -> list[list[Instruction]]:
    """Return the instructions of each stage of the Dockerfile; the first list is what stands before them."""
    text = re.sub(r"^\s*#.*\n", "", (IMAGE / "Dockerfile").read_text(), flags=re.MULTILINE)
    found: list[list[Instruction]] = [[]]
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            if word == "FROM":
                found.append([])
            found[-1].append((word, rest))
    return found


def last(word: str) -> str:
    """Return what the image says last with an instruction."""
    return [rest for found, rest in stages()[-1] if found == word][-1]


def image_variables() -> dict[str, str]:
    return dict(part.split("=", 1) for part in last("ENV").split())


def image_environment(data: Path, port: int) -> dict[str, str]:
    """Return the container's variables with its folders where they are here, on loopback."""
    variables = {
        name: value.replace("/opt/runyard", str(ENVIRONMENT)).replace("/data", str(data))
        for name, value in image_variables().items()
    }
    return {**variables, "RUNYARD_HOST": "127.0.0.1", "RUNYARD_PORT": str(port)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """What is mounted at /data."""
    assert (ENVIRONMENT / "bin/runyard").exists(), "the image's environment is missing: make environments makes it"
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def user() -> tuple[int, int]:
    number, _, group = last("USER").partition(":")
    return int(number), int(group)


def run(data: Path, *command: str, port: int = 5000) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [IMAGE / "entrypoint.sh", *command],
        cwd=data,
        env=image_environment(data, port),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@contextmanager
def container(data: Path, **variables: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Start the server by the entry point with the Dockerfile's command; yield its port and process."""
    port = free_port()
    process = subprocess.Popen(
        [IMAGE / "entrypoint.sh", *json.loads(last("CMD"))],
        cwd=data,
        env={**image_environment(data, port), **variables},
        stdin=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            try:
                if send(port, "GET", "/livez").status == 200:
                    break
            except OSError:
                pass
            assert process.poll() is None, "the server ended at its start"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.05)
        yield port, process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(TIMEOUT_S)


def ignored(path: str) -> bool:
    """Tell whether .dockerignore keeps a path from the build; the last line that fits it or a folder above decides."""
    parts = path.split("/")
    candidates = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]
    is_ignored = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!")
            if any(
                fnmatch.fnmatchcase(each, pattern) or fnmatch.fnmatchcase(f"/{each}", pattern.replace("**/", "*/"))
                for each in candidates
            ):
                is_ignored = not line.startswith("!")
    return is_ignored


def compose() -> dict[str, Any]:
    """Return the compose file with its variables filled in, as the passwords of example.env were chosen."""

    def fill(match: re.Match[str]) -> str:
        name, operator, default = match[1], match[2], match[3]
        if operator == ":?":
            return CHOSEN[name]
        return str(default)

    text = re.sub(r"\$\{(\w+)(:[?-])([^}]*)\}", fill, (COMPOSE / "compose.yaml").read_text())
    # What is not understood in full is an error, a key with a wrong name too.
    compose_spec.PyCompose.from_yaml(text)
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def test_the_linter_finds_the_dockerfile_good() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    linted = subprocess.run(
        [hadolint, "--failure-threshold", "style", IMAGE / "Dockerfile"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert (linted.returncode, linted.stdout, linted.stderr) == (0, "", "")


def test_shellcheck_finds_the_entry_point_good() -> None:
    checked = subprocess.run(
        ["shellcheck", IMAGE / "entrypoint.sh"], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "")


def test_the_base_is_pinned_and_what_builds_stays_behind() -> None:
    before, build, final = stages()
    (base,) = [rest.partition("=")[2] for word, rest in before if word == "ARG"]
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", base)
    assert [stage[0][1] for stage in (build, final)] == ["${PYTHON_IMAGE} AS build", "${PYTHON_IMAGE}"]
    copied = [rest for word, rest in final if word == "COPY"]
    assert copied == [
        "--from=build /opt/runyard /opt/runyard",
        "--chmod=0755 deploy/image/entrypoint.sh /usr/local/bin/entrypoint.sh",
    ]


def test_nothing_is_installed_that_is_not_locked() -> None:
    commands = [
        part.strip() for stage in stages() for word, rest in stage if word == "RUN" for part in rest.split(" && ")
    ]
    installs = [command for command in commands if re.search(r"\bpip (?:install|sync)\b", command)]
    assert len(installs) == 3
    for command in installs:
        assert "--require-hashes" in command or "--no-deps --build-constraints" in command, command
    assert not [command for command in commands if re.search(r"\b(?:apt-get|curl|wget|npm|git)\b", command)]


def test_it_does_not_run_as_root_and_has_a_health_check() -> None:
    number, group = user()
    assert number >= 10000
    assert group >= 10000
    assert json.loads(last("ENTRYPOINT")) == ["/usr/local/bin/entrypoint.sh"]
    assert "CMD [" in last("HEALTHCHECK")
    assert last("EXPOSE") == image_variables()["RUNYARD_PORT"] == "5000"


def test_the_build_gets_what_it_copies_and_no_more() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    ).stdout.split("\n")
    sent = {path for path in tracked if path and not ignored(path)}
    named = [
        source
        for stage in stages()
        for word, rest in stage
        if word == "COPY" and not rest.startswith("--from")
        for source in re.sub(r"--\S+ ", "", rest).split()[:-1]
    ]
    for source in named:
        assert source in sent or any(path.startswith(f"{source}/") for path in sent), source
    unused = {path for path in sent if not any(path == source or path.startswith(f"{source}/") for source in named)}
    assert unused == set()
    for path in (".git/config", "deploy/compose/.env", "tests/conftest.py", "ui/node_modules/x/y.js", "runyard.db"):
        assert ignored(path), path
    assert ignored("src/runyard/store/__pycache__/runs.pyc")


def test_the_lock_of_the_image_holds_what_the_server_runs_on() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9-]+==[^ ]+", (ROOT / f"requirements/{name}.txt").read_text(), re.MULTILINE))

    assert pins("runtime") <= pins("image")


@pytest.mark.slow
def test_the_container_serves_is_healthy_and_stops_when_it_is_told(data: Path) -> None:
    check = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    with container(data) as (port, process):
        run_id = make_run(port)
        assert send(port, "PUT", f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/a.txt", b"a").status == 200
        assert b"<html" in send(port, "GET", "/").body
        assert run(data, *check, port=port).returncode == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT_S) == 0
    assert run(data, *check, port=port).returncode == 1
    # Nothing but what /data is for was written.
    written = {path.name for path in data.iterdir()}
    assert {"runyard.db", "artifacts"} <= written
    assert {name for name in written if not name.startswith("runyard.db")} == {"artifacts"}


@pytest.mark.slow
def test_each_command_of_runyard_is_one_of_the_image(data: Path) -> None:
    (data / "bin").mkdir()
    told = data / "bin/runyard"
    told.write_text('#!/bin/sh\necho "runyard $*"\n')
    told.chmod(0o755)
    environment = image_environment(data, 5000)
    for command in runyard_cli.commands:
        answer = subprocess.run(
            [IMAGE / "entrypoint.sh", command, "--help"],
            env={**environment, "PATH": f"{told.parent}:{environment['PATH']}"},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=True,
        )
        assert answer.stdout == f"runyard {command} --help\n"
    assert "No such command 'surver'" in run(data, "surver").stderr
    assert run(data, "sh", "-c", "echo any program").stdout == "any program\n"


@pytest.mark.slow
@pytest.mark.postgres
def test_what_people_call_in_a_pod_is_in_the_image(data: Path, postgres_url: str) -> None:
    refused = run(data, "--version-of-nothing")
    assert (refused.returncode, "No such option" in refused.stderr) == (2, True)
    assert "--backend-store-uri" in run(data, "--help").stdout
    assert run(data, "db", "check", "sqlite:///none.db").returncode == 1
    plain = postgres_url.replace("postgresql+psycopg", "postgresql")
    connected = run(data, "python", "-c", f"import psycopg2; psycopg2.connect({plain!r}); print('connected')")
    assert (connected.stdout, connected.stderr) == ("connected\n", "")
    assert run(data, "aws", "--version").stdout.startswith("aws-cli/")
    assert run(data, "env").stdout.count("RUNYARD_") == 4


def test_the_compose_file_asks_for_passwords_and_pins_its_images() -> None:
    services = compose()["services"]
    assert services.keys() == {"server", "postgres", "s3", "bucket", "prometheus", "grafana"}
    for name, service in services.items():
        assert re.search(r":v?\d+\.\d+", service["image"]), f"{name} has no version"
        assert service["security_opt"] == ["no-new-privileges:true"], name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is open to everybody"
    asked = set(re.findall(r"\$\{(\w+):\?", (COMPOSE / "compose.yaml").read_text()))
    example = (COMPOSE / "example.env").read_text()
    assert asked == set(re.findall(r"^(\w+)=$", example, re.MULTILINE)) == CHOSEN.keys()
    optional = set(re.findall(r"\$\{(\w+):-", (COMPOSE / "compose.yaml").read_text()))
    assert optional == set(re.findall(r"^# (\w+)=", example, re.MULTILINE))


def test_a_compose_file_with_a_mistake_is_noticed() -> None:
    for mistake in ("portz: [1]", "restart: sometimes", "depends_on: {b: {condition: service_heathy}}"):
        with pytest.raises(ValueError, match=r"services\.a"):
            compose_spec.PyCompose.from_yaml(f"services:\n  a:\n    image: x:1\n    {mistake}\n")


def test_what_the_compose_file_mounts_is_there() -> None:
    loaded = compose()
    volumes = set()
    for name, service in loaded["services"].items():
        for mount in service.get("volumes", []):
            source = mount.partition(":")[0]
            if source.startswith("."):
                assert (COMPOSE / source).exists(), f"{name}: {source}"
                assert mount.endswith(":ro"), f"{name}: {source}"
                # A link would lead out of what is mounted.
                assert not any(each.is_symlink() for each in [COMPOSE / source, *(COMPOSE / source).rglob("*")]), source
            else:
                volumes.add(source)
        for needed in service.get("depends_on", []):
            assert needed in loaded["services"], name
    assert volumes == loaded["volumes"].keys()
    assert (COMPOSE / loaded["services"]["server"]["build"]["context"]).resolve() == ROOT
    assert json.loads(loaded["configs"]["s3"]["content"])["identities"][0]["credentials"] == [
        {"accessKey": "mlflow", "secretKey": CHOSEN["S3_SECRET_KEY"]}
    ]


@pytest.mark.prometheus
def test_promtool_finds_the_compose_files_prometheus_good(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy/observability/prometheus", tmp_path / "rules")
    shutil.copy(COMPOSE / "prometheus.yml", tmp_path)
    checked = subprocess.run(
        ["promtool", "check", "config", tmp_path / "prometheus.yml"],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert "2 rule files found" in checked.stdout


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    provisioning = ROOT / "deploy/observability/grafana/provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load((provisioning / "dashboards/mlflow.yaml").read_text())["providers"]
    mounts = dict(mount.split(":")[:2] for mount in compose()["services"]["grafana"]["volumes"])
    assert mounts["../chart/files/grafana"] == provider["options"]["path"]


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.cloud
def test_the_server_runs_with_what_the_compose_file_tells_it(
    data: Path, postgres_url: str, seaweedfs: SeaweedFS
) -> None:
    services = compose()["services"]
    # Where things are here, and whom they know.
    here = {
        "AWS_ENDPOINT_URL": seaweedfs.url,
        "AWS_ACCESS_KEY_ID": seaweedfs.ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": seaweedfs.SECRET_KEY,
    }
    (command,) = services["bucket"]["command"]
    for _ in range(2):
        made = subprocess.run(
            [*services["bucket"]["entrypoint"], command],
            cwd=data,
            env={**image_environment(data, 5000), **services["bucket"]["environment"], **here},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert made.returncode == 0, made.stderr

    told = {name: str(value) for name, value in services["server"]["environment"].items()}
    assert told["RUNYARD_BACKEND_STORE_URI"] == "postgresql://mlflow@postgres:5432/mlflow"
    assert told["RUNYARD_ARTIFACTS_DESTINATION"].startswith("s3://mlflow/")
    with container(data, **{**told, **here, "RUNYARD_BACKEND_STORE_URI": postgres_url}) as (port, _):
        path = f"/api/2.0/mlflow-artifacts/artifacts/0/{make_run(port)}/artifacts/a.txt"
        assert send(port, "PUT", path, b"text").status == 200
        assert send(port, "GET", path).body == b"text"
        assert send(port, "GET", "/readyz").status == 200
        for host, status in (("server:5000", 200), ("localhost:5000", 200), ("evil.example.com", 403)):
            assert send(port, "GET", "/metrics", headers={"Host": host}).status == status, host
    assert list(data.iterdir()) == []
