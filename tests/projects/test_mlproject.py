"""What an MLproject says, what is wrong with one, and the command that comes of it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from runyard.exceptions import ExecutionException
from runyard.projects.execution import words_of
from runyard.projects.mlproject import EntryPoint, Parameter, Project, load_project, resolve_path
from tests.projects.conftest import write


def kept(parameter: Parameter, value: str) -> str:
    return value


def fetch(uri: str) -> str:
    return f"/fetched/{uri.rpartition('/')[2]}"


def test_a_whole_file_is_read(tmp_path):
    write(
        tmp_path,
        mlPROJECT="""
            name: wine
            python_env: environment.yaml
            entry_points:
              main:
                parameters:
                  alpha: float
                  l1_ratio: {type: float, default: 0.1}
                  data: {type: path, default: wine.csv}
                  name: {default: x}
                  bare:
                command: "python train.py {alpha} {l1_ratio}"
              check:
                command: "pytest"
            """,
        environment_yaml="python: '3.11'",
    )
    project = load_project(tmp_path)
    assert (project.name, project.environment, project.environment_file) == (
        "wine",
        "python_env",
        tmp_path / "environment.yaml",
    )
    assert list(project.entry_points) == ["main", "check"]
    assert project.get_entry_point("main").parameters == {
        "alpha": Parameter("alpha", "float"),
        "l1_ratio": Parameter("l1_ratio", "float", 0.1),
        "data": Parameter("data", "path", "wine.csv"),
        "name": Parameter("name", "string", "x"),
        "bare": Parameter("bare"),
    }
    assert project.environment_spec().python == "3.11"
    assert project.environment_spec().folder == tmp_path


@pytest.mark.parametrize(
    ("files", "environment", "file"),
    [
        ({}, "python_env", None),
        ({"conda_yaml": ""}, "conda_env", "conda.yaml"),
        ({"conda_yaml": "", "python_env_yaml": ""}, "python_env", "python_env.yaml"),
        ({"MLproject": "conda_env: conda.yaml", "conda_yaml": "", "python_env_yaml": ""}, "conda_env", "conda.yaml"),
    ],
)
def test_without_a_word_the_environment_is_that_of_the_files_beside_it(tmp_path, files, environment, file):
    project = load_project(write(tmp_path, **files))
    assert (project.environment, project.environment_file) == (environment, file and tmp_path / file)


def test_docker_says_its_image_volumes_and_variables(tmp_path):
    project = load_project(
        write(
            tmp_path,
            MLproject="""
                name: dock
                docker_env:
                  image: trainer:1
                  volumes: ["/data:/data"]
                  environment: ["TOKEN", ["MODE", "fast"]]
                """,
        )
    )
    assert project.docker_env == {
        "image": "trainer:1",
        "volumes": ["/data:/data"],
        "environment": ["TOKEN", ["MODE", "fast"]],
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("conda_env: a\ndocker_env: {image: b}", "multiple environment fields: docker_env, conda_env"),
        ("python_env: gone.yaml", r"specified python_env file .*gone\.yaml, but no such file was found"),
        ("docker_env: {volumes: []}", "no image attribute found"),
        ("docker_env: {image: a, volumes: b}", "Docker volumes must be a list of strings"),
        ("docker_env: {image: a, environment: [[b]]}", "environment must be a list containing"),
        ("entry_points: [main]", r"entry_points in .*MLproject must be keys and values"),
        ("entry_points: {main: {}}", "entry point 'main' in .* must have a command, got None"),
        (
            "entry_points: {main: {command: a, parameters: {x: [1]}}}",
            "parameter 'x' of entry point 'main' .*must be a type",
        ),
        ("a: [", "cannot be read"),
        ("- main", "must be keys and values"),
        ("databricks_spark_job: {}", "runs on Databricks only"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, text, told):
    with pytest.raises(ExecutionException, match=told):
        load_project(write(tmp_path, MLproject=text))


def test_a_key_that_means_nothing_is_told_of(tmp_path, capsys):
    load_project(write(tmp_path, MLproject="entrypoints: {}"))
    assert "says 'entrypoints', which means nothing here; it may say name, entry_points" in capsys.readouterr().err


def test_a_script_is_an_entry_point(tmp_path, monkeypatch):
    monkeypatch.setenv("SHELL", "/bin/zsh")
    write(tmp_path / "deep", train_py="", go_sh="")
    (tmp_path / "a b.R").touch()
    project = load_project(tmp_path)
    assert project.get_entry_point("deep/train.py").command == "python deep/train.py"
    assert project.get_entry_point("deep/go.sh").command == "/bin/zsh deep/go.sh"
    assert project.get_entry_point("a b.R").command == "Rscript -e \"mlflow::mlflow_source(''a b.R'')\" --args"
    with pytest.raises(ExecutionException, match=r"there is no script 'gone\.py' in "):
        project.get_entry_point("gone.py")
    with pytest.raises(ExecutionException, match=r"Could not find other among entry points \[\] or interpret other"):
        project.get_entry_point("other")


def entry_point(command: str = "run", **parameters: Any) -> EntryPoint:
    return EntryPoint("main", command, {name: Parameter(name, *said) for name, said in parameters.items()})


def test_the_command_has_its_parameters_filled_in_and_quoted_and_others_follow():
    main = entry_point("train {a} --b={b} '{{x}}'", a=("string",), b=("float", 0.5), c=("string", "unused"))
    command = main.command_line({"a": "x; rm -rf $HOME", "more": "it's", "--odd key": 1}, kept)
    assert shlex.split(command) == [
        "train", "x; rm -rf $HOME", "--b=0.5", "{x}", "--more", "it's", "----odd key", "1",
    ]  # fmt: skip
    assert main.values({"a": 1, "more": True}) == {"a": "1", "b": "0.5", "c": "unused", "more": "True"}


def test_a_name_in_the_command_that_is_no_parameter_is_told():
    for command in ("train {b}", "train {a.b}", "train {}", "train {a"):
        with pytest.raises(ExecutionException, match=r"the command of entry point 'main' names .*its parameters are a"):
            entry_point(command, a=("string",)).command_line({"a": 1}, kept)


def test_a_parameter_without_a_value_is_told():
    with pytest.raises(ExecutionException, match=r"No value given for missing parameters: 'a', 'b' .* say -P a=VALUE"):
        entry_point(a=("string",), b=("float",), c=("float", 1)).check({})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("float", "1e-3"),
        ("float", 2),
        ("float", "nan"),
        ("int", "-4"),
        ("int", 5),
        ("string", object()),
        ("uri", "s3://a"),
        ("bool", "perhaps"),
        ("list", "[1"),
    ],
)
def test_a_value_of_its_type_is_taken_and_one_of_an_unknown_type_whatever_it_is(kind, value):
    entry_point(a=(kind,)).check({"a": value})


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("float", "fast", "'a' is of type float and must be a number, got 'fast'"),
        ("float", "", "'a' is of type float and must be a number, got ''"),
        ("int", "2.5", "'a' is of type int and must be a whole number, got '2.5'"),
        ("int", True, "'a' is of type int and must be a whole number, got 'True'"),
        ("uri", "data.csv", "'a' must be a URI such as s3://bucket/file, got 'data.csv'"),
    ],
)
def test_a_value_of_another_type_is_refused(kind, value, told):
    with pytest.raises(ExecutionException, match=told):
        entry_point(a=(kind,)).check({"a": value})


def test_a_default_is_the_projects_own_business():
    entry_point(a=("float", "auto")).check({})


def test_a_path_starts_where_the_caller_is_and_a_default_at_the_project(tmp_path, monkeypatch):
    here, project = tmp_path / "here", Project(tmp_path / "project")
    for folder in (here, project.folder):
        write(folder, both_py="", **{f"{folder.name}_py": ""})
    monkeypatch.chdir(here)
    data = Parameter("data", "path", "both.py")

    def found(value: str, parameter: Parameter = Parameter("data", "path")) -> str:  # noqa: B008 - it is frozen
        return resolve_path(parameter, value, project, fetch)

    assert found("both.py") == str(here / "both.py")
    assert found("both.py", data) == str(project.folder / "both.py")
    assert found("project.py") == str(project.folder / "project.py")
    assert found((here / "here.py").as_uri()) == found(str(here / "here.py")) == str(here / "here.py")
    assert found("s3://bucket/data.csv") == "/fetched/data.csv"
    with pytest.raises(ExecutionException, match=r"Got value gone\.csv for parameter data, but no such file"):
        found("gone.csv")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("python train.py 'a; b' --x=1", ["python", "train.py", "a; b", "--x=1"]),
        ('python -c "print(1)"', ["sh", "-c", 'python -c "print(1)"']),
        ("a && b", ["sh", "-c", "a && b"]),
        ("A=1 b", ["sh", "-c", "A=1 b"]),
        ("echo $HOME", ["sh", "-c", "echo $HOME"]),
        ("echo '$HOME'", ["echo", "$HOME"]),
    ],
)
def test_a_container_needs_a_shell_only_for_what_a_shell_does(command, words):
    assert words_of(command) == words


def test_a_projects_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ExecutionException, match="cannot be read: No such file"):
        load_project(Path(tmp_path, "gone"))
