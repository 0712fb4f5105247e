"""The provider's endpoints, and the words in its responses that the kit uses."""

from typing import Final

GENERATE: Final = "/api/v1/generateTask/gpt-image-1"
STATUS: Final = "/api/v1/statusTask/gpt-image-1"
BALANCE: Final = "/api/v1/apikeys/current-balance"
FINAL: Final = ("success", "failed")
"""The final states. A tuple: a server may send a state that cannot be hashed."""
