"""`python -m live_nst`: the command line."""

from live_nst.cli import main

if __name__ == "__main__":
    main()
