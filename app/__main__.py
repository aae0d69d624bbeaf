"""`python -m app` is `jixiang`."""

from app.cli import main

main()
