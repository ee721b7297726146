"""What requests ask for and what answers say, as types; OpenAPI's description is made of them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from live_nst.models.handles import HUB, PACKAGED
from live_nst.runtime.device_words import DEVICE_PATTERN

MODELS = ("auto", *PACKAGED, HUB)
"""The models that a request may choose; "given" is the one that was given at the start."""

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
StyleId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Weight = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Precision = Literal["auto", "float32", "bfloat16", "float16"]


class Problem(BaseModel):
    """Why a request was not carried out."""

    error: str
    hint: str = ""


class RequestModel(BaseModel):
    """A body of a request: unknown fields and values of another type are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SettingsPatch(RequestModel):
    """Settings to change; all of them are changed, or none."""

    style: StyleId | dict[StyleId, Weight] | None = None
    strength: Share | None = None
    keep_colors: Share | None = None
    detail: Share | None = None
    blend: Literal["pictures", "styles"] | None = None
    stroke: Annotated[float, Field(ge=0.3, le=3, allow_inf_nan=False)] | None = None
    only: Literal["everywhere", "person", "background"] | None = None
    size: Annotated[int, Field(ge=64, le=4096)] | Literal["auto"] | None = None
    mirror: bool | None = None
    split: bool | None = None
    split_at: Share | None = None
    frozen: bool | None = None


class KeyPress(RequestModel):
    """A key, as in the window."""

    key: Annotated[str, Field(min_length=1, max_length=9)]


class Switch(RequestModel):
    """On or off."""

    on: bool


class VirtualCameraSwitch(Switch):
    """On or off, and which camera; null for the first one found."""

    device: Annotated[str, Field(max_length=100)] | None = None


class StreamRequest(RequestModel):
    """Where to stream to: the address of a server with the key."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]


class SessionRequest(RequestModel):
    """What to run; what is left out stays as it is."""

    source: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    model: (
        Annotated[str, Field(max_length=500, json_schema_extra={"enum": [*MODELS, "given"]})] | None
    ) = None
    engine: Literal["auto", "tensorflow", "openvino", "onnxruntime"] | None = None
    device: (
        Annotated[str, Field(max_length=100, json_schema_extra={"pattern": DEVICE_PATTERN})] | None
    ) = None
    precision: Precision | None = None
    fps: Annotated[float, Field(ge=1, le=240, allow_inf_nan=False)] | None = None


class SourceState(BaseModel):
    """The source in use; its id is that of the list of sources."""

    id: str = ""
    name: str = ""
    width: int = 0
    height: int = 0
    fps: float = 0.0


class SessionState(BaseModel):
    """Whether a session runs, and what is wrong."""

    running: bool
    starting: bool
    source: SourceState
    problem: str
    seconds: float


class SettingsState(BaseModel):
    """The settings: what was asked for last."""

    style: dict[str, float]
    style_label: str
    strength: float
    keep_colors: float
    detail: float
    blend: str
    stroke: float
    only: str
    size: int | Literal["auto"]
    mirror: bool
    split: bool
    frozen: bool
    split_at: float


class Figures(BaseModel):
    """How fast it runs."""

    fps: float = 0.0
    latency_ms: float = 0.0
    frames: int = 0
    dropped: int = 0
    repeated: int = 0
    static: bool = False


class Runs(BaseModel):
    """What runs where."""

    model: str = ""
    engine: str = ""
    precision: str = ""
    device: str = ""
    size: tuple[int, int] = (0, 0)
    automatic_size: bool = True


class RecordingState(BaseModel):
    """The recording that runs, and those that are finished."""

    on: bool = False
    file: str = ""
    seconds: float = 0.0
    finished: list[str] = []


class VirtualCameraState(BaseModel):
    """The virtual camera."""

    on: bool = False
    device: str = ""
    problem: str = ""
    available: bool = False


class StreamState(BaseModel):
    """One outgoing stream; keys in its address are hidden."""

    id: str
    url: str
    state: str
    sentence: str


class State(BaseModel):
    """Everything that a page shows."""

    version: int
    session: SessionState
    settings: SettingsState
    figures: Figures
    runs: Runs
    recording: RecordingState
    virtual_camera: VirtualCameraState
    streams: list[StreamState]
    viewers: int
    thumbnails: dict[str, int]
    secure: bool


class StyleEntry(BaseModel):
    """A style to choose."""

    id: str
    label: str
    description: str
    kind: Literal["builtin", "given", "upload"]
    picture: str
    thumbnail: str


class SourceEntry(BaseModel):
    """A source to choose. No address or path is shown, as it may hold a password."""

    id: str
    label: str
    kind: Literal["camera", "demo", "browser", "screen", "given"]
