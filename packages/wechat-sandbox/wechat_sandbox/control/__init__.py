"""The control API under `/sandbox/`: what a phone or an operator does, by HTTP."""
