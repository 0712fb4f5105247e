"""Parses amounts of US dollars."""

from decimal import Decimal, InvalidOperation


def parse_dollars(text: str) -> Decimal:
    """Return the amount. Raise ValueError, as option parsers expect, for an invalid amount."""
    try:
        amount_usd = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f'must be an amount in US dollars, such as 2.50 (got "{text}")') from error
    if not amount_usd.is_finite() or amount_usd < 0:
        raise ValueError(f'must be 0 or more (got "{text}")')
    return amount_usd
