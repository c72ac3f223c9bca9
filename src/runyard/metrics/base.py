"""What a metric gives."""

from runyard.evaluation.metrics import MetricValue, standard_aggregations

__all__ = ["MetricValue", "standard_aggregations"]
