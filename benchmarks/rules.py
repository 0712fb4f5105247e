"""A hundred rules of every kind, none of which matches a status request of the benchmarks."""

from itertools import cycle, islice

_KINDS: list[dict[str, object]] = [
    {"match": {"operation": "submit", "prompt": "cat"}, "apply": {"outcome": {"fail": "NSFW"}}},
    {
        "match": {"operation": "submit", "prompt_regex": "^a (cat|dog)"},
        "apply": {"refuse": {"status": 503}},
    },
    {
        "match": {"operation": ["submit", "status"], "prompt": "a rule of another test"},
        "apply": {"latency": "400ms"},
    },
    {
        "match": {"operation": "status", "prompt": "blue", "nth": "2..4"},
        "apply": {"refuse": {"status": 500}},
    },
    {
        "match": {"operation": "status", "state": "success"},
        "apply": {"meaning": "result-urls-empty"},
    },
    {
        "match": {"operation": "status", "state": "failed", "times": 2},
        "apply": {"wire": "half-body"},
    },
    {"match": {"header": {"X-Test": "outage"}}, "apply": {"refuse": {"status": 502}}},
    {
        "match": {"operation": "status", "header": {"X-Test": "slow"}, "probability": 0.5},
        "apply": {"latency": "1s"},
    },
    {
        "match": {"operation": "status", "prompt": "dog", "state": "pending", "nth": "every 3"},
        "apply": {"wire": "close"},
    },
    {"match": {"operation": "callback", "attempt": 1}, "apply": {"callback": "drop"}},
]


def hundred_rules() -> list[dict[str, object]]:
    return list(islice(cycle(_KINDS), 100))
