"""CPU, memory, disk and network of this machine, and NVIDIA's GPUs, measured while a run is active."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from runyard.entities import Metric, Run
from runyard.errors import ConfigurationError, RunyardError
from runyard.settings import load_client_settings

_log: Final = logging.getLogger(__name__)
_MEGABYTE: Final = 1e6
STOP_TIMEOUT_S: Final = 30

# What the program set itself counts before the environment.
_chosen: Final[dict[str, Any]] = {}
_running: Final[dict[str, SystemMetricsMonitor]] = {}


def enable_system_metrics_logging() -> None:
    """Measure the machine during every run that is started from now on."""
    _chosen["system_metrics"] = True


def disable_system_metrics_logging() -> None:
    _chosen["system_metrics"] = False


def set_system_metrics_sampling_interval(interval: float | None) -> None:
    """Set how many seconds pass between two measurements; None goes back to the environment's or the default."""
    _chosen["system_metrics_interval_s"] = interval


def set_system_metrics_samples_before_logging(samples: int | None) -> None:
    """Set of how many measurements each logged point is the mean."""
    _chosen["system_metrics_samples"] = samples


def set_system_metrics_node_id(node_id: str | None) -> None:
    """Name this machine in its metrics, where several log to one run."""
    _chosen["system_metrics_node_id"] = node_id


def wanted(asked: bool | None) -> SystemMetricsMonitor | None:
    """Return a monitor if one is asked for, here or by the settings.

    Raises:
        ConfigurationError: psutil is not installed.
    """
    told = load_client_settings()

    def chosen(name: str) -> Any:
        value = _chosen.get(name)
        return getattr(told, name) if value is None else value

    if not (chosen("system_metrics") if asked is None else asked):
        return None
    try:
        import psutil
    except ImportError:
        raise ConfigurationError(
            "to log system metrics psutil is needed: `pip install psutil`, or start the run with "
            "log_system_metrics=False"
        ) from None
    return SystemMetricsMonitor(
        psutil,
        interval_s=float(chosen("system_metrics_interval_s")),
        samples=int(chosen("system_metrics_samples")),
        node_id=chosen("system_metrics_node_id"),
    )


def finish(run_id: str) -> None:
    """End the measuring for a run, if there is any."""
    monitor = _running.pop(run_id, None)
    if monitor is not None:
        monitor.finish()


class SystemMetricsMonitor:
    """A thread that measures the machine; an error of it is logged and never reaches the run."""

    def __init__(self, psutil: Any, *, interval_s: float, samples: int, node_id: str | None) -> None:
        self._psutil = psutil
        self._interval_s = interval_s
        self._samples = samples
        self._prefix = f"system/{node_id}/" if node_id else "system/"
        self._stop = threading.Event()
        self._gpus = _gpus()
        self._network = psutil.net_io_counters()
        # The first answer of psutil is of no interval.
        psutil.cpu_percent()

    def start(self, run: Run, log_batch: Callable[..., Any]) -> None:
        """Measure for a run from now on; of one that was measured before, the steps go on."""
        run_id = run.info.run_id
        _running[run_id] = self
        before = (metric.step for metric in run.data._metric_objs if metric.key.startswith(self._prefix))  # noqa: SLF001
        self._thread = threading.Thread(
            target=self._measure_all,
            args=(run_id, log_batch, max(before, default=-1) + 1),
            name="runyard-system-metrics",
            daemon=True,
        )
        self._thread.start()

    def finish(self) -> None:
        self._stop.set()
        self._thread.join(STOP_TIMEOUT_S)

    def measure(self) -> dict[str, float]:
        """Return each measured value by its name, in the unit that the name says."""
        psutil = self._psutil
        memory, disk = psutil.virtual_memory(), psutil.disk_usage("/")
        network = psutil.net_io_counters()
        values = {
            "cpu_utilization_percentage": psutil.cpu_percent(),
            "system_memory_usage_megabytes": memory.used / _MEGABYTE,
            "system_memory_usage_percentage": memory.used / memory.total * 100,
            "disk_usage_percentage": disk.percent,
            "disk_usage_megabytes": disk.used / _MEGABYTE,
            "disk_available_megabytes": disk.free / _MEGABYTE,
        }
        # Since the run began, as counters of a machine say little of one run.
        if network is not None and self._network is not None:
            values["network_receive_megabytes"] = (network.bytes_recv - self._network.bytes_recv) / _MEGABYTE
            values["network_transmit_megabytes"] = (network.bytes_sent - self._network.bytes_sent) / _MEGABYTE
        for index, gpu in enumerate(self._gpus):
            values |= {f"gpu_{index}_{name}": value for name, value in gpu().items()}
        return values

    def _measure_all(self, run_id: str, log_batch: Callable[..., Any], step: int) -> None:
        is_last = False
        while not is_last:
            samples: list[dict[str, float]] = []
            while len(samples) < self._samples and not is_last:
                is_last = self._stop.wait(self._interval_s)
                try:
                    samples.append(self.measure())
                except Exception as error:  # noqa: BLE001 - of the system or a driver; the next time it may be over
                    _log.warning("the machine could not be measured: %s", error)
            if not samples:
                continue
            time_ms = time.time_ns() // 1_000_000
            means = {
                name: sum(sample[name] for sample in samples) / len(samples)
                for name in samples[0]
                if all(name in sample for sample in samples)
            }
            points = [Metric(self._prefix + name, value, time_ms, step) for name, value in means.items()]
            try:
                log_batch(run_id, metrics=points, synchronous=True)
            except RunyardError as error:
                _log.warning("system metrics of step %d were lost: %s", step, error)
            step += 1


def _gpus() -> list[Callable[[], dict[str, float]]]:
    """Return what measures each of NVIDIA's GPUs; nothing where there is none, or nvidia-ml-py is missing."""
    try:
        import pynvml

        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except Exception:  # noqa: BLE001 - a driver that is not there, and each version has errors of its own
        return []

    def memory(handle: Any) -> dict[str, float]:
        found = pynvml.nvmlDeviceGetMemoryInfo(handle)
        return {
            "memory_usage_megabytes": found.used / _MEGABYTE,
            "memory_usage_percentage": found.used / found.total * 100,
        }

    def utilization(handle: Any) -> dict[str, float]:
        return {"utilization_percentage": float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)}

    def power_watts(handle: Any) -> dict[str, float]:
        return {"power_usage_watts": pynvml.nvmlDeviceGetPowerUsage(handle) / 1000}

    def power_share(handle: Any) -> dict[str, float]:
        limit_mw = pynvml.nvmlDeviceGetEnforcedPowerLimit(handle)
        return {"power_usage_percentage": pynvml.nvmlDeviceGetPowerUsage(handle) / limit_mw * 100}

    def measuring(handle: Any) -> Callable[[], dict[str, float]]:
        def measure() -> dict[str, float]:
            found: dict[str, float] = {}
            for ask in (memory, utilization, power_watts, power_share):
                # Not every GPU tells everything: a share of one, or a laptop's, says nothing of its power.
                with contextlib.suppress(pynvml.NVMLError):
                    found |= ask(handle)
            return found

        return measure

    return [measuring(handle) for handle in handles]
