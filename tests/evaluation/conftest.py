"""Evaluations are logged where the client's tests log."""

from tests.client.conftest import place

__all__ = ["place"]
