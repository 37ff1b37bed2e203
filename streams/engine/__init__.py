"""Batch-first Faust: transport, outbox, keyed state, dead letters, liveness, embedded broker. Knows nothing of mentions."""
