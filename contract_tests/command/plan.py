"""`contract-tests plan`: what a run would ask and cost at the worst; nothing is sent."""

from typing import Any

import click

from contract_tests.command.switches import asks_a_target, chooses_cases, chosen, options_of
from contract_tests.server.case import Case
from contract_tests.server.catalogue import in_running_order
from contract_tests.server.guard import PRICE
from contract_tests.server.options import Options, default_profile, is_live, why_not
from contract_tests.server.target import Target


@click.command("plan")
@asks_a_target
@chooses_cases
def plan_command(**given: Any) -> int:
    """Print the cases and what they cost at the worst. Sends nothing."""
    options = options_of(given)
    cases = chosen(given, default_profile(options))
    images = worst = 0
    click.echo(f"{'case':12} {'cost (worst)':16} {'time':14} title")
    for case in in_running_order(cases):
        reason = _reason(case, options)
        if reason:
            click.echo(f"{case.id:12} skipped: {reason}")
            continue
        images += case.images
        worst += max(case.images, case.worst_images)
        cost = f"${case.images * PRICE} (${max(case.images, case.worst_images) * PRICE})"
        click.echo(f"{case.id:12} {cost:16} {case.time:14} {case.title}")
    click.echo(
        f"worst case: ${worst * PRICE}, if the service takes and bills also what it should refuse;"
        f" ${images * PRICE} for {images} images if it keeps the contract. An image is counted at"
        f" ${PRICE}, the dearest of the documented prices; a run stops before it passes its budget."
    )
    return 0


def _reason(case: Case, options: Options) -> str:
    target = Target(
        base_url=options.base_url or "",
        is_live=is_live(options),
        settings=None if is_live(options) else {},
    )
    return why_not(case, target, options)
