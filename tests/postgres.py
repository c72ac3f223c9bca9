"""A real PostgreSQL server for the tests: its own data folder, loopback only, gone when the tests are."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import psycopg

from tests.ports import free_port

FIND_POSTGRES = Path(__file__).parent.parent / "scripts" / "find-postgres"
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 60

# What makes ordinary tests quick: nothing here has to survive the machine.
QUICK_OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresServer:
    """A server with a superuser ``postgres`` that needs no password.

    Names sort as a person expects them to (ICU, en-US) and not by their bytes, as in most databases in use; code that
    needs the order of bytes has to ask for it.
    """

    def __init__(self, *, is_durable: bool = False, primary: PostgresServer | None = None) -> None:
        """Start a server.

        Args:
            is_durable: it keeps what was committed when it, or a client of it, is killed.
            primary: it is a standby of that one, and copies what is written there as it is written.
        """
        self._primary = primary
        self._programs = _programs()
        self._options = {} if is_durable else QUICK_OPTIONS
        # Not below pytest's own folders: those are closed to the user that the server runs as.
        self._folder = Path(tempfile.mkdtemp(prefix="runyard-postgres-"))
        # PostgreSQL refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user is not None:
            account = pwd.getpwnam(self._user)
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        try:
            self._initialize()
            self.start()
        except BaseException:
            self.stop()
            raise

    def url(self, database: str = "postgres") -> str:
        """Return the URI of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """Return the URI of a new, empty database."""
        name = f"test_{uuid.uuid4().hex}"
        self._execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database that `create_database` made, whoever is connected to it."""
        self._execute(f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')

    def start(self) -> None:
        """Start it, the first time or again after `kill`, and wait until it answers."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self._folder),
            "max_connections": "200",
            "log_statement": "none",
            **self._options,
        }
        settings = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._folder / "data", *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._account(),
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self._execute("SELECT 1")
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"PostgreSQL did not start: {error}\n{self.log()}") from error
                time.sleep(0.02)
            else:
                return

    def promote(self) -> None:
        """Make a standby the primary."""
        self._execute("SELECT pg_promote()")

    def wait_for_standbys(self) -> None:
        """Acknowledge a commit when a standby has it too, from now on."""
        self._execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._execute("SELECT pg_reload_conf()")

    def kill(self) -> None:
        """End it as a crash would, without its tidying up; `start` starts it again on the same data."""
        assert self._process is not None
        # Its children end by themselves when it is gone.
        self._process.kill()
        self._process.wait(STOP_TIMEOUT_S)

    def shut_down(self) -> None:
        """End it in order, its connections closed, as for an upgrade; `start` starts it again."""
        if self._process is not None and self._process.poll() is None:
            # What PostgreSQL calls fast.
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(STOP_TIMEOUT_S)

    def stop(self) -> None:
        """End it and remove its data."""
        self.shut_down()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def certificate(self) -> Path:
        """Its certificate, signed by itself, once `encrypt` made it."""
        return self._folder / "server.crt"

    def encrypt(self) -> None:
        """Have it take encrypted connections too."""
        key = self._folder / "server.key"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
                *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
                *("-keyout", str(key), "-out", str(self.certificate)),
            ],
            check=True,
            capture_output=True,
        )
        key.chmod(0o600)
        if self._user is not None:
            os.chown(key, pwd.getpwnam(self._user).pw_uid, -1)
        for name, value in (("ssl_cert_file", self.certificate), ("ssl_key_file", key), ("ssl", "on")):
            self._execute(f"ALTER SYSTEM SET {name} = '{value}'")
        self._execute("SELECT pg_reload_conf()")

    def let_in(self, *rules: str) -> None:
        """Put rules of pg_hba.conf before those that let everybody in."""
        path = self._folder / "data" / "pg_hba.conf"
        path.write_text("\n".join([*rules, path.read_text()]))
        self._execute("SELECT pg_reload_conf()")

    def log(self) -> str:
        """Return what the server has written so far."""
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    def _initialize(self) -> None:
        data: list[str | Path] = ["-D", self._folder / "data", "--no-sync"]
        if self._primary is None:
            made = [self._programs / "initdb", *data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
            command = [*made, "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
        else:
            copied = [self._programs / "pg_basebackup", *data, "-d", self._primary.url()]
            command = [*copied, "--write-recovery-conf", "--checkpoint=fast"]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=self._folder,
            check=False,
            **self._account(),
        )
        if done.returncode != 0:
            raise AssertionError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")

    def _account(self) -> dict:
        if self._user is None:
            return {}
        return {"user": self._user, "group": self._user, "extra_groups": []}

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True, connect_timeout=10) as connection:
            connection.execute(statement)


def _programs() -> Path:
    """The folder of PostgreSQL's programs; a machine without them fails the test, it never skips it."""
    found = subprocess.run([FIND_POSTGRES], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise AssertionError("PostgreSQL is not installed: `make test` installs it, or `apt-get install postgresql`")
    return Path(found.stdout.strip())
