"""Runyard tracks machine-learning experiments and keeps, packages, serves and governs the models that come of them."""

__version__ = "0.1.0"
