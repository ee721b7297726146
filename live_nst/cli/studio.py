"""`live-nst studio`: show and control a live session in the browser."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from live_nst.cli.console import DownloadProgressBar, notify, show_result
from live_nst.cli.given import given_options, make_options
from live_nst.cli.live_options import (
    AudioOption,
    BitrateOption,
    CameraRequestOption,
    EncoderOption,
    FpsOption,
    LiveSizeOption,
    MetricsOption,
    MirrorOption,
    OscOption,
    PresetOption,
)
from live_nst.cli.options import (
    Blend,
    BlendOption,
    DetailOption,
    DeviceOption,
    Engine,
    EngineOption,
    KeepColorsOption,
    ModelOption,
    OnlyOption,
    PrecisionChoice,
    PrecisionOption,
    StabilizeMode,
    StabilizeOption,
    StrengthOption,
    StrokeOption,
    StyleOption,
    require_studio,
)

if TYPE_CHECKING:
    from live_nst.studio.options import StudioOptions


def studio(
    context: typer.Context,
    style: StyleOption = None,
    source: Annotated[
        str,
        typer.Option(
            metavar="SOURCE",
            help="What to show first: a camera's number, path or name, the address of a stream, a "
            "video file, screen, demo, or browser for the camera of the page.",
            show_default="the first camera, else demo",
        ),
    ] = "auto",
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="The address to listen on. Any other than this machine's own demands a token, "
            "and shows the camera to everybody who has it.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", help="The port to listen on; 0 for a free one.")
    ] = 8000,
    token: Annotated[
        str,
        typer.Option(
            metavar="TOKEN",
            envvar="LIVE_NST_TOKEN",
            help="What every request must show. Made at random where one is needed.",
            show_default=False,
        ),
    ] = "",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A further name of the studio, as behind a proxy."),
    ] = None,
    tls: Annotated[
        bool,
        typer.Option("--tls", help="Serve https with a certificate that the studio makes itself."),
    ] = False,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE.pem", help="Serve https with this certificate.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(metavar="FILE.pem", help="The key of that certificate.")
    ] = None,
    folder: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            help="Where recordings and saved pictures land.",
            show_default="the current folder",
        ),
    ] = Path(),
    open_page: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in the browser.")
    ] = False,
    model: ModelOption = "auto",
    device: DeviceOption = "auto",
    engine: EngineOption = Engine.auto,
    precision: PrecisionOption = PrecisionChoice.auto,
    size: LiveSizeOption = None,
    stabilize: StabilizeOption = StabilizeMode.fast,
    strength: StrengthOption = 1.0,
    blend: BlendOption = Blend.pictures,
    keep_colors: KeepColorsOption = 0.0,
    detail: DetailOption = 0.0,
    stroke: StrokeOption = 1.0,
    only: OnlyOption = "",
    mirror: MirrorOption = False,
    camera_size: CameraRequestOption = "1280x720",
    fps: FpsOption = 30.0,
    bitrate: BitrateOption = None,
    encoder: EncoderOption = "libx264",
    audio: AudioOption = None,
    osc: OscOption = None,
    metrics: MetricsOption = None,
    preset: PresetOption = None,
) -> None:
    """Show and control a live session in the browser.

    The page shows the picture, the styles and every setting. It can send the browser's own camera.
    """
    from live_nst.sources.camera import configure_opencv

    configure_opencv()  # before anything imports cv2
    require_studio("The studio")
    from live_nst.runtime.process_list import hide_in_process_list

    hide_in_process_list(token)
    from live_nst.live.options import LiveOptions
    from live_nst.studio.options import StudioOptions

    base = LiveOptions(source="auto")
    live = make_options(given_options(context), preset, base)
    options = StudioOptions(
        live=live,
        host=host,
        port=port,
        token=token,
        allow_hosts=tuple(allow_host or ()),
        tls=tls,
        tls_cert=tls_cert,
        tls_key=tls_key,
    )
    run(options, open_page=open_page)


def run(options: "StudioOptions", *, open_page: bool) -> None:
    """Run the studio until a signal ends it."""
    from live_nst.studio.run import run_studio

    def show_link(address: str) -> None:
        show_result(f"Open {address}")
        if open_page:
            import webbrowser

            webbrowser.open(address)

    with closing(DownloadProgressBar()) as bar:
        run_studio(options, notify, show_link, bar)
