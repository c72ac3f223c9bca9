"""statsmodels' results: pickles, as that library writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from runyard.errors import InvalidParameter
from runyard.models import packaging, pickles
from runyard.models.model import Model

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR: Final = "statsmodels"


def save_model(
    statsmodels_model: Any, path: str | Path, *, remove_data: bool = False, **options: Unpack[packaging.Options]
) -> Model:
    """Save the results of a fit to a new folder.

    Args:
        remove_data: leave out the data that the model was fitted to.
        options: see `packaging.Options`.
    Raises:
        PermissionDenied: pickles are forbidden.
    """

    def dump(file: Path) -> None:
        pickles.check_allowed(file.name)
        statsmodels_model.save(str(file), remove_data)

    return packaging.save_file(
        path,
        FLAVOR,
        "model.statsmodels",
        dump,
        modules=["statsmodels"],
        predict=Adapter(statsmodels_model).predict,
        fields={"statsmodels_version": packaging.version_of("statsmodels")},
        **options,
    )


def load_model(path: str | Path) -> Any:
    """Return the results that a folder holds.

    Raises:
        NotFound: the folder holds no statsmodels model.
        PermissionDenied: pickles are forbidden.
    """
    _, file = packaging.load_file(path, FLAVOR)
    return pickles.load(file)


class Adapter:
    """Results as a pyfunc model; those of a time series are asked for a period, in one row of `start` and `end`."""

    def __init__(self, results: Any) -> None:
        self._results = results

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        from statsmodels.tsa.base.tsa_model import TimeSeriesModel

        if not isinstance(self._results.model, TimeSeriesModel):
            return self._results.predict(model_input, **params or {})
        if len(model_input) != 1 or not {"start", "end"} <= set(model_input.columns):
            raise InvalidParameter("a model of a time series takes one row with the columns start and end")
        period = model_input.iloc[0]
        return self._results.predict(start=period["start"], end=period["end"])

    def get_raw_model(self) -> Any:
        return self._results


def load_pyfunc(folder: Path, flavor: dict[str, Any]) -> Adapter:
    return Adapter(load_model(folder))
