"""``runyard run``."""

from __future__ import annotations

import json
from typing import Any

import click

from runyard.cli.connection import choose


@click.command()
@click.argument("uri", metavar="URI")
@click.option(
    "-e",
    "--entry-point",
    metavar="NAME",
    default="main",
    show_default=True,
    help="Entry point of the MLproject, or a script of the project: .py, .sh or .R.",
)
@click.option("-v", "--version", metavar="VERSION", help="Branch, tag or commit to run, where the project is in git.")
@click.option(
    "-P",
    "--param-list",
    "params",
    metavar="NAME=VALUE",
    multiple=True,
    help="A parameter; may be repeated. One that the entry point does not name is given to its command as an option.",
)
@click.option(
    "-A",
    "--docker-args",
    metavar="NAME[=VALUE]",
    multiple=True,
    help="An option of docker run, such as gpus=all or t; may be repeated.",
)
@click.option(
    "--experiment-name",
    metavar="NAME",
    help="Experiment to record the run in; made where there is none.  [env: RUNYARD_EXPERIMENT_NAME, "
    "MLFLOW_EXPERIMENT_NAME]",
)
@click.option(
    "--experiment-id",
    metavar="ID",
    help="The same by its id.  [env: RUNYARD_EXPERIMENT_ID, MLFLOW_EXPERIMENT_ID]",
)
@click.option(
    "-b",
    "--backend",
    metavar="NAME",
    default="local",
    show_default=True,
    help="Where to run it: local, kubernetes, or what an installed package offers.",
)
@click.option(
    "-c",
    "--backend-config",
    metavar="FILE",
    help="What the backend needs to know: a file that ends in .json, or the JSON itself.",
)
@click.option(
    "--env-manager",
    metavar="NAME",
    help="What makes the project's environment: virtualenv, uv or conda; local takes the one that is there.  "
    "[default: what the project says]",
)
@click.option(
    "--storage-dir",
    metavar="FOLDER",
    envvar="MLFLOW_TMP_DIR",
    help="Where parameters of type path are fetched to; by default for as long as the project runs.  "
    "[env: MLFLOW_TMP_DIR]",
)
@click.option("--run-id", metavar="ID", help="Use this run instead of a new one.")
@click.option("--run-name", metavar="NAME", help="Name of the run; by default the server invents one.")
@click.option(
    "--build-image",
    is_flag=True,
    help="Build an image with the project's files on the one that its docker_env names, and run that.",
)
@click.option(
    "--tracking-uri",
    metavar="URI",
    help="Server or database to record the run in.  [default: the database that runyard server would use here; env: "
    "RUNYARD_TRACKING_URI, MLFLOW_TRACKING_URI]",
)
def run(
    uri: str,
    entry_point: str,
    version: str | None,
    params: tuple[str, ...],
    docker_args: tuple[str, ...],
    experiment_name: str | None,
    experiment_id: str | None,
    backend: str,
    backend_config: str | None,
    env_manager: str | None,
    storage_dir: str | None,
    run_id: str | None,
    run_name: str | None,
    build_image: bool,
    tracking_uri: str | None,
) -> None:
    """Run a project, and record what was run, with which parameters, and how it ended.

    URI is a folder, a zip file or a git repository, here or elsewhere; #FOLDER after it is the project's folder in it.

    \b
    The project of this folder, its parameters as its MLproject has them:
      runyard run .
      runyard run . -P alpha=0.4 -P l1_ratio=0.1
    A script, in the environment that is there:
      runyard run . -e train.py --env-manager local
    A branch of a repository, recorded in an experiment of its own:
      runyard run https://git.example.com/models.git#wine -v nightly --experiment-name wine
    As a Job of Kubernetes:
      runyard run . -b kubernetes -c kubernetes.json

    The exit status is 0 where the project succeeded, and 1 where it failed, was killed or could not be run.
    """
    from runyard import projects
    from runyard.client.connections import set_tracking_uri

    if experiment_id is not None and experiment_name is not None:
        raise click.UsageError("Specify only one of 'experiment-name' or 'experiment-id' options.")
    if backend == "kubernetes" and backend_config is None:
        raise click.UsageError("Specify 'backend_config' when using kubernetes mode.")
    parameters = _named(params, "-P")
    arguments = _named(docker_args, "-A", may_be_bare=True)
    config: Any = backend_config
    if backend_config is not None and not backend_config.endswith(".json"):
        try:
            config = json.loads(backend_config)
        except ValueError as error:
            raise click.UsageError(f"Invalid backend config JSON. Parse error: {error}") from None
    set_tracking_uri(choose(tracking_uri))
    try:
        projects.run(
            uri,
            entry_point,
            version,
            parameters=parameters,
            docker_args=arguments,
            experiment_name=experiment_name,
            experiment_id=experiment_id,
            backend=backend,
            backend_config=config,
            storage_dir=storage_dir,
            # Those of other packages end when they have submitted it, as their users know.
            synchronous=backend in {"local", "kubernetes"},
            run_id=run_id,
            run_name=run_name,
            env_manager=env_manager,
            build_image=build_image,
        )
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _named(given: tuple[str, ...], option: str, *, may_be_bare: bool = False) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not name or not (equals or may_be_bare):
            raise click.UsageError(f"Invalid format for {option} parameter: '{each}'. Use {option} name=value.")
        if name in named:
            raise click.UsageError(f"Repeated parameter: '{name}'")
        named[name] = value if equals else True
    return named
