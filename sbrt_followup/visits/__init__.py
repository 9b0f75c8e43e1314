"""From a plan and what is known to dates: visits, their status, one list of what is to be done."""
