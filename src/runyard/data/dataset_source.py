"""What every source of a dataset is, for programs that make kinds of their own."""

from runyard.client.datasets import DatasetSource

__all__ = ["DatasetSource"]
