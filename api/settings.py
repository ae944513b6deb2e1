"""What an operator can set, from the environment (prefix `SAMSYN_`, and the usual `DATABASE_URL`)."""

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

BASE_PATH = "/samsyn/v1"


class Settings(BaseSettings):
    """The service's settings; every one is described in the README and has a safe default."""

    model_config = SettingsConfigDict(env_prefix="SAMSYN_", frozen=True, extra="ignore", populate_by_name=True)

    environment: Literal["development", "production"] = Field(
        default="development",
        description="production refuses the development token issuer and the embedded database",
    )
    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "SAMSYN_DATABASE_URL", "database_url"),
        description="postgresql://… of a PostgreSQL 15 or newer; unset: the embedded server",
    )
    data_dir: Path = Field(default=Path(".samsyn"), description="where the embedded database and development keys live")
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="scheme and host that callers see, without a trailing slash",
    )
    issuer: str = Field(default="https://issuer.samsyn.example", description="the `iss` that access tokens must carry")
    audience: str = Field(
        default="https://samsyn.example/samsyn/v1", description="the `aud` that access tokens must carry"
    )
    jwks: str | None = Field(
        default=None,
        description="https URL or file path of the issuer's JWKS; unset in development: the development key",
    )
    data_keys: Path | None = Field(
        default=None,
        description="file with the keys that texts about persons are sealed with; development: made in data_dir",
    )
    ledger_key: Path | None = Field(
        default=None,
        description="file with the Ed25519 key that signs the ledger; unset in development: made in data_dir",
    )
    ledger_signed: Path | None = Field(
        default=None,
        description="file that remembers what the ledger's key has signed; unset: beside the key, with `.signed` added",
    )
    ledger_origin: str = Field(
        default="samsyn.example/ledger",
        pattern=r"^[^\s+]+$",
        description="name of the ledger and of its key, for ever; without a scheme, such as samsyn.example/ledger",
    )
    incident_radius_m: int = Field(
        default=150,
        ge=1,
        le=2000,
        description="metres from outline to station that tie an incident to a scene",
    )
    decision_max_days: int = Field(
        default=365,
        ge=1,
        le=366,
        description="longest life of a disclosure decision, in days: what goes on longer is decided again",
    )
    body_limit_bytes: int = Field(default=1_048_576, ge=1024, description="largest body of an ordinary request")
    feed_limit_bytes: int = Field(default=268_435_456, ge=1024, description="largest body of an incident batch")
    read_connections: int = Field(default=8, ge=1, le=200, description="connections of each role of the read path")

    @model_validator(mode="after")
    def _production_is_explicit(self) -> "Settings":
        """Refuse a production setting that would rest on a development default."""
        if self.environment == "production":
            needed = ("jwks", "database_url", "data_keys", "ledger_key")
            missing = [name for name in needed if getattr(self, name) is None]
            if missing:
                raise ValueError(f"production needs {', '.join(missing)} to be set")
        return self

    @property
    def api_url(self) -> str:
        """Absolute URL of the API root, without a trailing slash."""
        return self.public_url + BASE_PATH
