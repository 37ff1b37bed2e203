"""Settings of the respond stage, as values: the pure parts get this object and nothing else of the environment."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RespondSettings(BaseModel):
    """Read from ``VEILLE_RESPOND__NAME``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook_url: str = Field("", description="Where crisis events are posted (Standard Webhooks); empty: nowhere.")
    webhook_secret: str = Field("", repr=False, description="whsec_... secret that signs the posts.")
    webhook_attempts: int = Field(6, ge=1, description="Attempts before a notification goes to the dead letters.")
    allow_private_targets: bool = Field(False, description="Post to loopback and private addresses too.")
