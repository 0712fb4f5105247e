"""The parts of the benchmarks: each one starts its servers and yields rounds of figures."""

from benchmarks.parts.advance import ADVANCE
from benchmarks.parts.memory import MEMORY
from benchmarks.parts.million import MILLION
from benchmarks.parts.start import START
from benchmarks.parts.status import STATUS
from benchmarks.parts.submit import SUBMIT

PARTS = {part.name: part for part in (STATUS, SUBMIT, START, ADVANCE, MILLION, MEMORY)}
