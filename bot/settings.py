"""Settings: environment variables, or a file `.env`, each with a default that works."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from auth.errors import OstiaryError
from retrieval.devices import DeviceName, DtypeName, QuantisationName


class UnusableSettings(OstiaryError):
    """A setting is unknown or has a value that cannot be; the message names it."""


def _default_home() -> Path:
    if os.name == "posix" and os.geteuid() == 0:
        return Path("/var/lib/ostiary")
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "ostiary"


def _is_postgresql(url: str) -> bool:
    try:
        return make_url(url).drivername.partition("+")[0] in {"postgresql", "postgres"}
    except (ArgumentError, ValueError):
        return False


class Settings(BaseSettings):
    """What may be set, each as `OSTIARY_<NAME>` unless another name is given here."""

    model_config = SettingsConfigDict(env_prefix="OSTIARY_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(
        default_factory=_default_home, description="Folder of the embedded database and caches."
    )
    database_url: str | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL >= 16 with pgvector >= 0.8. Empty: the embedded server.",
    )
    database_app_url: str | None = Field(
        None, validation_alias="DATABASE_APP_URL", description="Login of the role ostiary_app, if separate."
    )
    database_reader_url: str | None = Field(
        None, validation_alias="DATABASE_READER_URL", description="Login of ostiary_reader, if separate."
    )
    slack_bot_token: SecretStr | None = Field(
        None, validation_alias="SLACK_BOT_TOKEN", description="The bot's token, xoxb-..."
    )
    slack_app_token: SecretStr | None = Field(
        None,
        validation_alias="SLACK_APP_TOKEN",
        description="The app-level token, xapp-..., for Socket Mode.",
    )
    slack_signing_secret: SecretStr | None = Field(
        None,
        validation_alias="SLACK_SIGNING_SECRET",
        description="The app's signing secret, for HTTP mode.",
    )
    sockets: int = Field(
        1, ge=1, le=10, description="Socket Mode: connections to Slack, which carry on for one another."
    )
    http_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="HTTP mode: port where Slack's requests come in, behind a proxy. Empty: Socket Mode.",
    )
    http_host: str = Field("127.0.0.1", description="HTTP mode: address of this machine to listen at.")
    slack_api_url: str = Field("https://slack.com/api/", description="Slack's Web API.")
    workspace: str | None = Field(
        None, description="Slack team id for the command line, where there are many."
    )
    language_model: str = Field("packaged", description="`packaged`, a folder or a hub id.")
    embedding_model: str = Field("packaged", description="`packaged`, a folder or a hub id (384 dimensions).")
    reranker: str = Field(
        "packaged",
        description="`packaged` (late interaction), `none`, or a cross-encoder: a folder or a hub id.",
    )
    passage_variety: float = Field(
        0.05,
        ge=0,
        le=1,
        description="How much passages for an answer should differ: 0, the most relevant, to 1.",
    )
    rewrite_with_model: bool = Field(
        False,
        description="Let the language model word follow-ups anew: for one that is quick and good at it.",
    )
    adapter: Path | None = Field(None, description="Folder of a fine-tuned adapter for the language model.")
    device: DeviceName = Field("auto", description="Where models compute: `auto`, `cpu` or `cuda`.")
    dtype: DtypeName = Field(
        "auto", description="Numbers of the language model: `auto`, `float32`, `float16` or `bfloat16`."
    )
    quantisation: QuantisationName = Field(
        "none",
        description="`int8` halves the language model's weights again, and writes one answer at a time.",
    )
    max_tokens: int = Field(64, ge=1, le=8192, description="Longest text of the language model, in tokens.")
    together: int = Field(16, ge=1, description="Texts that the language model writes at the same time.")
    queue: int = Field(64, ge=1, description="Texts that may wait for the language model; more are refused.")
    queue_seconds: float = Field(120, gt=0, description="How long a text waits before it is given up.")
    generator_url: str | None = Field(
        None, description="An OpenAI-compatible server that writes instead: http://127.0.0.1:8000/v1"
    )
    generator_model: str | None = Field(None, description="Name of the model on that server.")
    generator_key: SecretStr | None = Field(None, description="Key of that server, if it wants one.")
    generator_context: int = Field(8192, ge=256, description="Tokens that the server's model holds.")
    generator_seconds: float = Field(60, gt=0, description="How long to wait for that server.")
    threads: int = Field(default_factory=lambda: min(os.cpu_count() or 1, 8), ge=1, description="For torch.")
    max_document_mb: int = Field(50, ge=1, description="Largest document that is read, in MB.")
    resync_minutes: float = Field(
        10, gt=0, description="How often people, user groups and channels are read anew from Slack."
    )
    strict_search: bool = Field(
        False, description="Search in a time that tells nothing of what the asker may not read; slower."
    )
    cross_check: float = Field(
        0.01, ge=0, le=1, description="Share of readings on which the two locks are compared, 0 to 1."
    )
    probe_hours: float = Field(
        24, ge=0, description="How often `ostiary serve` tries to get planted secrets out; 0: never."
    )
    metrics_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port on this machine where Prometheus may read figures. Empty: none.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "WARNING", description="Least to be logged."
    )

    @field_validator("database_url", "database_app_url", "database_reader_url")
    @classmethod
    def _leads_to_postgresql(cls, url: str | None) -> str | None:
        if url and not _is_postgresql(url):
            raise ValueError("write postgresql://user:password@host:5432/name")
        return url

    @field_validator("generator_url")
    @classmethod
    def _leads_to_a_server(cls, url: str | None) -> str | None:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("write http://host:port/v1")
        return url

    @property
    def cache(self) -> Path:
        """Where converted models are kept."""
        return self.home / "models"

    @property
    def writer(self) -> str:
        """The model that texts are written by, here or on a server: the one that an adapter must be for."""
        return (self.generator_model or "") if self.generator_url else self.language_model

    @property
    def max_document_bytes(self) -> int:
        return self.max_document_mb * 2**20


def load_settings() -> Settings:
    """The settings in force; raises UnusableSettings naming what is wrong, so that no typo goes unnoticed."""
    fields = Settings.model_fields.items()
    known = {f"OSTIARY_{name}".upper() for name, field in fields if field.validation_alias is None}
    named = {name.upper() for name in (*os.environ, *_names_in_file())}
    unknown = sorted(name for name in named if name.startswith("OSTIARY_") and name not in known)
    if unknown:
        raise UnusableSettings(f"Unknown setting {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        name = f"OSTIARY_{field}".upper() if field in Settings.model_fields else field
        raise UnusableSettings(f"The setting {name} cannot be used: {first['msg']}.") from error


def _names_in_file() -> Iterable[str]:
    try:
        return dotenv_values(".env")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableSettings(f"The file .env could not be read: {error}. It must be UTF-8 text.") from error
