"""The pipeline, one Click script a stage, in this order.

seeds          seed tasks, checked and normalised
seed_statistics  what the seeds look like
instructions   the teacher writes new tasks, shown a few seeds at a time
filtered       poor tasks, copies of test tasks and near-duplicates are dropped
task_statistics  what the remaining instructions look like, and how near the seeds they are
responses      the teacher answers them
llm_usage      what the paid stages used: tokens, dollars, model versions
statistics     what the training rows look like
categories     a model sorts the training rows into BioInstruct's four groups
category_counts  how many are in each group
checkpoint     the student is fine-tuned on the answers
training_curves  training history -> loss metrics and plot
generations    the student answers the held-out tests, on this machine
server_generations  or a server that has the checkpoint does, over HTTP
base_generations  the student before training answers them too
references     other models' answers: as published, or asked through their APIs
local_references  other models answer them on this machine
generation_statistics  how long all those answers are, how many cut off, empty or repetitive
judgments      judges compare the student with every reference, in both orders
local_judgments  judges that are models on this machine do, by likelihood
scores         verdicts -> win rates with intervals
"""
