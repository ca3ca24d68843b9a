"""The pages of `schoolpulse web` and `schoolpulse up`: the same city as the boards, read only.

A WSGI application: `app` answers, `access` says who reads, `city` and `school` make what the
templates show, `stock`, `making` and `health` gather in the background what takes longer than a
reader waits.
"""
