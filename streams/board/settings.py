"""Settings of the crisis room."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class BoardSettings(BaseModel):
    """Where the page answers, and how long it shows what is over. Read from ``VEILLE_BOARD__NAME``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on. The page asks nobody who he is: another address needs a proxy.")
    port: int = Field(9465, ge=0, le=65535, description="Port to listen on; 0 picks a free one and says it.")
    hosts: str = Field("", description="More host names by which browsers may ask for the page, comma-separated (those of a proxy).")
    days: int = Field(7, ge=1, le=365, description="Days for which a crisis that is over stays on the page.")
