"""`python -m infra.kafka [--brokers 1|3] [--port N] [--keep DIR]`: prints the bootstrap servers and runs until it is interrupted."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from infra.kafka import VERSION, DidNotStart, KafkaCluster, Missing


def main() -> int:
    """Run a cluster in the foreground until SIGINT, SIGTERM or SIGHUP. Killed outright, it takes its brokers along all the same."""
    parser = argparse.ArgumentParser(description="A real Apache Kafka on loopback, without Docker.")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1)
    parser.add_argument("--port", type=int, default=9092, help="first broker's port; 0 picks a free one")
    parser.add_argument("--keep", type=Path, help="folder for the store, kept afterwards; without it everything is removed")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    cluster = KafkaCluster(brokers=arguments.brokers, keep=arguments.keep, port=arguments.port)
    try:
        cluster.start()
        print(cluster.bootstrap, flush=True)
        print(f"Apache Kafka {VERSION} is ready on {cluster.bootstrap}; Ctrl-C stops it.", file=sys.stderr, flush=True)
        while all(broker.pid for broker in cluster.brokers):
            time.sleep(0.5)
        ended = next(broker for broker in cluster.brokers if not broker.pid)
        print(f"broker {ended.node} ended:\n{ended.tail()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    except (Missing, DidNotStart) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        cluster.stop()


if __name__ == "__main__":
    sys.exit(main())
