"""Nights of several trials on a Dask cluster that is there already: it is told the path of each, and nothing else."""

from __future__ import annotations

import ipaddress
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from trialdesk.config.values import LOOPBACK
from trialdesk.errors import INTERNAL, ConfigError
from trialdesk.nightly.several import Ended, night

if TYPE_CHECKING:
    from distributed import Client, Future

SCRIPT = Path(__file__).parents[3] / "scripts" / "nightly_sync.py"
"""The script of a worker's own checkout."""
TAKEOVER = 120
"""Seconds a night on a worker waits for another to end: the lock of a machine that vanished is free within them."""
SECONDS = 30
"""How long a scheduler may take to answer, and a cluster to have its first worker."""
WITHOUT = 30
"""How long a cluster may be without any worker while nights wait for one."""
_LOOK = 0.5


def run_on_cluster(
    configs: Sequence[Path], address: str, form: str, told: Callable[[Ended], None]
) -> tuple[Ended, ...]:
    """Every trial's night has ended on some worker; the results in order of the configurations.

    The night of a worker that is lost ends with it, and the scheduler gives its trial to another.

    Args:
        configs: The configurations; a worker finds each under the same absolute path, with its tokens.
        address: The scheduler's, `tls://HOST:PORT`, or `tcp://` on this machine.
        form: What runs one night: `--once` or `--if-due`.
        told: Told of each as it ends.

    Raises:
        ConfigError: the extra `cluster` is not installed; the address, or that of a worker, is neither TLS nor on this
            machine; or no scheduler answers, or it has no worker.
    """
    prove_private(address)
    begun = time.monotonic()
    with _client(address) as client:
        waiting = {
            client.submit(on_worker, str(config.absolute()), form, key=f"night-{uuid4()}", pure=False): config
            for config in configs
        }
        ended: dict[Path, Ended] = {}
        for future in _as_they_end(client, list(waiting)):
            config = waiting[future]
            ended[config] = one = _result(future, config, time.monotonic() - begun)
            told(one)
        return tuple(ended[config] for config in configs)


def on_worker(path: str, form: str) -> tuple[int, float, str]:
    """The night of one trial has ended on this worker, or is told to end when the worker is lost.

    Returns:
        Its exit code, its seconds, and what it said last.
    """
    end, rope = os.pipe()
    tether = (sys.executable, "-m", "trialdesk.nightly.tether", str(SCRIPT), form, "--wait", str(TAKEOVER))
    try:
        ended = night(Path(path), tether, [], end)
    finally:
        os.close(end)
        os.close(rope)
    return ended.code, ended.seconds, ended.said


def prove_private(address: str) -> None:
    """What is sent to this address is encrypted, or does not leave this machine.

    Raises:
        ConfigError: neither.
    """
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.scheme == "tls" or (parts.scheme == "tcp" and _on_this_machine(parts.hostname or "")):
        return
    raise ConfigError(
        f"{address}: on a network only tls:// is used, with the certificates of Dask's own configuration "
        "(distributed.comm.tls); tcp:// is for a cluster on this machine"
    )


def _on_this_machine(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host in LOOPBACK


@contextmanager
def _client(address: str) -> Iterator[Client]:
    """A client of a scheduler that has workers, all of them private."""
    try:
        from distributed import Client
    except ImportError:
        raise ConfigError("--dask needs Dask: .venv/bin/pip install dask distributed (extra `cluster`)") from None

    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).disabled = True  # what is lost is told with the trial it was at work on
    try:
        client: Client = Client(address, timeout=SECONDS, set_as_default=False, name="trialdesk")
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"--dask {address}: no scheduler answers ({type(error).__name__}); for tls:// the certificates stand in "
            "Dask's configuration, distributed.comm.tls"
        ) from None
    with client:
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=SECONDS)
        workers = _workers(client)
        if not workers:
            raise ConfigError(f"--dask {address}: the cluster has no worker; start one: dask worker {address}")
        for worker in workers:
            prove_private(worker)
        yield client


def _workers(client: Client) -> Mapping[str, Any]:
    workers: Mapping[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
    return workers


def _as_they_end(client: Client, waiting: list[Future[Any]]) -> Iterator[Future[Any]]:
    """The futures, each once it has ended; those that are left when no worker is there any more, as they are."""
    seen = time.monotonic()
    while waiting:
        for future in [one for one in waiting if one.done()]:
            waiting.remove(future)
            yield future
        if client.status != "running":
            break
        if _workers(client):
            seen = time.monotonic()
        if time.monotonic() - seen > WITHOUT:
            break
        time.sleep(_LOOK)
    yield from waiting


def _result(future: Future[Any], config: Path, seconds: float) -> Ended:
    if future.status == "finished":
        code, seconds, said = future.result()
        return Ended(config, code, seconds, said)
    if future.status == "error":
        what = type(future.exception()).__name__
        said = f"the cluster could not run it ({what}); is trialdesk the same on its workers?"
    else:
        said = "the cluster lost its scheduler or its last worker; look at it, and run again"
    return Ended(config, INTERNAL, seconds, said)
