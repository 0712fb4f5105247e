"""The settings of the server: declared in `server`, read by `sources`, described by the others."""

from mock_server.settings.server import Settings as Settings
from mock_server.settings.sources import load_settings as load_settings
