"""The pipeline, one Click script a stage, in this order.

seeds          seed tasks, checked and normalised
instructions   the teacher writes new tasks from a few seeds at a time
filtered       near-duplicates go, each with its witness
responses      the teacher answers what is left
usage          what the paid stages used: tokens, dollars, model versions
checkpoint     the student is fine-tuned on the answers
curves         training history -> loss metrics and plot
generations    the student answers the held-out tests
references     answers of other models to the same tests
base           the untrained student answers them too
judgments      a judge compares student and reference, in both orders
scores         verdicts -> win rates with intervals
"""
