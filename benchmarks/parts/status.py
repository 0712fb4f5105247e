"""Compare status requests with a bare callable: without rules, and with rules that do not match."""

import msgspec

from benchmarks.bare_server import bare_server
from benchmarks.mock import mock_server
from benchmarks.requests import status_request
from benchmarks.rounds import RoundLimits, Rounds
from benchmarks.rules import hundred_rules
from benchmarks.workbench import Part, Workbench


def _rounds(bench: Workbench) -> Rounds:
    core = bench.cores.server
    with bare_server("status", core) as bare, mock_server(core) as mock:
        with_rules = msgspec.structs.replace(mock, key="bench-rules")
        tasks, tasks_with_rules = mock.submit(1), with_rules.submit(1)
        with_rules.control("PUT", "rules", {"rules": hundred_rules()})
        for loads in bench.loads(
            {
                "bare": (bare, status_request(tasks)),
                "mock": (mock.server, status_request(tasks)),
                "rules": (mock.server, status_request(tasks_with_rules, with_rules.key)),
            }
        ):
            yield {
                "status_rate_ratio": loads["mock"].per_s / loads["bare"].per_s,
                "status_p99_ratio": loads["mock"].p99_us / loads["bare"].p99_us,
                "rules_rate_ratio": loads["rules"].per_s / loads["bare"].per_s,
                "status_per_s": loads["mock"].per_s,
                "bare_status_per_s": loads["bare"].per_s,
                "rules_per_s": loads["rules"].per_s,
                "status_p99_us": loads["mock"].p99_us,
                "bare_p99_us": loads["bare"].p99_us,
                "status_core_share": loads["mock"].core_share,
                "bare_status_core_share": loads["bare"].core_share,
                "status_cpu_us": loads["mock"].cpu_us,
                "bare_status_cpu_us": loads["bare"].cpu_us,
                "rules_cpu_us": loads["rules"].cpu_us,
            }


STATUS = Part(
    name="status",
    measures="rate and p99 of status requests, also with 100 rules",
    decisive=("status_rate_ratio", "status_p99_ratio", "rules_rate_ratio"),
    limits=RoundLimits(least=10, most=40),
    rounds=_rounds,
)
