"""What can be searched and sorted by, entity by entity. No SQL: compile.py knows the columns."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final


class Kind(enum.Enum):
    """What a field holds, which decides its comparators and its values."""

    TEXT = "text"
    INTEGER = "integer"  # 64 bits: times in milliseconds, versions
    REAL = "real"  # a double; may be NaN
    IDENTIFIER = "identifier"  # an integer that travels as text


class Family(enum.Enum):
    """Where a field is found; the value is the prefix it is printed with."""

    ATTRIBUTE = "attributes"
    METRIC = "metrics"
    PARAM = "params"
    TAG = "tags"
    DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a vocabulary: an attribute or dataset attribute by its own name, not an alias, or a key."""

    family: Family
    name: str


@dataclass(frozen=True)
class Attribute:
    """An attribute of an entity.

    Args:
        aliases: other names it answers to.
        is_nullable: whether an entity may lack it; a clause on what is absent does not match.
        takes_quoted_numbers: whether a number may be quoted, because it is text on the wire.
    """

    name: str
    kind: Kind = Kind.TEXT
    aliases: tuple[str, ...] = ()
    is_nullable: bool = False
    takes_quoted_numbers: bool = False


@dataclass(frozen=True)
class Vocabulary:
    """The fields of one entity.

    Args:
        entity: its name in messages, in the plural.
        keyed: the families whose keys are free.
        prefixes: the words that may stand before a key, and the family each means.
        orders_by_key: the families that may be sorted by.
        default_order: attributes and whether each ascends; used where no order is asked for.
        tie_breakers: attributes put after an order that was asked for; together they are unique.
        refuses_duplicate_order: whether naming a field twice is an error, else the second has no effect.
        absent_tags: tags that read as a value where they are absent.
        hidden_tag: key and value of the tag whose holders are left out unless the filter asks for them.
    """

    entity: str
    attributes: tuple[Attribute, ...]
    keyed: tuple[Family, ...]
    prefixes: Mapping[str, Family]
    default_order: tuple[tuple[str, bool], ...]
    tie_breakers: tuple[tuple[str, bool], ...]
    dataset_attributes: tuple[Attribute, ...] = ()
    orders_by_key: tuple[Family, ...] = ()
    refuses_duplicate_order: bool = True
    absent_tags: Mapping[str, str] | None = None
    hidden_tag: tuple[str, str] | None = None

    @cached_property
    def _by_name(self) -> dict[tuple[Family, str], Attribute]:
        return _names(Family.ATTRIBUTE, self.attributes) | _names(Family.DATASET, self.dataset_attributes)

    def attribute(self, family: Family, name: str) -> Attribute | None:
        """Return the attribute, or dataset attribute, of that name or alias; None where there is none."""
        return self._by_name.get((family, name))

    def kind(self, field: Field) -> Kind:
        if field.family is Family.METRIC:
            return Kind.REAL
        if field.family in self.keyed:
            return Kind.TEXT
        return self._by_name[field.family, field.name].kind


def _names(family: Family, attributes: Iterable[Attribute]) -> dict[tuple[Family, str], Attribute]:
    return {(family, name): attribute for attribute in attributes for name in (attribute.name, *attribute.aliases)}


def _prefixes(*families: Family) -> dict[str, Family]:
    return {prefix: family for prefix, family in _ALL_PREFIXES.items() if family in families}


_ALL_PREFIXES: Final = {
    "attributes": Family.ATTRIBUTE,
    "attribute": Family.ATTRIBUTE,
    "attr": Family.ATTRIBUTE,
    "metrics": Family.METRIC,
    "metric": Family.METRIC,
    "params": Family.PARAM,
    "param": Family.PARAM,
    "parameters": Family.PARAM,
    "parameter": Family.PARAM,
    "tags": Family.TAG,
    "tag": Family.TAG,
    "dataset": Family.DATASET,
    "datasets": Family.DATASET,
}

# A prompt is a registered model with this tag; clients that know of no prompts must not be shown them.
PROMPT_TAG: Final = "mlflow.prompt.is_prompt"

RUNS: Final = Vocabulary(
    entity="runs",
    attributes=(
        Attribute("run_id"),
        Attribute("run_name", aliases=("run name", "Run name", "Run Name")),
        Attribute("experiment_id", Kind.IDENTIFIER),
        Attribute("status"),
        Attribute("user_id"),
        Attribute("artifact_uri"),
        Attribute("lifecycle_stage"),
        Attribute("start_time", Kind.INTEGER, aliases=("created", "Created")),
        Attribute("end_time", Kind.INTEGER, is_nullable=True),
        # Milliseconds from start to end; absent while the run goes on.
        Attribute("duration", Kind.INTEGER, is_nullable=True),
    ),
    dataset_attributes=(
        Attribute("name"),
        Attribute("digest"),
        Attribute("context", is_nullable=True),
    ),
    keyed=(Family.METRIC, Family.PARAM, Family.TAG),
    prefixes=_prefixes(*Family) | {"run": Family.ATTRIBUTE},
    orders_by_key=(Family.METRIC, Family.PARAM, Family.TAG),
    default_order=(("start_time", False), ("run_id", True)),
    tie_breakers=(("start_time", False), ("run_id", True)),
)

EXPERIMENTS: Final = Vocabulary(
    entity="experiments",
    attributes=(
        Attribute("name"),
        Attribute("experiment_id", Kind.IDENTIFIER),
        Attribute("lifecycle_stage"),
        Attribute("artifact_location"),
        Attribute("creation_time", Kind.INTEGER),
        Attribute("last_update_time", Kind.INTEGER),
    ),
    keyed=(Family.TAG,),
    prefixes=_prefixes(Family.ATTRIBUTE, Family.TAG),
    default_order=(("creation_time", False), ("experiment_id", True)),
    tie_breakers=(("experiment_id", False),),
    refuses_duplicate_order=False,
)

REGISTERED_MODELS: Final = Vocabulary(
    entity="registered models",
    attributes=(
        Attribute("name"),
        Attribute("description"),
        Attribute("creation_timestamp", Kind.INTEGER),
        Attribute("last_updated_timestamp", Kind.INTEGER, aliases=("timestamp",)),
    ),
    keyed=(Family.TAG,),
    prefixes=_prefixes(Family.ATTRIBUTE, Family.TAG),
    default_order=(("name", True),),
    tie_breakers=(("name", True),),
    absent_tags={PROMPT_TAG: "false"},
    hidden_tag=(PROMPT_TAG, "true"),
)

MODEL_VERSIONS: Final = Vocabulary(
    entity="model versions",
    attributes=(
        Attribute("name"),
        Attribute("version", Kind.INTEGER, aliases=("version_number",), takes_quoted_numbers=True),
        Attribute("run_id"),
        Attribute("source", aliases=("source_path",)),
        Attribute("current_stage", aliases=("stage",)),
        Attribute("status"),
        Attribute("user_id"),
        Attribute("description"),
        Attribute("creation_timestamp", Kind.INTEGER),
        Attribute("last_updated_timestamp", Kind.INTEGER),
    ),
    keyed=(Family.TAG,),
    prefixes=_prefixes(Family.ATTRIBUTE, Family.TAG),
    default_order=(("last_updated_timestamp", False), ("name", True), ("version", False)),
    tie_breakers=(("name", True), ("version", False)),
    absent_tags={PROMPT_TAG: "false"},
    hidden_tag=(PROMPT_TAG, "true"),
)

LOGGED_MODELS: Final = Vocabulary(
    entity="logged models",
    attributes=(
        Attribute("model_id"),
        Attribute("name"),
        Attribute("experiment_id", Kind.IDENTIFIER),
        Attribute("model_type", is_nullable=True),
        Attribute("source_run_id", is_nullable=True),
        Attribute("status"),
        Attribute("artifact_uri", aliases=("artifact_location",)),
        Attribute("lifecycle_stage"),
        Attribute("creation_timestamp", Kind.INTEGER, aliases=("creation_time",)),
        Attribute("last_updated_timestamp", Kind.INTEGER, aliases=("last_updated_time",)),
    ),
    keyed=(Family.METRIC, Family.PARAM, Family.TAG),
    prefixes=_prefixes(Family.ATTRIBUTE, Family.METRIC, Family.PARAM, Family.TAG),
    orders_by_key=(Family.METRIC,),
    default_order=(("creation_timestamp", False), ("model_id", True)),
    tie_breakers=(("creation_timestamp", False), ("model_id", True)),
    refuses_duplicate_order=False,
)

VOCABULARIES: Final = (RUNS, EXPERIMENTS, REGISTERED_MODELS, MODEL_VERSIONS, LOGGED_MODELS)
