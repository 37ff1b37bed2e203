"""``veille worker``: runs the stages' agents against a Kafka."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.cli.options import Broker, Run, Watchlist, load_settings

HELP = """Run the agents: enrich, detect, commands, crisis, evidence, respond.

A worker with --run NAME reads a replay's own topics, whose clock is the replay's: it publishes no clock of its own.

Example: veille worker --broker kafka:9092 --watchlist brands.yaml

Exit codes: 0 stopped; 1 it could not go on without losing something (the log says why); 3 no broker; 4 bad settings; 130 interrupted."""


def command(
    broker: Broker = None,
    run: Run = None,
    watchlist: Watchlist = None,
    stages: Annotated[str | None, typer.Option("--stages", metavar="LIST", help="Which agents, by comma (VEILLE_STAGES).")] = None,
    clock: Annotated[bool | None, typer.Option("--clock/--no-clock", help="Publish wall-clock records (VEILLE_WORKER_CLOCK).")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port of /metrics, /ping and /ready (VEILLE_HTTP__PORT).")] = None,
) -> None:
    """Read the settings and hand over to the topology."""
    settings = load_settings(broker=broker, run=run, watchlist=str(watchlist) if watchlist else None, stages=stages, worker_clock=clock)
    if settings.run and clock is None:
        settings = settings.model_copy(update={"worker_clock": False})
    if port is not None:
        settings = settings.model_copy(update={"http": settings.http.model_copy(update={"port": port})})
    from streams import logs
    from streams.live import run_live

    logs.configure(settings.log_level)
    raise typer.Exit(run_live(settings))
