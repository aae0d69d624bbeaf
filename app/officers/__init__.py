"""Health officers: who they are, and what they enter: cases, contacts, quarantine and release."""
