"""`kvdesk doctor`: is everything here that clips are made with, and does it withstand what happens?

`command.py` is the command; checks look at the machine as it is, drills do harm to copies.
"""
