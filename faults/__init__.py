"""Faults on purpose: what is lost, doubled, wrong or stuck when a part of the running system breaks."""
