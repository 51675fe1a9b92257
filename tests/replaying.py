"""Clients of the replay server, and the command line, in a few lines."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from gemwire.replay import ReplayServer


@contextmanager
def client_of(server: ReplayServer) -> Iterator[httpx2.Client]:
    # No proxy from the environment may come between, and no certificate is needed.
    with httpx2.Client(base_url=server.url, trust_env=False, verify=False) as client:
        yield client


def exchange(server: ReplayServer, request: bytes) -> bytes:
    """Send these bytes and no more, and read until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def error_of(response: httpx2.Response) -> tuple[int, str]:
    """Status and code; checks that the body has the shape of the wire and nothing else."""
    assert response.headers["content-type"] == "application/json; charset=UTF-8"
    error = response.json()["error"]
    assert response.json() == {"error": {"message": error["message"], "code": error["code"]}}
    assert error["message"]
    return response.status_code, error["code"]


def python(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        # What starts the tests in the background lets them ignore it, and so would the program.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
