"""Runs as tables: columns of many runs at once, the ids that a search finds, and finding runs by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.search.compile import Query
from runyard.search.vocabularies import RUNS, Family, Field
from runyard.store.dialect import fetch, is_sqlite
from runyard.store.experiments import parse_experiment_id, stages_of
from runyard.store.run_columns import TEXT_ATTRIBUTES, parse_column
from runyard.store.run_json import INFO_COLUMNS, StoredRun
from runyard.store.schema import runs
from runyard.wire.run_tables import FindRuns, FoundRun, FoundRuns, GetRunTable, ListRunIds, RunScope

TABLE_ATTRIBUTES: Final = (
    *TEXT_ATTRIBUTES,
    "start_time",
    "end_time",
    "duration",
    "deleted_time",
    "child_count",
    "datasets",
    "models",
)
PARENT_TAG: Final = "mlflow.parentRunId"

_VALUES: Final = {
    Family.METRIC: "SELECT run, key, literal FROM latest_metrics WHERE run {ids} AND key {ids}",
    Family.PARAM: "SELECT run, key, value FROM params WHERE run {ids} AND key {ids}",
    Family.TAG: "SELECT run, key, value FROM run_tags WHERE run {ids} AND key {ids}",
}
_encode = msgspec.json.Encoder().encode


def run_search(scope: RunScope, order_by: Sequence[str] = ()) -> tuple[Query, sa.Select[Any]]:
    """Return the same search that runs/search makes, and the statement it is over, with no columns yet."""
    stages = stages_of("run_view_type", scope.run_view_type)
    numbers = sorted({parse_experiment_id(experiment_id) for experiment_id in scope.experiment_ids or ()})
    query = Query(RUNS, scope.filter, tuple(order_by), [numbers, list(stages)])
    return query, sa.select().where(runs.c.experiment_id.in_(numbers), runs.c.lifecycle_stage.in_(stages))


def get_run_table(connection: Connection, request: GetRunTable) -> bytes:
    """Return columns of runs as JSON of wire.run_tables.RunTable.

    One statement finds the runs; each kind of column costs one more, however many runs and columns there are.
    """
    fields = {column: parse_column("columns", column, TABLE_ATTRIBUTES) for column in request.columns}
    rows, next_page_token = _rows(connection, request)
    values = _keyed_values(connection, fields.values(), rows)
    values.update(
        (field, _ATTRIBUTES[field.name](connection, rows))
        for field in {*fields.values()}
        if field.family is Family.ATTRIBUTE
    )
    cells = b",".join(b"%b:%b" % (_encode(column), values[field]) for column, field in fields.items())
    run_ids = _encode([row.run_id for row in rows])
    return b'{"run_ids":%b,"columns":{%b},"next_page_token":%b}' % (run_ids, cells, _encode(next_page_token))


def list_run_ids(connection: Connection, request: ListRunIds) -> bytes:
    """Return the ids of the runs that a search finds, in order, as JSON of wire.run_tables.RunIds."""
    query, base = run_search(request, request.order_by or ())
    ordered = query.ordered(base.add_columns(runs.c.run_id)).limit(request.max_results).subquery()
    # The database puts the list together, in half the time of fetching 100,000 rows; no id holds what JSON escapes.
    listed = sa.func.group_concat if is_sqlite(connection) else sa.func.string_agg
    joined = listed(ordered.c.run_id, '","').label("joined")
    count, run_ids = connection.execute(sa.select(sa.func.count(), joined).select_from(ordered)).one()
    total_count: int | None = count
    if count == request.max_results:
        matching = query.matching(base.add_columns(sa.func.count()).select_from(runs))
        total_count = connection.execute(matching).scalar_one() if request.count else None
    return b'{"run_ids":[%b],"total_count":%b}' % (f'"{run_ids}"'.encode() if run_ids else b"", _encode(total_count))


def find_runs(connection: Connection, request: FindRuns) -> FoundRuns:
    """Return active runs of active experiments whose name contains a text, in any case, or whose id begins with it."""
    # SQLite's GLOB takes sets of letters, and so folds case without a call of ours for each run.
    is_named = "r.run_name GLOB ?" if is_sqlite(connection) else """r.run_name COLLATE "default" ILIKE ? ESCAPE '!'"""
    pattern = _glob(request.text) if is_sqlite(connection) else _like(request.text)
    statement = (
        "SELECT r.run_id, r.run_name, r.experiment_id, e.name, r.status, r.start_time "
        "FROM runs r JOIN experiments e ON e.id = r.experiment_id "
        f"WHERE ({is_named} OR substr(r.run_id, 1, ?) = ?) "
        "AND r.lifecycle_stage = 'active' AND e.lifecycle_stage = 'active' "
        "ORDER BY r.start_time DESC, r.run_id LIMIT ?"
    )
    found = fetch(connection, statement, pattern, len(request.text), request.text, request.max_results)
    return FoundRuns(
        runs=[
            FoundRun(
                run_id=run_id,
                run_name=run_name,
                experiment_id=str(experiment_id),
                experiment_name=experiment_name,
                status=status,
                start_time=start_time,
            )
            for run_id, run_name, experiment_id, experiment_name, status, start_time in found
        ]
    )


def _glob(text: str) -> str:
    # At the start of a set ^ would negate; alone it is nothing special.
    return f"*{''.join('^' if letter == '^' else f'[{_cases(letter)}]' for letter in text)}*"


def _cases(letter: str) -> str:
    # A set holds single letters; one whose other case is two, such as ß, is only itself.
    return "".join({case: None for case in (letter, letter.lower(), letter.upper()) if len(case) == 1})


def _like(text: str) -> str:
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return f"%{text}%"


def _rows(connection: Connection, request: GetRunTable) -> tuple[list[StoredRun], str | None]:
    if request.run_ids is not None:
        found = fetch(connection, f"SELECT {INFO_COLUMNS} FROM runs WHERE run_id {{texts}}", request.run_ids)
        by_id = {row.run_id: row for row in map(StoredRun._make, found)}
        return [by_id[run_id] for run_id in dict.fromkeys(request.run_ids) if run_id in by_id], None
    query, base = run_search(request, request.order_by or ())
    page = query.page(connection, base.add_columns(*_INFO), request.max_results, request.page_token)
    return [StoredRun._make(row[: len(_INFO)]) for row in page.rows], page.next_page_token


_INFO: Final = tuple(runs.c[name] for name in StoredRun._fields)


def _keyed_values(connection: Connection, fields: Iterable[Field], rows: Sequence[StoredRun]) -> dict[Field, bytes]:
    """Return of each metric, param and tag among ``fields`` the cells of ``rows``, as a JSON array."""
    keyed = {field for field in fields if field.family is not Family.ATTRIBUTE}
    if not keyed:
        return {}
    names = sorted({field.name for field in keyed})
    ids = dict(fetch(connection, "SELECT name, id FROM keys WHERE name {texts}", names))
    places = {row.id: place for place, row in enumerate(rows)}
    values: dict[Field, bytes] = {}
    for family, statement in _VALUES.items():
        columns = [field for field in keyed if field.family is family]
        if not columns:
            continue
        # What is absent: as JSON for metrics, whose values are JSON already.
        absent = "null" if family is Family.METRIC else None
        cells: dict[int, list[Any]] = {ids[field.name]: [absent] * len(rows) for field in columns if field.name in ids}
        if cells:
            for run, key, value in fetch(connection, statement, list(places), list(cells)):
                cells[key][places[run]] = value
        for field in columns:
            column = cells.get(ids.get(field.name, -1), [absent] * len(rows))
            values[field] = b"[%b]" % ",".join(column).encode() if family is Family.METRIC else _encode(column)
    return values


def _of_each(value: Callable[[StoredRun], object]) -> Callable[[Connection, Sequence[StoredRun]], bytes]:
    return lambda _connection, rows: _encode([value(row) for row in rows])


def _experiment_names(connection: Connection, rows: Sequence[StoredRun]) -> bytes:
    wanted = sorted({row.experiment_id for row in rows})
    names = dict(fetch(connection, "SELECT id, name FROM experiments WHERE id {ids}", wanted))
    return _encode([names.get(row.experiment_id) for row in rows])


def _deleted_times(connection: Connection, rows: Sequence[StoredRun]) -> bytes:
    times = dict(fetch(connection, "SELECT id, deleted_time FROM runs WHERE id {ids}", [row.id for row in rows]))
    return _encode([times.get(row.id) for row in rows])


def _child_counts(connection: Connection, rows: Sequence[StoredRun]) -> bytes:
    run_ids = [row.run_id for row in rows]
    # The length is what makes ix_run_tags_run_id fit: few runs, and their few children.
    found = fetch(
        connection,
        "SELECT t.value, count(*) FROM run_tags t JOIN runs r ON r.id = t.run "
        "WHERE t.key = (SELECT id FROM keys WHERE name = ?) AND t.value {texts} AND length(t.value) = 32 "
        "AND r.lifecycle_stage = 'active' GROUP BY t.value",
        PARENT_TAG,
        run_ids,
    )
    counts = dict(found)
    return _encode([counts.get(run_id, 0) for run_id in run_ids])


def _datasets(connection: Connection, rows: Sequence[StoredRun]) -> bytes:
    found = fetch(
        connection,
        "SELECT l.run, d.name, d.digest FROM run_datasets l JOIN datasets d ON d.id = l.dataset "
        "WHERE l.run {ids} ORDER BY l.run, d.id",
        [row.id for row in rows],
    )
    return _lists(((run, f"{name} ({digest})") for run, name, digest in found), [row.id for row in rows])


def _models(connection: Connection, rows: Sequence[StoredRun]) -> bytes:
    run_ids = [row.run_id for row in rows]
    logged = fetch(
        connection,
        "SELECT source_run_id, model_id, name FROM logged_models "
        "WHERE source_run_id {texts} AND lifecycle_stage = 'active' ORDER BY id",
        run_ids,
    )
    registered = fetch(
        connection,
        "SELECT v.run_id, m.name, v.version FROM model_versions v JOIN registered_models m ON m.id = v.model "
        "WHERE v.run_id {texts} ORDER BY v.id",
        run_ids,
    )
    found = [(run_id, f"m:{model_id}:{name}") for run_id, model_id, name in logged]
    found += [(run_id, f"v:{name}:{version}") for run_id, name, version in registered]
    return _lists(found, run_ids)


def _lists(found: Iterable[tuple[Any, str]], owners: Sequence[Any]) -> bytes:
    """Return what was found of each of ``owners`` as a JSON array of arrays, with null where that is nothing."""
    lists: dict[Any, list[str]] = {}
    for owner, text in found:
        lists.setdefault(owner, []).append(text)
    return _encode([lists.get(owner) for owner in owners])


# Each gives a whole column as a JSON array.
_ATTRIBUTES: Final[Mapping[str, Callable[[Connection, Sequence[StoredRun]], bytes]]] = {
    "run_id": _of_each(lambda row: row.run_id),
    "run_name": _of_each(lambda row: row.run_name),
    "status": _of_each(lambda row: row.status),
    "user_id": _of_each(lambda row: row.user_id),
    "experiment_id": _of_each(lambda row: str(row.experiment_id)),
    "experiment_name": _experiment_names,
    "lifecycle_stage": _of_each(lambda row: row.lifecycle_stage),
    "artifact_uri": _of_each(lambda row: row.artifact_uri),
    "start_time": _of_each(lambda row: row.start_time),
    "end_time": _of_each(lambda row: row.end_time),
    "duration": _of_each(lambda row: None if row.end_time is None else row.end_time - row.start_time),
    "deleted_time": _deleted_times,
    "child_count": _child_counts,
    "datasets": _datasets,
    "models": _models,
}
