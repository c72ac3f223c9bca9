"""statsmodels: each fit logs its arguments, the numbers of its results and their summary."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator
from typing import Any, Final

from runyard.autologging.boosting import arguments_of
from runyard.autologging.core import Library
from runyard.models.flavors import statsmodels as flavor

library: Final = Library("statsmodels")

# Of results: those that other numbers are made of are left out, as MLflow does.
_METRICS: Final = (
    "aic",
    "bic",
    "centered_tss",
    "condition_number",
    "df_model",
    "df_resid",
    "ess",
    "f_pvalue",
    "fvalue",
    "llf",
    "mse_model",
    "mse_resid",
    "mse_total",
    "rsquared",
    "rsquared_adj",
    "scale",
    "ssr",
    "uncentered_tss",
)


def autolog(
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    extra_tags: dict[str, str] | None = None,
) -> None:
    """Have statsmodels log what it fits.

    Args:
        registered_model_name: also make the model a version of that registered model.
        others: see `runyard.autologging.autolog`.
    """
    library.configure(_setup, dict(locals()))


def _setup() -> None:
    # All that is a model is below this one, once these are imported.
    import statsmodels.api  # noqa: F401
    from statsmodels.base.model import Model

    for kind in _below(Model):
        if callable(vars(kind).get("fit")):
            library.patch(kind, "fit", _fit)


def _below(kind: type) -> Iterator[type]:
    seen: set[type] = set()
    waiting: list[type] = [kind]
    while waiting:
        found = waiting.pop()
        if found not in seen:
            seen.add(found)
            waiting += found.__subclasses__()
            yield found


def _fit(original: Callable[..., Any], self: Any, *args: Any, **kwargs: Any) -> Any:
    with library.training() as training:
        if training is None:
            return original(self, *args, **kwargs)
        with training.attempt("log params"):
            given = arguments_of(original, (self, *args), kwargs)
            given.pop("self", None)
            given |= given.pop("kwargs", {})
            training.log_params(given)
        results = original(self, *args, **kwargs)
        with training.attempt("log metrics"):
            training.log_metrics(_numbers(results))
        with training.attempt("log the summary"):
            if hasattr(results, "summary"):
                training.log_text(str(results.summary()), "model_summary.txt")
        with training.attempt("log the model"):
            training.log_model(flavor.save_model, results)
        return results


def _numbers(results: Any) -> dict[str, float]:
    found = {}
    for name in _METRICS:
        try:
            value = getattr(results, name)
        except Exception:  # noqa: BLE001, S112 - many are computed when asked for, and not for every model
            continue
        if isinstance(value, numbers.Number) and not isinstance(value, bool):
            found[name] = float(value)  # type: ignore[arg-type]
    return found
