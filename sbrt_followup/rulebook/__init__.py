"""What a rule is: reading, conditions, deciding, auditing."""
