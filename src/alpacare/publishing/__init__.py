"""Giving data and weights to others: files, cards, licences; to a folder or to the Hub."""
