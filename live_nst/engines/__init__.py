"""Engines run a split model: OpenVINO on a CPU, TensorFlow on a CPU or a GPU."""
