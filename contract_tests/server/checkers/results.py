"""STA-7: a success has as many different result URLs as images were ordered."""

from collections import Counter
from collections.abc import Iterator

from contract_tests.server.checkers.result_json import result_urls
from contract_tests.server.checkers.trace import Trace
from contract_tests.server.checkers.views import all_views
from contract_tests.server.checkers.violation import Violation


def check_results(trace: Trace) -> Iterator[Violation]:
    """Judge the result URLs in every view of a task that has succeeded."""
    for view in all_views(trace):
        urls = result_urls(view.data)
        if view.state != "success" or not urls:
            continue
        ordered = view.task.order.images
        if ordered is not None and len(urls) != ordered:
            yield Violation(
                clause="STA-7",
                kind="count",
                expected=f"{ordered} result URLs for num_images {ordered}",
                seen=view.shown,
                event=view.number,
                is_choice=view.task.order.has_default_images,
            )
        repeated = [url for url, count in Counter(urls).items() if count > 1]
        if repeated:
            yield Violation(
                clause="STA-7",
                kind="different",
                expected="a different URL for each image",
                seen=f"{repeated[0]} more than once; {view.shown}",
                event=view.number,
            )
