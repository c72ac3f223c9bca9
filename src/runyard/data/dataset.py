"""What every dataset is, for programs that make kinds of their own."""

from runyard.client.datasets import Dataset

__all__ = ["Dataset"]
