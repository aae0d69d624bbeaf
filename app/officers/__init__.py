"""What health officers enter: cases, contacts, quarantine and release."""
