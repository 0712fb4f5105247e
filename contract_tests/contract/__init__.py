"""What both halves of the kit share: the clauses of the contract, verdicts, parts of reports."""
