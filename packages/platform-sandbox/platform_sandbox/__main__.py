"""`python -m platform_sandbox` is `platform-sandbox`."""

from platform_sandbox.cli import main

main()
