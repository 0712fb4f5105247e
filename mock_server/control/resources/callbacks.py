"""Callback deliveries of the caller's sandbox."""

import msgspec

from mock_server.control.answers import Instant
from mock_server.control.call import Call
from mock_server.control.long_list import long_list
from mock_server.domain.deliveries import Attempt, Delivery, DeliveryState
from mock_server.domain.store import SandboxReader


class CallbackDelivery(msgspec.Struct):
    task_id: str
    url: str
    state: DeliveryState
    next_ms: Instant | None
    attempts: list[Attempt]

    @classmethod
    def of(cls, delivery: Delivery) -> "CallbackDelivery":
        return cls(
            task_id=delivery.task_id,
            url=delivery.url,
            state=delivery.state,
            next_ms=delivery.due_ms,
            attempts=list(delivery.attempts),
        )


class DeliveryList(msgspec.Struct):
    deliveries: list[CallbackDelivery]


class CallbacksResource:
    def calls(self) -> list[Call]:
        return [
            Call(
                "GET", "/_mock/callbacks", self.show, "List callback deliveries with their attempts"
            )
        ]

    async def show(self, sandbox: SandboxReader) -> DeliveryList:
        deliveries = sandbox.deliveries()
        return DeliveryList(deliveries=long_list(map(CallbackDelivery.of, deliveries)))
