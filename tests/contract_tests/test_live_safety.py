"""A live run costs money and somebody's quota: what it may not do, it cannot do."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.contract.provider import GENERATE
from contract_tests.contract.register import Clause
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.case import Case, Time
from contract_tests.server.catalogue import SUITES, all_cases
from contract_tests.server.events import Response, build_request
from contract_tests.server.guard import MOST_BELIEVABLE, images_of
from contract_tests.server.options import Options, default_suite, is_live, skip_reason
from contract_tests.server.probe import TROUBLE, Probe
from contract_tests.server.properties import for_all
from contract_tests.server.targets import is_loopback
from tests.contract_tests.commands import NETWORK_USED, contract_tests
from tests.contract_tests.fakes import REGISTER, FakeWorld, a_case, a_target, find, judged, runner

LIVE = "https://api.example.test"
KEY = {"APIXO_API_KEY": "sk-live-0123456789"}


@pytest.mark.parametrize("words", [(), ("--base-url", "http://127.0.0.1:9")])
def test_the_watch_over_the_network_bites(words: tuple[str, ...]) -> None:
    assert contract_tests("run", *words, is_watched=True).returncode == NETWORK_USED


@pytest.mark.parametrize(
    ("words", "env", "lacking"),
    [
        pytest.param((), {}, ("--live", "APIXO_API_KEY", "--budget"), id="nothing"),
        pytest.param(("--budget", "1"), KEY, ("--live",), id="no --live"),
        pytest.param(("--live", "--budget", "1"), {}, ("APIXO_API_KEY",), id="no key"),
        pytest.param(("--live",), KEY, ("--budget",), id="no budget"),
        pytest.param(
            ("--live", "--budget", "1", "--second-api-key", "sk-live-9876543210"),
            KEY,
            ("APIXO_SECOND_API_KEY",),
            id="a second key on the command line",
        ),
        pytest.param(
            ("--live", "--budget", "1", "--api-key", "sk-live-0123456789"),
            {},
            ("APIXO_API_KEY",),
            id="a key on the command line",
        ),
        pytest.param(
            ("--live", "--budget", "1", "--api-key", "sk-live-0123456789"),
            KEY,
            ("APIXO_API_KEY",),
            id="a key on the command line over the one of the environment",
        ),
        pytest.param(
            ("--live", "--budget", "1"),
            {"APIXO_API_KEY": "  "},
            ("APIXO_API_KEY",),
            id="an empty key",
        ),
    ],
)
def test_a_live_run_needs_all_three_and_sends_nothing_without(
    words: tuple[str, ...], env: dict[str, str], lacking: tuple[str, ...]
) -> None:
    ended = contract_tests("run", "--base-url", LIVE, *words, env=env, is_watched=True)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "No request was sent" in ended.stderr
    switches = ("--live", "APIXO_API_KEY", "APIXO_SECOND_API_KEY", "--budget")
    named = {name for name in switches if name in ended.stderr}
    assert named == set(lacking)
    assert "sk-live" not in ended.stderr


@pytest.mark.parametrize("budget", ["-1", "nan", "infinity", "much", ""])
def test_a_budget_has_a_bound(budget: str) -> None:
    words = ("--base-url", LIVE, "--live", "--budget", budget)

    assert contract_tests("run", *words, env=KEY, is_watched=True).returncode == 2


def test_a_loopback_address_that_is_declared_live_needs_all_three_as_well() -> None:
    words = ("--base-url", "http://127.0.0.1:9", "--live")

    assert contract_tests("run", *words, env=KEY, is_watched=True).returncode == 2


@pytest.mark.parametrize("key", ["sk live", "sk-\N{LATIN SMALL LETTER E WITH ACUTE}", "sk\nx"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    words = ("--base-url", LIVE, "--live", "--budget", "1")
    ended = contract_tests("run", *words, env={"APIXO_API_KEY": key}, is_watched=True)

    assert ended.returncode == 2
    assert key not in ended.stderr


@pytest.mark.parametrize(
    "url",
    [
        "http://0.0.0.0:8080",
        "http://10.0.0.1",
        "http://localhost.example.test",
        "http://127.0.0.1.example.test",
        "http://notlocalhost",
        "https://[::2]",
        "http://169.254.169.254",
    ],
)
def test_what_is_not_surely_this_machine_is_live(url: str) -> None:
    assert is_live(Options(base_url=url))
    assert default_suite(Options(base_url=url)) == "smoke"


@pytest.mark.parametrize("url", ["http://127.0.0.1:80", "http://[::1]:80", "http://LOCALHOST:80"])
def test_loopback_is_told_from_the_address_alone(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize("suite", SUITES)
def test_a_plan_sends_nothing_and_tells_the_worst_cost(suite: str) -> None:
    ended = contract_tests("plan", "--base-url", LIVE, "--suite", suite, is_watched=True)
    *lines, total = ended.stdout.splitlines()

    assert ended.returncode == 0
    assert lines
    assert total.startswith("maximum cost: $")


def test_the_worst_cost_of_a_plan_is_that_of_its_cases() -> None:
    asked = [
        case
        for case in all_cases()
        if case.is_smoke and not skip_reason(case, a_target(is_live=True), Options())
    ]
    worst = sum(35 * max(case.images, case.worst_images) for case in asked)  # cents

    total = contract_tests("plan", "--base-url", LIVE).stdout.splitlines()[-1]

    assert total.startswith(f"maximum cost: ${worst // 100}.{worst % 100:02}, ")


def test_an_absurd_number_of_images_is_not_taken_at_its_word() -> None:
    submit = build_request("POST", GENERATE, body={"input": {"prompt": "x", "num_images": 2**63}})

    assert images_of(submit) == MOST_BELIEVABLE


def test_an_empty_account_is_no_failure_of_a_live_service_by_whatever_status() -> None:
    told = Response(status=400, body=b'{"code":400,"message":"Insufficient credits","data":null}')
    result = judged(a_case(), FakeWorld(lambda _: told), is_live=True).result

    assert result.verdict is Verdict.ERROR


@pytest.mark.parametrize("status", sorted(TROUBLE & {402, 403, 429, 500, 502, 503, 599}))
class TestTrouble:
    def test_is_no_failure_of_a_live_service_when_nobody_provoked_it(self, status: int) -> None:
        result = judged(a_case(), answering(status), is_live=True).result

        assert result.verdict is Verdict.ERROR
        assert str(status) in result.reason

    def test_is_judged_when_the_case_provoked_it(self, status: int) -> None:
        result = judged(a_case(provokes=(status,)), answering(status), is_live=True).result

        assert result.verdict is Verdict.PASS

    def test_is_judged_on_loopback_unless_it_may_be_a_limit(self, status: int) -> None:
        """Without a control plane, nobody knows the limits and the balance of a server."""
        expected = Verdict.INCONCLUSIVE if status in {402, 429} else Verdict.PASS

        assert judged(a_case(), answering(status)).result.verdict is expected


@pytest.mark.parametrize("clause", [pytest.param(each, id=each.id) for each in REGISTER])
def test_a_live_service_only_fails_what_it_has_firmly_promised(clause: Clause) -> None:
    case = a_case(find(holds=False, clause=clause.id), clauses=(clause.id,))
    is_firm = clause.certainty in {"seed", "docs"} and clause.level == "MUST"

    on_loopback = judged(case).result.verdict  # The target of this test is not the mock.
    is_documented = clause.certainty in {"seed", "docs"}
    assert on_loopback is (Verdict.FAIL if is_documented else Verdict.WARN)
    on_live = judged(case, is_live=True).result.verdict
    assert on_live is (Verdict.FAIL if is_firm else Verdict.WARN)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=12))
def test_free_cases_begin_first_and_those_that_use_up_a_limit_last(
    kinds: list[tuple[int, bool]],
) -> None:
    asked: list[int] = []

    def noted(number: int) -> Callable[[Probe], None]:
        return lambda _: asked.append(number)

    cases = [
        a_case(noted(number), case_id=f"S-SUB-{number}", images=images, worst_images=images,
               exhausts=exhausts)
        for number, (images, exhausts) in enumerate(kinds)
    ]  # fmt: skip

    told = [ran.result.id for ran in runner(is_live=True).run(cases, workers=1)]

    assert sorted(told) == sorted(case.id for case in cases)
    costs = [(cases[number].exhausts, cases[number].images) for number in asked]
    assert costs == sorted(costs)


def test_slow_cases_start_first_if_each_case_has_a_key_of_its_own() -> None:
    cases = [
        a_case(case_id="S-SUB-901"),
        a_case(case_id="S-SUB-902", is_slow=True),
        a_case(case_id="S-SUB-903", exhausts=True),
    ]
    started: list[str] = []

    list(runner().run(cases, 1, started.append))

    assert started == ["S-SUB-902", "S-SUB-903", "S-SUB-901"]


def test_in_real_time_a_case_that_runs_alone_ends_before_the_others_start() -> None:
    steps: list[str] = []

    def noted(probe: Probe) -> None:
        probe.check("SUB-1", holds=True, expected="", seen="")
        steps.append("ended")

    cases = [
        a_case(case_id="S-SUB-901", is_slow=True),
        a_case(case_id="S-SUB-902"),
        a_case(noted, case_id="S-SUB-903", runs_alone=True),
    ]

    list(runner().run(cases, 4, steps.append))

    assert steps[:2] == ["S-SUB-903", "ended"]
    assert sorted(steps[2:]) == ["S-SUB-901", "S-SUB-902"]


@pytest.mark.parametrize(
    ("case", "options", "why"),
    [
        (a_case(exhausts=True), Options(), "--allow-exhaustion"),
        (a_case(needs_receiver=True), Options(), "--receiver-url"),
        (a_case(loopback_only="breaks the rules"), Options(), "breaks the rules"),
        (a_case(needs_control=True), Options(), "control plane"),
        (a_case(time=Time.LONG), Options(), "takes days without a control plane"),
        (a_case(exhausts=True), Options(allow_exhaustion=True), ""),
        (a_case(needs_receiver=True), Options(receiver_url="https://kit.example.test"), ""),
        (a_case(images=4), Options(), ""),
    ],
)
def test_what_a_live_service_is_not_asked_is_skipped_with_the_reason(
    case: Case, options: Options, why: str
) -> None:
    reason = skip_reason(case, a_target(is_live=True), options)

    assert bool(reason) == bool(why)
    assert why in reason


def test_a_property_is_asked_of_a_live_service_with_its_fixed_examples_only() -> None:
    fixed = ("a fox", "a hare")

    def run(probe: Probe) -> None:
        def judge(prompt: str) -> None:
            answer = probe.submit(prompt=prompt)
            probe.check("SUB-1", answer.status == 500, expected="never", seen=answer)

        for_all(probe, st.text(), judge, fixed=fixed, max_examples=50)

    world = FakeWorld()
    result = judged(a_case(run), world, is_live=True).result

    assert [json.loads(each.body)["input"]["prompt"] for each in world.asked] == list(fixed)
    assert result.verdict is Verdict.FAIL


def answering(status: int) -> FakeWorld:
    return FakeWorld(lambda _: Response(status=status, body=b"{}"))
