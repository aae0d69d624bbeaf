"""The mini-program as its users meet it: in a real browser, against the whole system that `jixiang-dev run` starts.

A package of its own, so that what is started for it is stopped before the other tests go on.
"""
