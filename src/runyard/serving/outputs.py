"""Predictions as JSON."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from runyard.errors import RunyardError
from runyard.models.signature import is_array, is_frame, is_series


def encode(predictions: Any, *, is_wrapped: bool = True) -> bytes:
    """Return ``{"predictions": …}``, or the predictions alone.

    Frames become records, and so do series; bytes base64, times ISO 8601; NaN and infinity null, which JSON lacks.

    Raises:
        RunyardError: they hold what JSON cannot.
    """
    content = plain(predictions)
    try:
        return _encoder.encode({"predictions": content} if is_wrapped else content)
    except (TypeError, ValueError, OverflowError) as wrong:
        raise RunyardError(f"the model's predictions are not JSON: {wrong}") from None


def plain(predictions: Any) -> Any:
    if is_array(predictions):
        if not hasattr(predictions, "tolist"):
            predictions = predictions.toarray()
        return predictions.astype(str).tolist() if predictions.dtype.kind in "mM" else predictions.tolist()
    if is_frame(predictions):
        return predictions.to_dict(orient="records")
    if is_series(predictions):
        return predictions.to_frame().to_dict(orient="records")
    return predictions


def _plain(value: Any) -> Any:
    """Return what msgspec can encode in place of what it does not know."""
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat() if value == value else None
    if is_array(value) or is_frame(value) or is_series(value):
        return plain(value)
    # numpy's scalars.
    if hasattr(value, "dtype") and hasattr(value, "item"):
        return str(value) if value.dtype.kind in "mM" else value.item()
    if hasattr(value, "model_dump"):
        return value.model_dump()
    if type(value).__name__ in {"NAType", "NaTType"}:
        return None
    raise TypeError(f"{type(value).__name__} is no JSON")


_encoder = msgspec.json.Encoder(enc_hook=_plain)
