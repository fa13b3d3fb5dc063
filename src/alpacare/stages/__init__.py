"""The pipeline, one Click script a stage, in this order.

seeds          seed tasks, checked and normalised
seed_statistics  what the seeds look like
instructions   the teacher writes new tasks, shown a few seeds at a time
filtered       poor tasks, copies of test tasks and near-duplicates are dropped
task_statistics  what the remaining instructions look like, and how near the seeds they are
responses      the teacher answers them
verified       a second model checks the answers, and copies with a planted error
verified_counts  what it found, and its precision and recall
llm_usage      what the paid stages used: tokens, dollars, model versions
statistics     what the training rows look like
categories     a model sorts the training rows into BioInstruct's four groups
category_counts  how many are in each group
student_rows   the rows that each student learns from
base_model     a tokenizer and random weights, for students that start from nothing
checkpoint     a student is fine-tuned on its rows, once for each training seed
training_curves  training history -> loss metrics and plot
generations    a student answers the held-out tests, on this machine
server_generations  or a server that has the checkpoint does, over HTTP
model_generations  other models' answers: as published, or asked through their APIs
local_generations  other models, such as the base, answer them on this machine
judgments      judges compare a student with every reference, in both orders
local_judgments  judges that are models on this machine do, by likelihood
label_judgments  judges by rubrics grade answers that physicians have labelled
scores         verdicts -> win rates with intervals, and what the answers look like
benchmarks     a student meets a benchmark, run by lm-eval
local_benchmarks  and other models that run here, such as the base
benchmark_scores  results, item by item -> scores with intervals

Scripts judgments, local_judgments and scores also serve the stages contestant_judgments,
local_contestant_judgments, contestant_scores, local_scores and local_contestant_scores;
benchmark_scores serves local_benchmark_scores.
"""
