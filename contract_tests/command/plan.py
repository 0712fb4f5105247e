"""`contract-tests plan`: show the cases and the cost of a run without sending a request."""

from typing import Any

import click

from contract_tests.command.switches import (
    options_of,
    selected_cases,
    with_selection_options,
    with_target_options,
)
from contract_tests.contract.text import count
from contract_tests.server.case import Case
from contract_tests.server.catalogue import sort_for_run
from contract_tests.server.guard import PRICE_USD
from contract_tests.server.options import Options, default_suite, is_live, skip_reason
from contract_tests.server.target import Target


@click.command("plan")
@with_target_options
@with_selection_options
def plan_command(**given: Any) -> int:
    """Print the cases of a run and their maximum cost. Sends nothing."""
    options = options_of(given)
    cases = selected_cases(given, default_suite(options))
    images = worst_images = 0
    click.echo(f"{'case':12} {'cost (maximum)':16} {'time':14} title")
    for case in sort_for_run(cases):
        reason = _skip_reason(case, options)
        if reason:
            click.echo(f"{case.id:12} skipped: {reason}")
            continue
        worst = max(case.images, case.worst_images)
        images += case.images
        worst_images += worst
        cost = f"${case.images * PRICE_USD} (${worst * PRICE_USD})"
        click.echo(f"{case.id:12} {cost:16} {case.time:14} {case.title}")
    click.echo(
        f"One image is counted at ${PRICE_USD}, the highest documented price."
        " A run stops before it exceeds its budget."
    )
    click.echo(
        f"expected cost: ${images * PRICE_USD} for {count(images, 'image')}, if the service keeps"
        " the contract"
    )
    click.echo(
        f"maximum cost: ${worst_images * PRICE_USD}, if the service accepts and bills everything"
        " that it should reject"
    )
    return 0


def _skip_reason(case: Case, options: Options) -> str:
    target = Target(
        base_url=options.base_url or "",
        is_live=is_live(options),
        settings=None if is_live(options) else {},
    )
    return skip_reason(case, target, options)
