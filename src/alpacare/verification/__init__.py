"""Answers checked by a second model, and errors planted by rule by which that model is measured."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    accuracy="describe_accuracy measure_accuracy",
    checking="VerifiedSettings VerifierSettings make_check_requests read_verifier",
    outcome="Verified apply_checks read_checks",
    planted_errors="KINDS Planted plant_errors",
    verdict="read_finding",
)
