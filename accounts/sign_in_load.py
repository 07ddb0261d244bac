"""
How much of a sign-in's work is done at once in this process, whoever asks for it.

The throttle knows each network by itself; a storm from many gets past it. Together these limits
leave the web server threads and processor time for those who are signed in.
"""

from accounts.turns import Turns

# All of them together are fewer than the requests that the web server works on at once.
# Reading a key is work for one core, made up keys are more of it.
KEYS = Turns(at_once=2, waiting=4, wait_seconds=3)
# The exchange answers within a second as a rule; a check is given up after 20.
CHECKS = Turns(at_once=8, waiting=4, wait_seconds=3)
# A third of a second of one core each, on purpose.
PASSWORDS = Turns(at_once=2, waiting=4, wait_seconds=3)
