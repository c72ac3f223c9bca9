"""What is logged to runs, packed into as few requests as the protocol's limits allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from runyard.client.transport import Transport
from runyard.wire.base import Empty, TagInput
from runyard.wire.runs import (
    MAX_BATCH_BYTES,
    MAX_ITEMS_PER_BATCH,
    MAX_METRICS_PER_BATCH,
    MAX_PARAMS_PER_BATCH,
    MAX_TAGS_PER_BATCH,
    LogBatch,
    MetricPoint,
)

# How long what is logged in the background waits for more of it: a request for each point would cost the program what
# it is to be spared.
LINGER_S: Final = 0.1
# The numbers, names and quotes around what varies in length; more than they ever need.
_METRIC_BYTES: Final = 160
_PAIR_BYTES: Final = 40
# A character outside of ASCII may take as many bytes as this.
_BYTES_PER_CHARACTER: Final = 6


@dataclass
class Batch:
    """Things to log to one run, in their order."""

    metrics: list[MetricPoint] = field(default_factory=list)
    params: list[TagInput] = field(default_factory=list)
    tags: list[TagInput] = field(default_factory=list)
    size_bytes: int = 0

    def __bool__(self) -> bool:
        return bool(self.metrics or self.params or self.tags)

    def holds_more(self, other: Batch) -> bool:
        """Return whether ``other`` may be sent in the same request."""
        counts = [
            len(getattr(self, name)) + len(getattr(other, name)) <= limit
            for name, limit in (
                ("metrics", MAX_METRICS_PER_BATCH),
                ("params", MAX_PARAMS_PER_BATCH),
                ("tags", MAX_TAGS_PER_BATCH),
            )
        ]
        items = sum(len(each.metrics) + len(each.params) + len(each.tags) for each in (self, other))
        return (
            all(counts) and items <= MAX_ITEMS_PER_BATCH and self.size_bytes + other.size_bytes <= MAX_BATCH_BYTES * 0.9
        )

    def add(self, other: Batch) -> None:
        self.metrics += other.metrics
        self.params += other.params
        self.tags += other.tags
        self.size_bytes += other.size_bytes


def single(item: MetricPoint | TagInput, kind: str) -> Batch:
    """Return a batch of one thing; ``kind`` is metrics, params or tags."""
    if isinstance(item, MetricPoint):
        return Batch(metrics=[item], size_bytes=_METRIC_BYTES + _length(item.key))
    size_bytes = _PAIR_BYTES + _length(item.key) + _length(item.value or "")
    if kind == "params":
        return Batch(params=[item], size_bytes=size_bytes)
    return Batch(tags=[item], size_bytes=size_bytes)


def packed(
    metrics: Iterable[MetricPoint] = (), params: Iterable[TagInput] = (), tags: Iterable[TagInput] = ()
) -> Iterator[Batch]:
    """Give batches that each fit in one request; params go first, as what describes a run, then tags and metrics."""
    current = Batch()
    for kind, items in (("params", params), ("tags", tags), ("metrics", metrics)):
        for item in items:
            added = single(item, kind)
            if not current.holds_more(added):
                yield current
                current = Batch()
            current.add(added)
    if current:
        yield current


def send(transport: Transport, run_id: str, batch: Batch) -> None:
    """Log a batch to a run: all of it, or nothing where it is refused."""
    request = LogBatch(
        run_id=run_id, metrics=batch.metrics or None, params=batch.params or None, tags=batch.tags or None
    )
    # Sent twice, it is logged once: a point's whole content is its key, and the rest ends as it was last said.
    transport.request("POST", "runs/log-batch", request, Empty, is_idempotent=True)


def _length(text: str) -> int:
    return len(text) if text.isascii() else len(text) * _BYTES_PER_CHARACTER
