"""Dollars, as a person writes them."""

from decimal import Decimal, InvalidOperation


def dollars(text: str) -> Decimal:
    """Return the amount. Raises ValueError for what is none, or has no bound."""
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no number of dollars") from error
    if not amount.is_finite() or amount < 0:
        raise ValueError("must be 0 or more")
    return amount
