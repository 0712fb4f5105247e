"""The common part of both halves of the kit: clauses, verdicts, parts of reports."""
