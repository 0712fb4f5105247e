"""An alteration is an operator at a place; with a context it becomes a mutant."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from mock_server.domain.ports import DeliveryResult, Sender
from tests.contract_tests.mutants.engine.contexts import Context
from tests.contract_tests.mutants.engine.occasions import Memory, Occasion
from tests.contract_tests.mutants.harness import Asked, Break, Mutant, Parts, Serve, Told
from tests.contract_tests.mutants.senders import Through

Data = dict[str, Any]
Holds = Callable[[Occasion], bool]
Answer = Callable[[Asked, Serve, Told, Occasion], Awaitable[Told]]
Deliver = Callable[[Sender, str, bytes, Occasion], Awaitable[DeliveryResult]]


@dataclass(frozen=True, kw_only=True)
class Alteration:
    """One thing that a server may do wrong. Exactly one of the functions is set, or two.

    `place` is the member, header or instant. `when` are the kinds of occasions at which it can be
    seen: "begin", "success" and "failed" of a task, "submit", "picture", "balance", "error",
    "delivery". `also` are clauses that say the same as `clause`.
    """

    operator: str
    place: str
    clause: str
    when: frozenset[str]
    also: frozenset[str] = frozenset()
    about: frozenset[str] = frozenset({"always", "task", "key"})
    """The kinds of contexts in which it makes a difference."""
    data: Callable[[Data, Occasion], Data] | None = None
    """Changes `data` of a status answer and of a callback."""
    answer: Answer | None = None
    """Answers in place of the true mock, whose answer it gets."""
    request: Callable[[Asked, Occasion], Asked] | None = None
    """Changes what the mock is asked by a submit."""
    deliver: Deliver | None = None
    """Delivers a callback."""
    sums_over: Callable[[Holds], Answer] | None = None
    """Answers for all tasks of a key that are in the context, such as a balance."""
    needs_control: bool = False

    @property
    def name(self) -> str:
        return f"{self.operator}-{self.place}"


@dataclass(frozen=True, kw_only=True)
class EngineMutant(Mutant):
    """An alteration in a context. A finding about `clause` or a clause of `also` kills it."""

    alteration: Alteration
    context: Context
    also: frozenset[str] = field(default=frozenset())

    @property
    def clauses(self) -> frozenset[str]:
        return self.also | {self.clause}

    @property
    def needs_control(self) -> bool:
        """Tell whether it shows only after ten minutes, or at a documented limit.

        10,000 requests a minute, and 1,000 tasks of a second each at once, are more than a wrapped
        server on a busy machine can answer.
        """
        is_at_a_limit = self.alteration.when == {"limit"} or self.context.name == "after-a-429"
        return is_at_a_limit or self.alteration.needs_control or self.context.needs_control

    def parts(self) -> Parts:
        memory = Memory()
        return Parts(
            answer=_answering(self.alteration, self.context, memory),
            sender=lambda inner: _Sender(inner, self.alteration, self.context, memory),
        )


def combined(alteration: Alteration, context: Context) -> EngineMutant:
    """Return the mutant of a combination; a lie on one channel only breaks CB-1 as well."""
    also = set(alteration.also)
    if context.about == "channel" or (alteration.data and context.about in {"polls", "age"}):
        also |= {"CB-1", "STA-5"}
    return EngineMutant(
        name=f"{alteration.name}-{context.name}",
        clause=alteration.clause,
        also=frozenset(also) - {alteration.clause},
        alteration=alteration,
        context=context,
    )


def _answering(alteration: Alteration, context: Context, memory: Memory) -> Break:
    summed = alteration.sums_over(context.holds) if alteration.sums_over else None

    async def broken(asked: Asked, serve: Serve) -> Told:
        altered = asked
        if alteration.request is not None and asked.is_submit:
            before = memory.before(asked)
            altered = alteration.request(asked, before) if context.holds(before) else asked
        told = await serve(altered)
        occasion = memory.observe(asked, told)
        if summed is not None:
            return await summed(asked, serve, told, occasion)
        change = alteration.data
        if change is not None:
            is_status = occasion.channel == "status" and told.status == 200
            if is_status and context.holds(occasion):
                return _with_data(told, lambda data: change(data, occasion))
        if alteration.answer is not None and context.holds(occasion):
            return await alteration.answer(asked, serve, told, occasion)
        return told

    return broken


def _with_data(told: Told, change: Callable[[Data], Data]) -> Told:
    """Change `data`; an answer that stays the same keeps its bytes."""
    envelope = told.json
    changed = change(envelope["data"])
    return told if changed == envelope["data"] else told.with_json(envelope | {"data": changed})


class _Sender(Through):
    def __init__(
        self, inner: Sender, alteration: Alteration, context: Context, memory: Memory
    ) -> None:
        super().__init__(inner)
        self._alteration = alteration
        self._context = context
        self._memory = memory
        self._attempts: Counter[str] = Counter()

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        self._attempts[url] += 1
        envelope = msgspec.json.decode(body)
        occasion = self._memory.observe_callback(envelope, self._attempts[url])
        if not self._context.holds(occasion):
            return await self.inner.post(url, body, lane)
        if self._alteration.data is not None:
            changed = envelope | {"data": self._alteration.data(envelope["data"], occasion)}
            body = msgspec.json.encode(changed) if changed != envelope else body
        if self._alteration.deliver is not None:
            return await self._alteration.deliver(self.inner, url, body, occasion)
        return await self.inner.post(url, body, lane)


def telling(change: Callable[[Told, Occasion], Told]) -> Answer:
    """Change the true answer."""

    async def told_otherwise(_: Asked, __: Serve, told: Told, occasion: Occasion) -> Told:
        return change(told, occasion)

    return told_otherwise


def with_header(told: Told, name: bytes, value: bytes | None) -> Told:
    """Set a header, or remove it."""
    others = tuple(each for each in told.headers if each[0] != name)
    return replace(told, headers=others if value is None else (*others, (name, value)))


def with_key(asked: Asked, key: bytes) -> Asked:
    """Ask the same with another value of the header `Authorization`."""
    others = tuple(each for each in asked.headers if each[0] != b"authorization")
    return replace(asked, headers=(*others, (b"authorization", key)))
