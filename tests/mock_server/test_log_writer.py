"""The thread that writes the log goes on after errors, and says what is missing."""

import os
import subprocess
import sys
from pathlib import Path

from mock_server.log_writer import LogWriter
from tests.patience import PATIENCE_S

# A file that becomes full within a line, and then has room again.
FULL = """
import resource
from mock_server.log_writer import LogWriter
writer = LogWriter(2, report=b"%d lost\\n".__mod__, tick=lambda: None)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, most))
for line in (b"a long line\\n", b"another one\\n"):
    writer.write(line)
    writer.flush(60)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
for line in (b"short\\n", b"the last one\\n"):
    writer.write(line)
    writer.flush(60)
"""


def test_lines_that_a_full_disk_loses_are_counted_and_the_next_one_is_on_a_line_of_its_own(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    with log.open("w") as errors:
        subprocess.run([sys.executable, "-c", FULL], stderr=errors, timeout=PATIENCE_S, check=True)

    assert log.read_text() == "a long lin\nshort\n2 lost\nthe last one\n"


def test_lines_are_written_in_order_to_a_descriptor_that_does_not_block() -> None:
    reader, descriptor = os.pipe()
    os.set_blocking(descriptor, False)
    writer = LogWriter(descriptor, report=b"%d lost\n".__mod__, tick=lambda: None)
    lines = [b"%d %s\n" % (number, b"." * 100) for number in range(2000)]
    for line in lines:
        writer.write(line)

    with os.fdopen(reader, "rb") as read:
        assert [read.readline() for _ in lines] == lines
    writer.flush(PATIENCE_S)
    os.close(descriptor)
