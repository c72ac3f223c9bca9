"""Changing to another version of the model while requests are answered."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from runyard.serving.served import ServedModel, current_version

logger = logging.getLogger(__name__)

# How long a version that could not be loaded is left alone.
RETRY_S: Final = 60.0


class Watcher:
    """Looks at the registry now and then, and loads what the URI names now beside what is served.

    Args:
        load: returns the model of a version, ready to be asked.
        swap: has it serve from then on; called in the watcher's thread, with None where loading failed.
    """

    def __init__(
        self,
        model_uri: str,
        version: str | None,
        *,
        interval_s: float,
        load: Callable[[str], ServedModel],
        swap: Callable[[ServedModel | None], None],
    ) -> None:
        self._uri = model_uri
        self._version = version
        self._interval_s = interval_s
        self._load = load
        self._swap = swap
        self._failed: tuple[str, float] | None = None
        self._is_silent = False
        self._stops = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="runyard-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stops.set()

    def _watch(self) -> None:
        while not self._stops.wait(self._interval_s):
            try:
                wanted = current_version(self._uri)
            except Exception as error:  # noqa: BLE001 - whatever it is, what is served stays
                # Said once, until it goes well again.
                if not self._is_silent:
                    self._is_silent = True
                    logger.warning("cannot tell which version %s is: %s; serving on", self._uri, error)
                continue
            self._is_silent = False
            if wanted is not None and wanted != self._version and not self._has_failed(wanted):
                self._change(wanted)

    def _has_failed(self, version: str) -> bool:
        return self._failed is not None and self._failed[0] == version and time.monotonic() < self._failed[1]

    def _change(self, version: str) -> None:
        logger.info("%s is version %s now, which is being loaded; version %s serves", self._uri, version, self._version)
        began = time.perf_counter()
        try:
            model = self._load(version)
        except Exception:
            self._failed = (version, time.monotonic() + RETRY_S)
            logger.exception("version %s cannot be loaded; version %s serves on", version, self._version)
            self._swap(None)
            return
        self._swap(model)
        logger.info("serving %s now, loaded in %.1f s", model.title, time.perf_counter() - began)
        self._version = version
        del model
        # The old one goes when its last request is answered; what it left in cycles goes now.
        gc.collect()
