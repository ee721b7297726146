"""The process and its system: clocks, signals, memory, and late imports of heavy libraries."""
