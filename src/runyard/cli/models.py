"""``runyard models``: saved models served, asked, and put into images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from runyard.cli.server import options_of
from runyard.settings import ServingSettings, load_serving_settings

F = TypeVar("F", bound=Callable[..., Any])

_SERVE_SHORT: Final = {"model_uri": "-m", "host": "-h", "port": "-p", "timeout_s": "-t", "workers": "-w"}
# What the parent of workers tells them, and what has a variable only.
_INTERNAL: Final = ("fetched_folder", "fetched_version", "model_config")
_MANAGERS: Final = ("local", "virtualenv", "uv", "conda")


def _model_option(*, is_required: bool = True) -> Callable[[F], F]:
    return click.option(
        "-m",
        "--model-uri",
        metavar="URI",
        required=is_required,
        help="models:/NAME/VERSION, models:/NAME@ALIAS, runs:/RUN_ID/NAME, a folder, or where it is kept.",
    )


def _environment_options(function: F) -> F:
    for option in (
        click.option("--install-mlflow", is_flag=True, help="For MLflow's sake: an environment always gets Runyard."),
        click.option(
            "--env-manager",
            type=click.Choice(_MANAGERS),
            default="local",
            show_default=True,
            help="Where the model runs: with the packages that are here, or in an environment made for it.",
        ),
    ):
        function = option(function)
    return function


def _image_options(function: F) -> F:
    for option in (
        click.option("--install-mlflow", is_flag=True, help="For MLflow's sake: an image always gets Runyard."),
        click.option("--install-java", is_flag=True, help="Put Java into the image too, for Spark's models."),
        click.option("--mlflow-home", metavar="PATH", help="Checkout of Runyard to install in place of this one."),
        click.option(
            "--env-manager",
            type=click.Choice(_MANAGERS),
            default="local",
            show_default=True,
            help="How the model's packages are installed; local, virtualenv and uv come to the same in an image.",
        ),
        _model_option(is_required=False),
    ):
        function = option(function)
    return function


@click.group()
def models() -> None:
    """Serve saved models, ask them, and put them into images.

    Models are named as programs name them. MLFLOW_TRACKING_URI says which server models:/ and runs:/ are looked up at.
    Loading a model runs code of whoever made it: serve what you trust.
    """


@models.command()
@options_of(ServingSettings, _SERVE_SHORT, without=_INTERNAL)
@_environment_options
@click.option("--no-conda", is_flag=True, help="An older spelling of --env-manager local.")
def serve(*, env_manager: str, install_mlflow: bool, no_conda: bool, **chosen: Any) -> None:
    """Serve a model over HTTP, by MLflow's protocol and the Open Inference Protocol.

    \b
    Serve version 1 of a registered model, and ask it:
      runyard models serve -m models:/iris-classifier/1 -p 5001
      curl http://127.0.0.1:5001/invocations -H 'Content-Type: application/json' \\
        -d '{"inputs": [[5.1, 3.5, 1.4, 0.2]]}'
    Serve whichever version is the champion, and change to the next without a pause:
      runyard models serve -m models:/iris-classifier@champion --watch
    With four processes, and with the packages that the model was saved with:
      runyard models serve -m models:/iris-classifier/1 -w 4 --env-manager uv

    Also there: /metrics for Prometheus, /docs, /openapi.json, /v2/health/ready. Ctrl-C, or SIGTERM, answers what was
    asked and stops.
    """
    settings = load_serving_settings(**chosen)
    if env_manager != "local" and not no_conda:
        from runyard.serving.run import serve_in

        raise SystemExit(serve_in(settings, env_manager))
    from runyard.serving.run import serve as serve_here

    serve_here(settings)


@models.command()
@_model_option()
@click.option("-i", "--input-path", metavar="FILE", help="JSON as for /invocations, or CSV; by default standard input.")
@click.option("-o", "--output-path", metavar="FILE", help="Where the predictions go; by default standard output.")
@click.option(
    "-t", "--content-type", type=click.Choice(["json", "csv"]), default="json", show_default=True, help="Of the input."
)
@_environment_options
@click.option(
    "-r",
    "--pip-requirements-override",
    metavar="LIST",
    help="Requirements, comma-separated, that the model's environment gets last: x==1.2,y==3.4.",
)
@click.option("--env", metavar="NAME=VALUE", multiple=True, help="Variable that the model's environment has.")
def predict(
    model_uri: str,
    input_path: str | None,
    output_path: str | None,
    content_type: Any,
    env_manager: str,
    install_mlflow: bool,
    pip_requirements_override: str | None,
    env: tuple[str, ...],
) -> None:
    """Ask a model once, and print its predictions as JSON.

    \b
      echo '{"inputs": [[5.1, 3.5, 1.4, 0.2]]}' | runyard models predict -m models:/iris-classifier/1
      runyard models predict -m models:/iris-classifier/1 -t csv -i rows.csv -o predictions.json
    """
    from runyard.serving import asking

    variables = {}
    for each in env:
        name, separator, value = each.partition("=")
        if not separator or not name:
            raise click.BadParameter(f"{each!r} is not NAME=VALUE", param_hint="--env")
        variables[name] = value
    requirements = (pip_requirements_override or "").split(",")
    asking.predict(
        model_uri,
        input_path=input_path,
        output_path=output_path,
        content_type=content_type,
        env_manager=env_manager,
        pip_requirements_override=[each.strip() for each in requirements if each.strip()],
        extra_envs=variables,
    )


@models.command()
@_model_option()
@_environment_options
def prepare_env(model_uri: str, env_manager: str, install_mlflow: bool) -> None:
    """Make the environment that a model is served in, so that serving starts at once.

    \b
      runyard models prepare-env -m models:/iris-classifier/1 --env-manager uv
    """
    from runyard.serving.asking import environment_of

    found = environment_of(model_uri, env_manager)
    click.echo(found.python)


@models.command()
@_image_options
@click.option(
    "-d",
    "--output-directory",
    metavar="FOLDER",
    default="mlflow-dockerfile",
    show_default=True,
    help="Where to write it.",
)
def generate_dockerfile(
    model_uri: str | None,
    output_directory: str,
    env_manager: str,
    mlflow_home: str | None,
    install_java: bool,
    install_mlflow: bool,
) -> None:
    """Write a Dockerfile, and all that it copies, of an image that serves a model at port 8080.

    Without a model, one is mounted at /opt/ml/model, and its packages are installed when the container starts.

    \b
      runyard models generate-dockerfile -m models:/iris-classifier/1 -d iris
      docker build --tag iris iris && docker run -p 5001:8080 iris
    """
    from runyard.serving.image import write_context

    write_context(
        Path(output_directory), model_uri, env_manager=env_manager, install_java=install_java, sources=mlflow_home
    )
    click.echo(output_directory)


@models.command()
@_image_options
@click.option("-n", "--name", default="mlflow-pyfunc-servable", show_default=True, help="Of the image.")
def build_docker(
    model_uri: str | None,
    name: str,
    env_manager: str,
    mlflow_home: str | None,
    install_java: bool,
    install_mlflow: bool,
) -> None:
    """Build an image that serves a model at port 8080, with the docker or podman of this machine.

    \b
      runyard models build-docker -m models:/iris-classifier/1 -n iris
      docker run -p 5001:8080 iris
    """
    from runyard.serving.image import build

    build(model_uri, name, env_manager=env_manager, install_java=install_java, sources=mlflow_home)


@models.command()
@_model_option()
@click.argument("operation", type=click.Choice(["add", "remove"]))
@click.argument("requirements", nargs=-1, required=True)
def update_pip_requirements(model_uri: str, operation: Any, requirements: tuple[str, ...]) -> None:
    """Add requirements to a model's requirements.txt and conda.yaml, or remove packages from them.

    The model is a folder, a logged model or the model of a run; a registered version does not change.

    \b
      runyard models update-pip-requirements -m runs:/3f1c…/model add pandas==2.3.0 scikit-learn
      runyard models update-pip-requirements -m model remove torchvision
    """
    from runyard.client.models import update_model_requirements

    update_model_requirements(model_uri, operation, requirements)
