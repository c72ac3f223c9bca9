"""Keep dumps of the database in an object store or a folder: `backup.py store|list|fetch`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import BinaryIO

from runyard.artifacts.store import ArtifactStore, open_store

PREFIX = "mlflow-"
SUFFIX = ".dump"
TIME_FORMAT = "%Y%m%dT%H%M%SZ"
CHUNK_BYTES = 1024 * 1024


async def store_dump(store: ArtifactStore, dump: BinaryIO, now: datetime, keep_days: int, keep_count: int) -> None:
    """Store ``dump`` under the time, and then delete those that are too old, but for the newest ``keep_count``."""
    name = f"{PREFIX}{now.strftime(TIME_FORMAT)}{SUFFIX}"
    await store.write(name, read_chunks(dump))
    size_bytes = (await store.head(name)).size_bytes
    if size_bytes != dump.tell():
        sys.exit(f"{name} has {size_bytes} bytes there and {dump.tell()} here: nothing old was deleted")
    print(f"stored {name}, {size_bytes} bytes")
    for old in (await dumps(store))[keep_count:]:
        if time_of(old) < now - timedelta(days=keep_days):
            await store.delete(old)
            print(f"deleted {old}")


async def fetch_dump(store: ArtifactStore, name: str, target: BinaryIO) -> None:
    """Write the dump of that name, or the newest where the name is `latest`, to a file."""
    if name == "latest":
        found = await dumps(store)
        if not found:
            sys.exit("there is no dump")
        name = found[0]
    size_bytes = (await store.head(name)).size_bytes
    async for chunk in await store.read(name, 0, size_bytes):
        target.write(chunk)
    print(f"fetched {name}, {size_bytes} bytes")


async def list_dumps(store: ArtifactStore) -> None:
    """Print the dumps, newest first."""
    for name in await dumps(store):
        print(name)


async def dumps(store: ArtifactStore) -> list[str]:
    """Return the names of the dumps, newest first; what else is there is not ours."""
    names = [entry.path for entry in await store.list_folder("") if not entry.is_dir and is_dump(entry.path)]
    return sorted(names, reverse=True)


def is_dump(name: str) -> bool:
    try:
        time_of(name)
    except ValueError:
        return False
    return True


def time_of(name: str) -> datetime:
    return datetime.strptime(name, f"{PREFIX}{TIME_FORMAT}{SUFFIX}").replace(tzinfo=timezone.utc)


async def read_chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    storing = commands.add_parser("store", help="store a dump, and delete the old ones")
    storing.add_argument("dump", type=Path)
    storing.add_argument("--to", required=True, metavar="URI")
    storing.add_argument("--keep-days", type=int, required=True)
    storing.add_argument("--keep-count", type=int, required=True)
    listing = commands.add_parser("list", help="list the dumps, newest first")
    listing.add_argument("--from", dest="source", required=True, metavar="URI")
    fetching = commands.add_parser("fetch", help="fetch a dump")
    fetching.add_argument("name", help="its name, or latest")
    fetching.add_argument("target", type=Path)
    fetching.add_argument("--from", dest="source", required=True, metavar="URI")
    given = parser.parse_args()
    if given.command == "store":
        now = datetime.now(timezone.utc)
        with given.dump.open("rb") as dump:
            asyncio.run(store_dump(open_store(given.to), dump, now, given.keep_days, given.keep_count))
    elif given.command == "list":
        asyncio.run(list_dumps(open_store(given.source)))
    else:
        with given.target.open("wb") as target:
            asyncio.run(fetch_dump(open_store(given.source), given.name, target))


if __name__ == "__main__":
    main()
