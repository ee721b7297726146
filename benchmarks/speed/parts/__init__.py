"""Parts of the speed benchmark: each module defines one `PART`."""
