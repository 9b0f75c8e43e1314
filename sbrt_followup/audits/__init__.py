"""Proofs about rulebooks: audits, cases, mutants, what a change would do; everything through the clinic's own code."""
