"""The parts of the record of speed, each a module with one PART."""
