"""The limits of the sandboxes in a race: small enough that requests meet them."""

from mock_server.settings import Settings

MAX_CONCURRENT = 12
RATE = 60  # Requests in 60 seconds.
BALANCE_MICROUSD = 100_000_000_000
PRICE_MICROUSD = 35_000

SETTINGS = Settings(clock="manual", seed=7, max_concurrent=MAX_CONCURRENT, rate_limit=RATE)
