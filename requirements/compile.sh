#!/usr/bin/env bash
# Writes the lock files anew from pyproject.toml (`make lock`). One resolution, three depths: run, dev, bench.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { .venv/bin/uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-header "$@" pyproject.toml; }
compile -o requirements/bench.lock --extra dev --extra report --extra bench --extra train
compile -o requirements/dev.lock --extra dev --extra report -c requirements/bench.lock
compile -o requirements/run.lock -c requirements/bench.lock
