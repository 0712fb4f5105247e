"""An executable model of the contract, which predicts what a server must answer.

It consists of dictionaries and arithmetic and shares no code with the mock.  It sends nothing:
tell it what was sent and answered, and ask it what the next answer must be.  What the contract
leaves open is a range or a set of possible values.
"""
