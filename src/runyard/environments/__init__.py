"""Python environments of models and projects: made once from what their files say, and found again afterwards."""

from runyard.environments.interpreters import Interpreter, find_interpreter
from runyard.environments.making import MANAGERS, Environment, prepare
from runyard.environments.own import own_package
from runyard.environments.spec import (
    EnvironmentSpec,
    from_requirements,
    read_conda_env,
    read_model_folder,
    read_python_env,
)

__all__ = [
    "MANAGERS",
    "Environment",
    "EnvironmentSpec",
    "Interpreter",
    "find_interpreter",
    "from_requirements",
    "own_package",
    "prepare",
    "read_conda_env",
    "read_model_folder",
    "read_python_env",
]
