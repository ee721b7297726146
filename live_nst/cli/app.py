"""The application: all commands with their options.

The modules of the commands import nothing heavy until a command runs, so that the help is fast.
"""

import typer

from live_nst.cli.bench import bench
from live_nst.cli.convert import convert
from live_nst.cli.ctl import ctl
from live_nst.cli.devices import devices
from live_nst.cli.doctor import doctor
from live_nst.cli.export import export
from live_nst.cli.live import live
from live_nst.cli.paint import paint
from live_nst.cli.score import score
from live_nst.cli.studio import studio
from live_nst.cli.styles import styles
from live_nst.cli.worker import worker

app = typer.Typer(
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # Rich would swallow words in brackets, and show flags as <bool>
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback(invoke_without_command=True)(live)
for command in (studio, convert, styles, devices, doctor, bench, paint, score, worker, export):
    app.command()(command)
app.add_typer(ctl, name="ctl")
