"""The pipeline, one Click script a stage, in this order.

seeds          seed tasks, checked and normalised
seed_statistics  what the seeds look like
instructions   the teacher writes new tasks from a few seeds at a time
filtered       near-duplicates go, each with its witness
task_statistics  what the instructions that are left look like, and how near the seeds they are
responses      the teacher answers what is left
usage          what the paid stages used: tokens, dollars, model versions
statistics     what the student learns from looks like
categories     a model sorts it into BioInstruct's four groups
category_counts  how many are in each group
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
