"""People compare answers without knowing whose they are: the page, what comes back, who was who."""
