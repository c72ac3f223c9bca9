"""Where projects are executed; a module a backend, and `loader` for those of other packages."""

from runyard.projects.backend.abstract_backend import AbstractBackend

__all__ = ["AbstractBackend"]
