"""From a clinic's own outcomes to the intervals between MRIs: hazards, intervals, breaks, plans compared, yield."""
