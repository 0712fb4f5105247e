"""What went wrong in a soak test: counted by kind, with the first examples of each."""

from collections import Counter

_SHOWN = 5


class Problems:
    """Counts problems. Their number is not limited, but only the first ones are kept in full."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    def __len__(self) -> int:
        return self._counts.total()

    def add(self, kind: str, example: str) -> None:
        self._counts[kind] += 1
        examples = self._examples.setdefault(kind, [])
        if len(examples) < _SHOWN:
            examples.append(example)

    def lines(self) -> list[str]:
        """Return a line for each kind, and one for each example."""
        lines: list[str] = []
        for kind, count in self._counts.items():
            lines.append(f"{kind} ({count} times), such as:")
            lines.extend(f"  {example}" for example in self._examples[kind])
        return lines
