"""`python -m sms_sandbox` is `sms-sandbox`."""

from sms_sandbox.cli import main

main()
