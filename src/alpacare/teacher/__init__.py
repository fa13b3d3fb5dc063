"""Talking to an LLM: requests, the ledger of their answers, prices."""
