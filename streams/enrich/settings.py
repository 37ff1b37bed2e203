"""Settings of the enrich stage, as values: the pure parts get this object and nothing else of the environment."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class EnrichSettings(BaseModel):
    """Read from ``VEILLE_ENRICH__NAME``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    early_limit_seconds: int = Field(300, ge=0, description="A mention later than the clock by more than this is moved to the clock.")
    clock_ahead_limit_seconds: int = Field(300, ge=0, description="A clock this far ahead of its own Kafka timestamp is rejected.")
    allowed_disorder_seconds: int = Field(0, ge=0, description="The watermark stays this far behind the greatest clock.")
    duplicate_window_hours: int = Field(24, ge=0, description="The same id within this much event time counts once.")
    duplicate_capacity: int = Field(2_000_000, ge=1000, description="Ids remembered a raw partition; beyond it the oldest bucket goes.")
    source_silent_seconds: int = Field(300, ge=10, description="A source whose clock lags the partition's by more than this is silent.")
    text_limit: int = Field(1000, ge=0, le=8192, description="Characters of the text that travel on in mentions.enriched.")
    analysed_characters: int = Field(2000, ge=100, le=8192, description="Characters that language, polarity, words and terms look at.")
    past_limit_days: int = Field(3650, ge=1, description="A mention older than the clock by more than this is rejected.")
    author_key: str = Field("veille-development-key", min_length=8, repr=False, description="Key of the hash that replaces author ids.")
