"""Train the network that paints, and export it as a model of the program.

    python -m tools.train_model weights   make the files of weights that training starts from
    python -m tools.train_model train     train a student network, or resume a run
    python -m tools.train_model sheet     draw what a checkpoint paints
    python -m tools.train_model evaluate  measure checkpoints on held-out pairs
    python -m tools.train_model export    write a checkpoint as a SavedModel

See docs/train-a-model.md. Needs PyTorch: `pip install '.[train]'`. Nothing here is imported by
the package itself.
"""
