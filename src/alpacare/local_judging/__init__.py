"""Judges that run on this machine: a model scores labels by their log-likelihood."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__, judges="LoglikJudge read_local_judge", loglik="ScoredPrompt check_judge score_prompts"
)
