"""`python -m devstack` is `jixiang-dev`."""

from devstack.cli import main

main()
