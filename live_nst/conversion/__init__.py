"""Convert files: `video/` and `images/` one file each, `batch/` whole folders, `api.py` for Python.

Every frame is stylized, in order. An interrupted conversion continues where it stopped.
"""
