"""What a judge's reply says: from its text to a verdict, or to none."""
