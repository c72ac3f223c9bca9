"""Files made from what a program holds: dicts, figures, pictures and tables; each library is imported by need."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from runyard.errors import InvalidParameter, InvalidType
from runyard.wire.names import shown

if TYPE_CHECKING:
    import pandas as pd
    from PIL.Image import Image as PillowImage

# The small copy of a picture that pages show, at most so many pixels wide and high.
PREVIEW_PIXELS: Final = 256
_KEY: Final = re.compile(r"[a-zA-Z0-9_\-./ ]+")


class Image:
    """A picture to log: of an array of height x width x channels, a Pillow image, a file's path or a list of rows."""

    def __init__(self, image: Any) -> None:
        import PIL.Image

        if isinstance(image, (str, Path)):
            self.image = PIL.Image.open(image)
        elif isinstance(image, list):
            import numpy as np

            self.image = picture(np.array(image))
        else:
            self.image = picture(image)
        self.size = self.image.size

    def to_array(self) -> Any:
        import numpy as np

        return np.array(self.image)

    def to_list(self) -> Any:
        return self.to_array().tolist()

    def to_pil(self) -> Any:
        return self.image

    def save(self, path: str | Path) -> None:
        self.image.save(path)

    def resize(self, size: tuple[int, int]) -> Image:
        """Return the picture at ``size``, width and height in pixels."""
        return Image(self.image.resize(size))


class _Figure(Protocol):
    def savefig(self, path: Path, **options: Any) -> None: ...


def write_dict(dictionary: Any, path: Path) -> None:
    """Write YAML to a file that is named so, else JSON; what JSON has no form for is written as text."""
    if path.suffix in {".yml", ".yaml"}:
        try:
            import yaml
        except ImportError:
            raise InvalidParameter(
                f"{path.name} is to be YAML, which needs PyYAML: `pip install pyyaml`, or name a .json file"
            ) from None
        text = yaml.safe_dump(dictionary, default_flow_style=False, allow_unicode=True, sort_keys=False)
    else:
        text = json.dumps(dictionary, indent=2, default=str)
    path.write_text(text, encoding="utf-8")


def write_figure(figure: Any, path: Path, save_kwargs: dict[str, Any]) -> None:
    """Write a matplotlib or a plotly figure in the format that the file's name says."""
    if hasattr(figure, "savefig"):
        cast("_Figure", figure).savefig(path, **save_kwargs)
    elif hasattr(figure, "write_html") and path.suffix == ".html":
        figure.write_html(path, include_plotlyjs="cdn", auto_open=False, **save_kwargs)
    elif hasattr(figure, "write_image") and path.suffix in {".png", ".jpg", ".jpeg", ".webp", ".svg", ".pdf"}:
        figure.write_image(path, **save_kwargs)
    else:
        raise InvalidParameter(
            f"cannot write a {type(figure).__name__} to {path.name!r}: expected a matplotlib figure, or a plotly "
            "figure and a name that ends with .html, .png, .jpg, .jpeg, .webp, .svg or .pdf"
        )


def picture(image: Any) -> PillowImage:
    """Return a Pillow image.

    Args:
        image: a Pillow image, an `Image`, or an array of height x width or height x width x channels (1, 3 or 4):
            booleans, integers of 0 to 255, or floats of 0 to 1.
    Raises:
        InvalidType: it is none of these.
        InvalidParameter: the array is of another shape or range.
    """
    import PIL.Image

    if isinstance(image, Image):
        return cast("PillowImage", image.image)
    if isinstance(image, PIL.Image.Image):
        return image
    import numpy as np

    array = np.asarray(image)
    if array.dtype.kind not in "biuf":
        raise InvalidType(
            f"a picture is a Pillow image, an mlflow.Image or an array of booleans, integers or floats, "
            f"got {type(image).__name__} of {array.dtype}"
        )
    if array.ndim not in {2, 3} or (array.ndim == 3 and array.shape[2] not in {1, 3, 4}):
        raise InvalidParameter(
            f"a picture's array is height x width, or that x 1, 3 or 4 channels; got the shape {array.shape}"
        )
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    low, high = (array.min(), array.max()) if array.size else (0, 0)
    if array.dtype.kind in "bf":
        if array.dtype.kind == "f" and not (low >= 0 and high <= 1):
            raise InvalidParameter(f"a picture's floats are of 0 to 1, got {low} to {high}")
        array = array * 255
    elif low < 0 or high > 255:
        raise InvalidParameter(f"a picture's integers are of 0 to 255, got {low} to {high}")
    return PIL.Image.fromarray(array.astype(np.uint8))


def preview(image: PillowImage) -> PillowImage:
    """Return a copy that is small enough for a page of many."""
    small = image.copy()
    small.thumbnail((PREVIEW_PIXELS, PREVIEW_PIXELS))
    return small


def image_name(key: str, step: int, timestamp: int) -> str:
    """Return the path, without its suffix, of a picture of a series, from which pages read key, step and time."""
    if _KEY.fullmatch(key) is None:
        raise InvalidParameter(
            f"Invalid key {shown(key)}: a picture's key may only hold letters, digits, '_', '-', '.', '/' and spaces"
        )
    # The key is one name of a file, and '+' may stand in a path and in no key.
    return f"images/{key.replace('/', '~')}+step+{step}+timestamp+{timestamp}+{uuid.uuid4()}"


def frame_of(data: Any) -> pd.DataFrame:
    """Return a table of what is given: a data frame, or a dict of columns or of single values."""
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return data
    if not isinstance(data, dict):
        raise InvalidParameter(f"a table is a dict or a pandas.DataFrame, got {type(data).__name__}")
    if all(isinstance(value, (int, float, str, bool)) for value in data.values()):
        data = {key: [value] for key, value in data.items()}
    return pd.DataFrame(data)
