"""What clauses say about an answer, and whether it holds."""

import msgspec


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a clause says about an answer, and whether it holds.

    `python` says the same as an expression of `answer`, an httpx response, and `data`, the
    envelope's member, or of `bodies`, the bodies of the received callbacks.
    """

    clause: str
    holds: bool
    expected: str
    python: str = "False"
    seen: str | None = None
    is_choice: bool = False
    """Whether this project chose what is expected, although pages state the clause."""
    is_slow: bool = False
    """Whether it took real time to find that the claim does not hold."""
