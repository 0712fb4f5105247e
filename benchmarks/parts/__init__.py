"""The parts of the benchmarks: each one starts its servers and yields rounds of figures."""

from benchmarks.parts.advance import ADVANCE
from benchmarks.parts.callbacks import CALLBACKS
from benchmarks.parts.memory import MEMORY
from benchmarks.parts.million import MILLION
from benchmarks.parts.sqlite import SQLITE
from benchmarks.parts.stalls import STALLS
from benchmarks.parts.start import START
from benchmarks.parts.status import STATUS
from benchmarks.parts.submit import SUBMIT

_ALL = (STATUS, SUBMIT, START, ADVANCE, CALLBACKS, MILLION, MEMORY, SQLITE, STALLS)
PARTS = {part.name: part for part in _ALL}
