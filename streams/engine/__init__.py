"""The engine: Faust in batches. It knows nothing of mentions.

Read it in this order:

- `stage`: what a stage is (a pure part for each input partition), `memory`: the same stages over logs in memory;
- `records`, `inline`, `transport`: whole record batches from Kafka to the agents, at each partition's own pace;
- `outbox`: an idempotent producer that knows what is delivered;
- `changelog`: states in Kafka, written at checkpoints and read back in batches;
- `runner`: one stage on one partition; `assignment`: which partitions are owned; `member`: one consumer group;
  `worker`: the whole, until it is told to stop; `ending`: how it ends, by force where it must;
- `deadletters`, `topics`, `connection`, `positions`, `meter`: limits, topics, credentials, hold-back, numbers;
- `embedded`: a broker inside the process, for trying and for tests.

The order of a checkpoint is the whole promise: outputs confirmed, states confirmed, the cut confirmed, then the commit. Whatever
happens in between comes again, and the stages recognise it.
"""
