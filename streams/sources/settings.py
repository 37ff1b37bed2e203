"""Settings of `veille collect`; what it collects stands in its sources file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class CollectSettings(BaseModel):
    """Read from ``VEILLE_COLLECT__NAME``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address of /metrics, /ping and /ready of `veille collect`.")
    port: int = Field(9466, ge=0, le=65535, description="Port of the same; 0 picks a free one and logs it.")
    state: str = Field("", description="Folder that keeps how far each source was read; empty: beside the sources file, `NAME.state`.")
