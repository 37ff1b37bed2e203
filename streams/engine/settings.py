"""Settings of the engine: how it reaches Kafka, and how a worker reads, writes and saves.

Nothing here says where they come from: Veille's own `streams.settings` reads them from the environment.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class EngineSettings(BaseModel):
    """How the worker reads, writes and saves. Read from ``VEILLE_ENGINE__NAME``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_poll_records: int = Field(2000, ge=1, description="Records of one partition handed over at once.")
    fetch_partition_bytes: int = Field(4 << 20, ge=1 << 20, description="Most bytes of one partition in one fetch.")
    batches_in_flight: int = Field(4, ge=1, description="Batches of one partition that may wait for its stage.")
    checkpoint_seconds: float = Field(5.0, gt=0, description="Longest time between two checkpoints.")
    checkpoint_records: int = Field(50_000, ge=1, description="Most records between two checkpoints.")
    changelog_rewrite_bytes: int = Field(0, ge=0, description="Write every state anew after this many changelog bytes; 0: never.")
    send_timeout_seconds: float = Field(30.0, gt=0, description="Deadline of one delivery.")
    producer_linger_ms: int = Field(10, ge=0, description="How long the producer waits to fill a batch.")
    producer_batch_bytes: int = Field(262_144, ge=1024, description="Size of one producer batch.")
    compression: str = Field("zstd", pattern="^(none|gzip|lz4|zstd|snappy)$", description="Compression of what is produced.")
    session_timeout_seconds: float = Field(20.0, ge=1, description="The group gives a silent worker's partitions away after this.")
    group_instance_id: str = Field("", description="Static membership: a name that stays over restarts of this worker.")
    watermark_ms: int = Field(100, ge=1, description="Least time between two watermark records.")
    max_skew_seconds: int = Field(3600, ge=60, description="A raw partition this far ahead of the slowest is not read.")
    stall_seconds: float = Field(120.0, gt=0, description="Lag without progress for this long ends the worker.")
    stop_grace_seconds: float = Field(20.0, gt=0, description="A stop takes no longer than this.")
    rejected_share_limit: float = Field(0.5, gt=0, le=1, description="Share of refused records, over the last 1000 of a partition.")
    rejected_run_limit: int = Field(1000, ge=1, description="Refused records in a row, of one partition, that stop the worker.")


class KafkaSettings(BaseModel):
    """A Kafka, the names of topics and of the group there, and the engine's own settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    broker: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers, host:port, comma-separated.")
    security_protocol: str = Field("PLAINTEXT", pattern="^(PLAINTEXT|SSL|SASL_SSL)$", description="SASL goes over TLS only.")
    ssl_cafile: str = Field("", description="CA certificate file (PEM) for TLS; empty: those of the system.")
    ssl_certfile: str = Field("", description="Client certificate file (PEM), where the broker asks for one.")
    ssl_keyfile: str = Field("", description="Key of the client certificate (PEM); empty: it is in the certificate's file.")
    ssl_key_password: SecretStr = Field(SecretStr(""), description="Password of an encrypted key.")
    sasl_mechanism: str = Field("PLAIN", pattern="^(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512)$", description="SASL mechanism.")
    sasl_username: str = Field("", description="SASL user.")
    sasl_password: SecretStr = Field(SecretStr(""), description="SASL password.")
    group: str = Field("veille", pattern="^[A-Za-z0-9._-]+$", description="Consumer group and prefix of changelog topics.")
    topic_prefix: str = Field("", pattern="^[A-Za-z0-9._-]*$", description="Put before every topic name.")
    run: str = Field("", pattern="^[a-z0-9_-]*$", description="A replay's own topics and group: `NAME.` goes before every topic.")
    partitions: int = Field(4, ge=1, description="Partitions of topics that Veille creates, where the topic file names none.")
    replication: int = Field(1, ge=1, description="Replication factor of topics that Veille creates.")
    engine: EngineSettings = EngineSettings()

    def topic(self, name: str) -> str:
        """Return the broker's name of a logical topic."""
        return f"{self.topic_prefix}{self.run + '.' if self.run else ''}{name}"

    @property
    def group_id(self) -> str:
        """The consumer group, one for each run."""
        return f"{self.topic_prefix}{self.run + '.' if self.run else ''}{self.group}"
