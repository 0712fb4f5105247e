"""Read the catalogue from the data files of a checkout or an installed wheel."""

from pathlib import Path

import msgspec

from mock_server.domain.catalogue import Catalogue, Model, parse_fail_messages, parse_model
from mock_server.domain.errors import InvalidValue, reason_of
from mock_server.domain.moderation import parse_words
from mock_server.settings import Settings

_ROOT = Path(__file__).parents[1]
_INSTALLED = _ROOT / "apixo_testkit" / "_fixtures"
FIXTURES = _INSTALLED if _INSTALLED.is_dir() else _ROOT / "fixtures"


def load_catalogue(settings: Settings) -> Catalogue:
    """Return the catalogue with the changes of the settings.

    Raise InvalidValue if the word list of --moderation cannot be read.
    """
    models = [
        parse_model(path.read_bytes()) for path in sorted((FIXTURES / "models").glob("*.toml"))
    ]
    return Catalogue(
        models={model.id: _with_settings(model, settings) for model in models},
        fail_messages=parse_fail_messages((FIXTURES / "contract" / "fail_codes.toml").read_bytes()),
        moderated_words=_read_words(settings.moderation),
    )


def _read_words(file: str | None) -> frozenset[str]:
    path = Path(file) if file else FIXTURES / "moderation.txt"
    try:
        return parse_words(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidValue("--moderation", f"cannot read {path}: {reason_of(error)}") from error


def _with_settings(model: Model, settings: Settings) -> Model:
    """Return the model with the price and result lifetime of the settings (BIL-3, RES-1)."""
    changes: dict[str, float] = {}
    if settings.price_usd is not None:
        changes["price_usd"] = settings.price_usd
    if settings.result_ttl_ms is not None:
        changes["result_ttl_s"] = settings.result_ttl_ms / 1000
    return msgspec.structs.replace(model, **changes)
