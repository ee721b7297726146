"""Style images, the bottlenecks that models compute from them, and mixes of styles."""
