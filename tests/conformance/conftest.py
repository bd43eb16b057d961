"""What of this folder pytest leaves alone."""

collect_ignore = ["worker.py"]  # it runs where ``tests`` is MindSpore's own package, so it imports its neighbours plainly
