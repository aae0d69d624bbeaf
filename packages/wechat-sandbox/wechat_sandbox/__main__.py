"""`python -m wechat_sandbox` is `wechat-sandbox`."""

from wechat_sandbox.cli import main

main()
