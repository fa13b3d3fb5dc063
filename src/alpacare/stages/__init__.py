"""The pipeline, one Click script a stage, in this order.

seeds          seed tasks, checked and normalised
instructions   the teacher writes new tasks from a few seeds at a time
filtered       near-duplicates go, each with its witness
responses      the teacher answers what is left
usage          what the paid stages used: tokens, dollars, model versions
checkpoint     the student is fine-tuned on the answers
curves         training history -> loss metrics and plot
generations    the student answers the held-out tests
answers        how long those answers are, how many cut off, empty or repetitive
references     other models' answers to the same tests, as published
asked          other models answer them through their APIs
local          other models answer them on this machine
base           the untrained student answers them too
reference_answers  what the references' answers look like
judgments      a judge compares student and reference, in both orders
scores         verdicts -> win rates with intervals
"""
