"""What python_env.yaml, conda.yaml and requirements.txt say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runyard.environments import (
    EnvironmentSpec,
    from_requirements,
    read_conda_env,
    read_model_folder,
    read_python_env,
)
from runyard.errors import InvalidParameter
from tests.wheels import make_wheel


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_python_env_says_its_python_what_builds_and_what_runs(tmp_path):
    path = written(
        tmp_path,
        "python_env.yaml",
        "python: 3.10.13\nbuild_dependencies: [pip==24.0, wheel]\ndependencies:\n- -r requirements.txt\n- six\n",
    )
    written(tmp_path, "requirements.txt", "# ours\nnumpy>=1  # arrays\n\n-r more/other.txt\n")
    written(tmp_path, "more/other.txt", "-r third.txt\n-c limits.txt\npandas\n")
    written(tmp_path, "more/third.txt", "click\n")
    written(tmp_path, "more/limits.txt", "numpy<3\n")
    spec = read_python_env(path)
    assert (spec.python, spec.build_dependencies) == ("3.10.13", ("pip==24.0", "wheel"))
    assert spec.requirements() == ["numpy>=1", "click", "-c numpy<3", "pandas", "six"]
    assert spec.names() == {"pip", "wheel", "numpy", "click", "pandas", "six"}


def test_an_empty_python_env_is_the_python_that_runs(tmp_path):
    spec = read_python_env(written(tmp_path, "python_env.yaml", ""))
    assert (spec.python, spec.python_version) == (None, "{}.{}.{}".format(*sys.version_info))
    assert spec.requirements() == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("python: 3.10", "must be in quotes"),
        ("python: newest", "must be a version"),
        ("dependencies: six", "dependencies in .* must be a list"),
        ("build_dependencies: [1]", "build_dependencies in .* must be a list"),
        ("packages: [six]", "says packages, and may say"),
        ("[six]", "must hold keys and values"),
        ("a: [", "is no YAML"),
    ],
)
def test_what_is_wrong_with_a_python_env_is_told(tmp_path, text, told):
    with pytest.raises(InvalidParameter, match=told):
        read_python_env(written(tmp_path, "python_env.yaml", text))


def test_a_requirements_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InvalidParameter, match=r"nonesuch\.txt cannot be read"):
        from_requirements(["-r nonesuch.txt"], folder=tmp_path).requirements()


def test_a_conda_file_is_parted_into_what_pip_and_what_conda_installs(tmp_path):
    path = written(
        tmp_path,
        "conda.yaml",
        "name: x\nchannels: [conda-forge]\ndependencies:\n- python=3.10.13\n- pip<=24\n- gdal=3.8\n- r-base\n"
        "- pip:\n  - mlflow\n  - scikit-learn==1.3\n",
    )
    spec = read_conda_env(path)
    assert spec.python == "3.10.13"
    assert spec.build_dependencies == ("pip<=24",)
    assert spec.dependencies == ("mlflow", "scikit-learn==1.3")
    assert spec.conda_packages == ("gdal=3.8", "r-base")


@pytest.mark.parametrize(
    ("rule", "python"),
    [
        ("python=3.9", "3.9"),
        ("python==3.9.18", "3.9.18"),
        ("python", None),
        ("python>=3.6", None),
        ("python<=3.6", "3.6"),
    ],
)
def test_the_python_of_a_conda_file_is_the_one_that_runs_where_that_is_allowed(tmp_path, rule, python):
    assert read_conda_env(written(tmp_path, "conda.yaml", f"dependencies: ['{rule}']")).python == python


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dependencies: ['python<3.9']", "must name a version with =, ==, >= or <=, got <3.9"),
        ("dependencies: six", "must be a list"),
        ("dependencies: [{npm: [left-pad]}]", "must be a text or a list named pip"),
        ("dependencies: [{pip: six}]", "dependencies: pip in .* must be a list"),
    ],
)
def test_what_is_wrong_with_a_conda_file_is_told(tmp_path, text, told):
    with pytest.raises(InvalidParameter, match=told):
        read_conda_env(written(tmp_path, "conda.yaml", text))


def test_of_a_models_files_the_manager_chooses(tmp_path):
    with pytest.raises(InvalidParameter, match="does not say what it needs"):
        read_model_folder(tmp_path)
    written(tmp_path, "requirements.txt", "six\n")
    assert read_model_folder(tmp_path) == EnvironmentSpec(tmp_path, dependencies=("-r requirements.txt",))
    written(tmp_path, "conda.yaml", "dependencies: [python=3.9]")
    assert read_model_folder(tmp_path).python == "3.9"
    written(tmp_path, "python_env.yaml", "python: '3.10'")
    assert read_model_folder(tmp_path).python == "3.10"
    assert read_model_folder(tmp_path, manager="conda").python == "3.9"


def test_environments_are_told_apart_by_what_they_hold_not_by_where_that_is_written(tmp_path):
    one, other = (written(tmp_path / folder, "requirements.txt", "six\n").parent for folder in "ab")
    specs = [from_requirements(["-r requirements.txt"], folder=folder) for folder in (one, other)]
    assert specs[0].digest() == specs[1].digest()
    assert from_requirements(["-r requirements.txt"], folder=one, python="3.9").digest() != specs[0].digest()
    assert specs[0].digest("more") != specs[0].digest()
    written(tmp_path, "a/requirements.txt", "six<2\n")
    assert specs[0].digest() != specs[1].digest()


def test_a_package_beside_the_file_that_changes_is_another_environment(tmp_path):
    def digest(source: str) -> str:
        wheel = make_wheel(tmp_path, "tiny", "1.0", source)
        return from_requirements([f"./{wheel.name}"], folder=tmp_path).digest()

    assert digest("x = 1") == digest("x = 1") != digest("x = 2")
    package = written(tmp_path, "package/code.py", "x = 1").parent
    copied, linked = (from_requirements([line], folder=tmp_path) for line in ("./package", "-e ./package"))
    before = copied.digest(), linked.digest()
    (package / "code.py").write_text("x = 2")
    assert copied.digest() != before[0]
    assert linked.digest() == before[1]
