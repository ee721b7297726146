import os
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from live_nst.errors import LiveNstError, SinkError, StyleError, UsageError
from live_nst.files.temporary import TemporaryFolder
from live_nst.live.options import LiveOptions
from live_nst.presets.files import (
    apply_preset,
    defaults_path,
    find_preset,
    list_presets,
    load_defaults,
    save_preset,
    write_preset,
)
from live_nst.presets.keys import apply_table
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.spec import mix_styles, parse_style


def preset(folder: Path, text: str, name: str = "show.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def picture(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    shutil.copyfile(builtin_image_path("ink"), path)
    return path


def test_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    show = tmp_path / "show"
    art = picture(show / "art.jpg")
    picture(show / "a+b.jpg")
    (show / "wave").mkdir()  # a built-in style wins over a folder
    (show / "net").mkdir()
    monkeypatch.chdir(tmp_path)
    path = preset(
        show,
        'style = ["art.jpg", "wave", "art.jpg:0.7+wave:0.3", "a+b.jpg", "gone/x.jpg:2+ink"]\n'
        'only = "mask.png"\nrecord = "out.mp4"\nsource = "clip.mp4"\nmodel = "net"\n',
    )
    options = apply_preset(LiveOptions(), path)
    assert options.stylizer.styles == (
        str(art),
        "wave",
        f"{art}:0.7+wave:0.3",
        str(show / "a+b.jpg"),
        f"{show}/gone/x.jpg:2+ink",
    )
    assert options.stylizer.look.only == str(show / "mask.png")
    assert options.record == show / "out.mp4"
    assert options.source == str(show / "clip.mp4")
    assert options.stylizer.model == str(show / "net")


@pytest.mark.parametrize(
    "source", ["0", "demo", "/dev/video2", "rtsp://host/a.mp4", "HD Webcam", "screen:2"]
)
def test_sources_that_are_no_files(tmp_path: Path, source: str) -> None:
    path = preset(tmp_path, f'source = "{source}"')
    assert apply_preset(LiveOptions(), path).source == source


def test_absolute_and_home_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    art = picture(tmp_path / "home" / "art.jpg")
    path = preset(tmp_path, f'style = ["~/art.jpg", "{art}"]')
    assert apply_preset(LiveOptions(), path).stylizer.styles == (str(art), str(art))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"strenght = 1", "show.toml: There is no option called 'strenght'"),
        (b"strength = 2", "show.toml: Invalid strength 2"),
        (b"[look]\nstrength = 1", "show.toml: There is no option called 'look'"),
        (b"strength = 1\nx = y", "show.toml is no valid TOML: .*line 2"),
        (b"style = wave", "show.toml is no valid TOML"),
        (b"\xff\xfe", "show.toml is no valid TOML: it is no text"),
        (b"#" * 1_000_001, "too large"),
        (b"a=" + b"[" * 100_000, "show.toml is no valid TOML: its brackets go too deep"),
    ],
)
def test_bad_preset(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "show.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message) as caught:
        apply_preset(LiveOptions(), path)
    assert caught.value.hint


def test_unreadable_preset(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a directory"):
        apply_preset(LiveOptions(), tmp_path)


def test_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    preset(tmp_path, "", "here.toml")
    assert find_preset("here.toml") == Path("here.toml")
    with pytest.raises(UsageError, match="no preset 'gone'") as caught:
        find_preset("gone")
    assert "the key w" in caught.value.hint
    saved = save_preset("Friday_1", LiveOptions())
    assert find_preset("Friday_1") == saved
    with pytest.raises(UsageError) as caught:
        find_preset("../config/presets/Friday_1")
    assert "saved are Friday_1" in caught.value.hint


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "a.b", "é", "x" * 65, "a\n", "C:"])
def test_bad_names(name: str, own_config: Path) -> None:
    with pytest.raises(UsageError, match="Invalid name"):
        save_preset(name, LiveOptions())
    assert not own_config.exists()


def test_save_and_list(own_config: Path) -> None:
    assert list_presets() == []
    options = apply_table(LiveOptions(), {"style": "wave", "strength": 0.5})
    path = save_preset("b", options)
    save_preset("a", LiveOptions())
    (own_config / "presets" / "not a name.toml").touch()
    assert list_presets() == ["a", "b"]
    assert path == own_config / "presets" / "b.toml"
    text = path.read_text()
    assert text.startswith("# A preset of live-nst")
    assert tomllib.loads(text)["strength"] == 0.5
    assert apply_preset(LiveOptions(), path) == options


def test_pictures_beside_a_preset_are_named_relative(tmp_path: Path) -> None:
    inside = picture(tmp_path / "art" / "in.jpg")
    outside = picture(tmp_path / "out.jpg")
    options = apply_table(LiveOptions(), {"style": [str(inside), f"{outside}:1+wave:3"]})
    path = tmp_path / "art" / "show.toml"
    write_preset(path, options)
    table = tomllib.loads(path.read_text())
    assert table["style"] == ["in.jpg", f"{outside}:0.25+wave:0.75"]
    again = apply_preset(LiveOptions(), path).stylizer.styles
    assert [parse_style(str(style)).parts for style in again] == [
        parse_style(str(style)).parts for style in options.stylizer.styles
    ]


def test_pictures_that_will_be_gone_are_copied(own_config: Path) -> None:
    with TemporaryFolder() as folder:
        upload = picture(folder.path / "upload-1.jpg")
        options = apply_table(LiveOptions(), {"style": str(upload)})
        path = save_preset("mine", options)
        assert save_preset("mine", options) == path  # no second copy
    assert not upload.exists()
    (style,) = apply_preset(LiveOptions(), path).stylizer.styles
    assert Path(str(style)).read_bytes() == builtin_image_path("ink").read_bytes()
    assert tomllib.loads(path.read_text())["style"] == ["mine/upload-1.jpg"]
    assert [file.name for file in path.with_suffix("").iterdir()] == ["upload-1.jpg"]
    with TemporaryFolder() as folder:  # another picture of this name
        other = folder.path / "upload-1.jpg"
        other.write_bytes(builtin_image_path("wave").read_bytes())
        options = apply_table(LiveOptions(), {"style": [str(style), str(other)]})
        save_preset("mine", options)
    assert tomllib.loads(path.read_text())["style"] == ["mine/upload-1.jpg", "mine/upload-1-2.jpg"]
    first, second = apply_preset(LiveOptions(), path).stylizer.styles
    assert Path(str(first)).read_bytes() == builtin_image_path("ink").read_bytes()
    assert Path(str(second)).read_bytes() == builtin_image_path("wave").read_bytes()


def test_a_mix_that_cannot_be_written(tmp_path: Path) -> None:
    odd = parse_style(str(picture(tmp_path / "a+b.jpg")))
    options = LiveOptions()
    stylizer = replace(options.stylizer, styles=(mix_styles(odd, parse_style("ink"), 0.5),))
    with pytest.raises(StyleError, match="cannot be written down"):
        write_preset(tmp_path / "x.toml", replace(options, stylizer=stylizer))
    assert not (tmp_path / "x.toml").exists()


def test_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(SinkError, match="not writable"):
        write_preset(tmp_path / "x.toml", LiveOptions())
    monkeypatch.undo()
    monkeypatch.setenv("LIVE_NST_CONFIG", str(preset(tmp_path, "", "file")))
    with pytest.raises(LiveNstError):
        save_preset("x", LiveOptions())


def test_defaults(own_config: Path) -> None:
    assert load_defaults() == LiveOptions()
    own_config.mkdir()
    defaults_path().write_text('style = "ink"\nmirror = true\n')
    options = load_defaults()
    assert (options.stylizer.styles, options.mirror) == (("ink",), True)
    defaults_path().write_text("miror = true")
    with pytest.raises(UsageError, match="There is no option"):
        load_defaults()
