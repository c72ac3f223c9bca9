"""Environments are made by the real uv, or by venv and pip, from packages that the tests make."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from runyard.environments import (
    Environment,
    EnvironmentSpec,
    Interpreter,
    find_interpreter,
    from_requirements,
    own_package,
    prepare,
    read_conda_env,
)
from runyard.environments.interpreters import known_interpreters, this_interpreter
from runyard.errors import ConfigurationError, InvalidParameter
from tests.environments.conftest import UV
from tests.wheels import make_wheel

MAKE = """
import sys
from runyard.environments import from_requirements, prepare
print(prepare(from_requirements([sys.argv[1]])).folder)
"""


def tiny(folder: Path, version: str = "1.0") -> EnvironmentSpec:
    folder.mkdir(exist_ok=True)
    wheel = make_wheel(folder, "tiny", version, f"VERSION = {version!r}")
    return from_requirements([f"./{wheel.name}"], folder=folder)


def answer(environment: Environment, code: str) -> str:
    return subprocess.run(environment.command("-c", code), capture_output=True, text=True, check=True).stdout.strip()


def without_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [folder for folder in os.environ["PATH"].split(os.pathsep) if not Path(folder, "uv").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join(kept))
    monkeypatch.setitem(sys.modules, "uv", None)


def program(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_an_environment_is_made_once_and_found_again(root, tmp_path, capfd):
    spec = tiny(tmp_path / "model")
    made = prepare(spec)
    assert made.folder is not None
    assert made.folder.parent == root
    assert answer(made, "import tiny; print(tiny.VERSION)") == "1.0"
    assert "runyard: making a Python" in capfd.readouterr().err
    assert prepare(spec) == made
    assert capfd.readouterr() == ("", "")
    assert prepare(tiny(tmp_path / "model", "1.1")) != made


def test_its_programs_come_first_on_path(root, tmp_path):
    made = prepare(tiny(tmp_path / "model"))
    told = subprocess.run(
        ["python", "-c", "import tiny, os; print(os.environ['VIRTUAL_ENV'])"],
        env={**os.environ, **made.variables()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == str(made.folder)
    assert made.run("-c", "import tiny, sys; sys.exit(7)") == 7


def test_what_was_left_half_made_is_made_anew(root, tmp_path):
    spec = tiny(tmp_path / "model")
    made = prepare(spec)
    assert made.folder is not None
    (made.folder / ".complete").unlink()
    (made.folder / "litter").touch()
    assert prepare(spec) == made
    assert not (made.folder / "litter").exists()


def test_an_environment_whose_python_was_removed_is_made_anew(root, tmp_path):
    spec = tiny(tmp_path / "model")
    made = prepare(spec)
    made.python.unlink()
    made.python.symlink_to(tmp_path / "gone")
    assert answer(prepare(spec), "import tiny; print(tiny.VERSION)") == "1.0"


def test_two_processes_that_ask_at_once_get_one_environment(root, tmp_path):
    wheel = make_wheel(tmp_path, "tiny", "1.0", "VERSION = '1.0'")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MAKE, str(wheel)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    told = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], told
    assert len({out for out, _ in told}) == 1
    assert sum(err.count("making a Python") for _, err in told) == 1


def test_what_fails_to_install_is_told_and_no_environment(root, tmp_path):
    spec = from_requirements(["./nonesuch-1.0-py3-none-any.whl"], folder=tmp_path)
    with pytest.raises(ConfigurationError, match=r"(?s)uv pip install .* ended with .*nonesuch"):
        prepare(spec)
    (tmp_path / "nonesuch-1.0-py3-none-any.whl").write_bytes(make_wheel(tmp_path, "nonesuch", "1.0", "").read_bytes())
    assert answer(prepare(spec), "import nonesuch; print('there')") == "there"


def test_what_is_extra_comes_last_and_replaces(root, tmp_path):
    spec = tiny(tmp_path / "model", "1.0")
    newer = make_wheel(tmp_path, "tiny", "2.0", "VERSION = '2.0'")
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "fresh.py").write_text("VALUE = 5")
    made = prepare(spec, extra=[str(newer)], paths=[sources])
    assert answer(made, "import tiny, fresh; print(tiny.VERSION, fresh.VALUE)") == "2.0 5"
    assert made != prepare(spec)


def test_packages_come_from_where_pip_is_told_unless_uv_is_told_otherwise(root, tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    for folder, version in ((here, "1.0"), (there, "2.0")):
        folder.mkdir()
        make_wheel(folder, "tiny", version, f"VERSION = {version!r}")
    spec = from_requirements(["tiny"], folder=tmp_path)
    monkeypatch.setenv("PIP_FIND_LINKS", f"{here} {tmp_path}/gone")
    assert answer(prepare(spec), "import tiny; print(tiny.VERSION)") == "1.0"
    monkeypatch.setenv("UV_FIND_LINKS", str(there))
    assert answer(prepare(spec, root=tmp_path / "others"), "import tiny; print(tiny.VERSION)") == "2.0"


def test_without_uv_pip_installs(root, tmp_path, monkeypatch):
    without_uv(monkeypatch)
    spec = tiny(tmp_path / "model")
    with pytest.raises(ConfigurationError, match="pip install uv"):
        prepare(spec, manager="uv")
    assert answer(prepare(spec), "import tiny; print(tiny.VERSION)") == "1.0"


def test_pythons_are_found_where_pyenv_and_uv_keep_them_and_on_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    older = program(tmp_path / "pyenv/versions/3.77.1/bin", "python", "")
    newer = program(tmp_path / "uv/cpython-3.77.12-linux-x86_64-gnu/bin", "python", "")
    # As pyenv's: a program of this name that finds no Python of this version.
    program(tmp_path / "shims", "python3.78", "#!/bin/sh\nexit 127\n")
    real = program(tmp_path / "bin", "python3.78", "#!/bin/sh\necho 3.78.2\n")
    monkeypatch.setenv("PATH", f"{tmp_path}/shims{os.pathsep}{tmp_path}/bin{os.pathsep}{os.environ['PATH']}")
    assert find_interpreter("3.77.1") == Interpreter("3.77.1", older)
    assert find_interpreter("3.77") == find_interpreter("3.77.3") == Interpreter("3.77.12", newer)
    assert find_interpreter("3.78") == Interpreter("3.78.2", real)
    assert find_interpreter("3.79") is None
    assert {Interpreter("3.77.1", older), this_interpreter()} <= set(known_interpreters())
    assert find_interpreter("3") == find_interpreter("{}.{}".format(*sys.version_info)) == this_interpreter()


def test_a_python_of_another_third_part_is_used_with_a_word(root, tmp_path, capfd):
    minor = "{}.{}".format(*sys.version_info)
    made = prepare(EnvironmentSpec(tmp_path, f"{minor}.99"))
    assert answer(made, "import sys; print('%d.%d' % sys.version_info[:2])") == minor
    assert f"Python {minor}.99 is asked for; {minor}." in capfd.readouterr().err


def test_a_python_that_is_not_there_is_told_with_those_that_are(root, tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"Python 3\.99 is asked for and is not on this machine, which has "
    ) as e:
        prepare(EnvironmentSpec(tmp_path, "3.99"))
    assert "{}.{}.{}".format(*sys.version_info) in e.value.message
    assert "uv python install 3.99" in e.value.message


def test_local_is_the_environment_of_this_process(root, tmp_path, monkeypatch):
    spec = from_requirements(["nonesuch"], folder=tmp_path)
    assert prepare(spec, manager="local") == Environment(Path(sys.executable))
    monkeypatch.setenv("MLFLOW_DISABLE_ENV_CREATION", "true")
    assert prepare(spec) == Environment(Path(sys.executable))
    assert not root.exists()


def test_an_unknown_manager_is_told(root, tmp_path):
    with pytest.raises(InvalidParameter, match="must be one of virtualenv, uv, conda, local, got 'system'"):
        prepare(EnvironmentSpec(tmp_path), manager="system")


def conda_file(folder: Path, *packages: str) -> Path:
    path = folder / "conda.yaml"
    path.write_text(f"dependencies: [{', '.join(packages)}]\n")
    return path


def test_a_conda_file_that_needs_no_conda_takes_none(root, tmp_path):
    wheel = make_wheel(tmp_path, "tiny", "1.0", "VERSION = '1.0'")
    spec = read_conda_env(conda_file(tmp_path, "python", f"{{pip: [./{wheel.name}]}}"))
    assert answer(prepare(spec, manager="conda"), "import tiny; print(tiny.VERSION)") == "1.0"


def test_without_conda_the_packages_it_would_install_are_named(root, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(UV))
    monkeypatch.delenv("CONDA_EXE", raising=False)
    spec = read_conda_env(conda_file(tmp_path, "python", "gdal=3.8", "r-base"))
    with pytest.raises(ConfigurationError, match=r"only conda installs: gdal=3\.8, r-base.*--env-manager conda"):
        prepare(spec)
    with pytest.raises(ConfigurationError, match=r"gdal=3\.8, r-base.*None of micromamba, mamba, conda is on PATH"):
        prepare(spec, manager="conda")


@pytest.mark.parametrize(
    ("name", "words"), [("micromamba", "create"), ("mamba", "env create"), ("conda", "env create")]
)
def test_conda_makes_what_only_it_can(root, tmp_path, monkeypatch, name, words):
    # A stand-in that does what conda's programs do with these words: none of them can be had from an index.
    home = tmp_path / "conda"
    program(
        home / "bin",
        name,
        f'#!/bin/sh\necho "$@" > {tmp_path}/told\nwhile [ "$1" != --prefix ]; do shift; done\n'
        f'mkdir -p "$2/bin" && ln -s {sys.executable} "$2/bin/python"\n',
    )
    monkeypatch.setenv("MLFLOW_CONDA_HOME", str(home))
    spec = read_conda_env(conda_file(tmp_path, "python", "gdal"))
    made = prepare(spec, manager="conda")
    assert (tmp_path / "told").read_text().split() == [
        *words.split(), "--prefix", str(made.folder), "--file", str(tmp_path / "conda.yaml"),
    ]  # fmt: skip
    assert made.variables()["CONDA_PREFIX"] == str(made.folder)
    (tmp_path / "told").unlink()
    assert prepare(spec, manager="conda") == made
    assert not (tmp_path / "told").exists()


def test_another_environment_can_be_given_this_very_package():
    requirements, paths = own_package()
    # The tests run from the sources.
    assert paths == [Path(__file__).parents[2] / "src"]
    assert any(line.startswith("msgspec") for line in requirements)
    assert not any("botocore" in line for line in requirements)
