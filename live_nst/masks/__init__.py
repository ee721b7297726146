"""Where a frame is painted: people, what is behind them, or a picture of gray levels."""
