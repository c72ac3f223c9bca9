"""Models that users write."""

from runyard.models.python_model import PythonModel, PythonModelContext
from runyard.pyfunc import get_default_conda_env, get_default_pip_requirements

__all__ = ["PythonModel", "PythonModelContext", "get_default_conda_env", "get_default_pip_requirements"]
