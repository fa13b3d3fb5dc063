#!/bin/bash
# The job of `make train WHERE=slurm`, one task of the array for each training. Edit it for your
# cluster: docs/slurm.md. It is a Jinja template: what stands in double braces is filled in.

#SBATCH --job-name=alpacare
#SBATCH --array=0-{{ tasks | length - 1 }}          # with %4 behind it: four at once at most
#SBATCH --output={{ folder }}/%a.log
#SBATCH --open-mode=append          # a task that is queued again goes on with its log
#SBATCH --requeue                   # after preemption, or when a node fails
#SBATCH --signal=B:USR1@120         # two minutes before the time limit: see `again` below
#SBATCH --nodes=1 --ntasks-per-node=1
#SBATCH --cpus-per-task=1
#SBATCH --time=1-00:00:00
##SBATCH --partition=gpu
##SBATCH --account=our-group
##SBATCH --gpus-per-node=1          # as many as training.hardware has processes on a node
##SBATCH --mem=64G

# module load cuda/12.6

case $SLURM_ARRAY_TASK_ID in
{% for task in tasks %}
  {{ loop.index0 }}) training=({{ task.command }}) ;;
{% endfor %}
esac

# How a training is started. On several nodes: once on each, for training.hardware multi-node-fsdp2.
launch=()
if [[ $SLURM_JOB_NUM_NODES -gt 1 ]]; then
  MASTER_ADDR=$(scontrol show hostnames | head -n 1)
  export MASTER_ADDR MASTER_PORT=$((20000 + SLURM_JOB_ID % 20000))
  launch+=(srun --kill-on-bad-exit=1 --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}")
fi
# Apptainer, with an image that was made of this clone's Dockerfile:
# launch+=(apptainer exec --nv --bind "$PWD" --pwd "$PWD" alpacare.sif)

# the last word of a training is the folder of its checkpoints, without the versions there
checkpoints() { compgen -G "${training[-1]}-*/checkpoint-*/complete" | sort; }
before=$(checkpoints)

trap 'kill -TERM $!' TERM           # it saves a checkpoint, and ends
trap 'again=yes; kill -TERM $!' USR1
"${launch[@]}" "${training[@]}" &
wait $!
status=$?
while kill -0 $! 2>/dev/null; do    # a signal ends `wait`, and not the training
  wait $!
  status=$?
done
if [[ ${again-} && $status != 0 ]]; then
  if [[ $(checkpoints) != "$before" ]]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
  else                              # the next one would end as this one, and so on for ever
    echo "error: not queued again, as it saved no checkpoint within its time limit:" \
      "lower training.save_steps, or give it more --time"
  fi
fi
exit $status
