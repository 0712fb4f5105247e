"""The contexts in which clauses were judged: combinations of what a client does."""

from collections.abc import Mapping

import msgspec


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario: the value of each factor, and the clauses that were judged in it."""

    values: Mapping[str, str]
    clauses: tuple[str, ...]
