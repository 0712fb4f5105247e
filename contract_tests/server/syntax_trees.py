"""Lets one thread at a time build a syntax tree, because of a defect of some versions of Python.

Hypothesis parses the source of lambdas, and runs Python code whenever the garbage collector runs.
If the collector runs while one thread builds a tree, another thread may begin a tree of its own.
Both then get a SystemError, "AST constructor recursion depth mismatch" (CPython 3.11.7 does this).
On a busy machine, two cases ended with that error at the same time.
"""

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any, Final

_LOCK: Final = RLock()


@contextmanager
def one_tree_at_a_time() -> Iterator[None]:
    """Make `ast.parse` wait for other threads inside the block."""
    parse: Callable[..., Any] = ast.parse

    def parse_alone(*arguments: Any, **named: Any) -> Any:
        with _LOCK:
            return parse(*arguments, **named)

    ast.parse = parse_alone
    try:
        yield
    finally:
        ast.parse = parse
