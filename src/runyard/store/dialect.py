"""The few statements that the two databases spell differently."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.elements import ColumnElement


def is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def driver_cursor(connection: Connection) -> Any:
    """Return a cursor of the driver's, in the connection's transaction.

    For the statements that every small write makes: between them and the driver, SQLAlchemy would take longer than
    the database does.
    """
    if not connection.in_transaction():
        raise AssertionError("a driver's cursor is only for use within a transaction")
    return connection.connection.cursor()


def execute(connection: Connection, statement: str, parameters: Sequence[Any] = ()) -> Any:
    """Execute a statement, with ``?`` for its parameters, by the driver's own cursor; return that."""
    cursor = driver_cursor(connection)
    cursor.execute(statement if is_sqlite(connection) else _for_psycopg(statement), parameters)
    return cursor


@functools.lru_cache(maxsize=256)
def _for_psycopg(statement: str) -> str:
    return statement.replace("?", "%s")


def fetch(connection: Connection, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Return the rows of a query as plain tuples, however many.

    Args:
        statement: ``{ids}`` in it stands for ``IN`` a list of numbers, ``{texts}`` for ``IN`` a list of texts.
        parameters: one for each of these and each ``?``, in order.
    """
    if is_sqlite(connection):
        spelled = statement.format(ids=_SQLITE_IN, texts=_SQLITE_IN)
        values = tuple(json.dumps(value) if isinstance(value, list) else value for value in parameters)
    else:
        spelled = _for_psycopg(statement.format(ids="= ANY(?::bigint[])", texts="= ANY(?::text[])"))
        values = tuple(_array(value) if isinstance(value, list) else value for value in parameters)
    cursor: Any = connection.exec_driver_sql(spelled, values).cursor
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


_SQLITE_IN: Final = "IN (SELECT value FROM json_each(?))"


def _array(values: list[Any]) -> Any:
    return array_literal(values) if values and isinstance(values[0], int) else values


def insert_or_ignore(connection: Connection, table: Table) -> Insert:
    """Return an insert that leaves a row alone which is there already."""
    if is_sqlite(connection):
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def upsert(connection: Connection, table: Table, key: Sequence[str], values: Sequence[str]) -> Insert:
    """Return an insert that sets ``values`` where a row with the same ``key`` is there already."""
    statement: Any = sqlite.insert(table) if is_sqlite(connection) else postgresql.insert(table)
    result: Insert = statement.on_conflict_do_update(
        index_elements=list(key), set_={name: statement.excluded[name] for name in values}
    )
    return result


def execute_many(connection: Connection, statement: Insert, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute for each of ``rows``; for none, do nothing (SQLAlchemy would insert a row of defaults)."""
    if rows:
        connection.execute(statement, rows)


def is_one_of(connection: Connection, column: ColumnElement[int], ids: Iterable[int]) -> ColumnElement[bool]:
    """Return ``column IN ids`` with the ids in one parameter, however many there are."""
    if is_sqlite(connection):
        listed = sa.func.json_each(json.dumps(list(ids))).table_valued("value")
        return column.in_(sa.select(listed.c.value))
    return column == sa.any_(sa.cast(sa.literal(array_literal(ids), sa.Text), postgresql.ARRAY(sa.BigInteger)))


def array_literal(ids: Iterable[int]) -> str:
    """Return ids as PostgreSQL writes an array, which is ten times as quick as the driver does."""
    return f"{{{','.join(map(str, ids))}}}"
