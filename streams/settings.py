"""All settings, from the environment (``VEILLE_``), an ``.env`` file or a secrets directory, checked at start."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.board.settings import BoardSettings
from streams.crisis.settings import CrisisSettings
from streams.detect.settings import DetectSettings
from streams.engine.settings import KafkaSettings
from streams.enrich.settings import EnrichSettings
from streams.respond.settings import RespondSettings
from streams.sources.settings import CollectSettings


class HttpSettings(BaseModel):
    """Where ``/metrics``, ``/ping`` and ``/ready`` answer. Read from ``VEILLE_HTTP__NAME``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(9464, ge=0, le=65535, description="Port to listen on; 0 picks a free one and logs it.")


class Settings(BaseSettings, KafkaSettings):
    """The whole configuration. Unknown names are refused."""

    model_config = SettingsConfigDict(
        env_prefix="VEILLE_", env_nested_delimiter="__", env_file=".env", frozen=True, extra="forbid", secrets_dir=None
    )

    watchlist: str = Field("", description="Watchlist file; empty: the topic `watchlist`.")
    stages: str = Field("enrich,detect,commands,crisis,evidence,respond", description="Which agents this worker runs.")
    worker_clock: bool = Field(True, description="Publish wall-clock records into owned raw partitions (off for a replay).")
    language: str = Field(
        "en", pattern="^(en|fr)$", description="Language of briefs, explained reasons and drills, where --language does not say."
    )
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level that is logged.")
    http: HttpSettings = HttpSettings()
    board: BoardSettings = BoardSettings()
    enrich: EnrichSettings = EnrichSettings()
    detect: DetectSettings = DetectSettings()
    crisis: CrisisSettings = CrisisSettings()
    respond: RespondSettings = RespondSettings()
    collect: CollectSettings = CollectSettings()


def variables(model: type[BaseModel] = Settings, prefix: str = "VEILLE_") -> Iterator[str]:
    """Yield the environment variable of each setting, such as ``VEILLE_ENGINE__STALL_SECONDS``."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from variables(inner, f"{prefix}{name.upper()}__")
        else:
            yield prefix + name.upper()
