"""What of this folder pytest leaves alone."""

collect_ignore = ["worker.py"]  # runs where ``tests`` is MindSpore's own package
