"""Put the figures of ``benchmarks/results`` into the pages that show them; nothing there is typed by hand.

``python -m benchmarks.render`` rewrites, in README and docs, what stands between two comments::

    <!-- figures: contest eventstream -->
    ...
    <!-- end of figures -->

and draws the plots of ``docs/figures``, each in colours for a light and for a dark page (this needs matplotlib).
``--check`` only says whether all of them are what the results give. `BLOCKS` names what can stand after ``figures:``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import results

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "README.zh-CN.md", *sorted(
    page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts))
PLOTS = ROOT / "docs" / "figures"
REGION = re.compile(r"(?P<open>^[ ]*<!-- figures: (?P<what>[^>]+?) -->\n)(?P<text>.*?)"
                    r"(?P<close>^[ ]*<!-- end of figures -->$)", re.M | re.S)
OURS = "asrproto"


class Headline(NamedTuple):
    """One row of the table on the first page: which contest, against whom, and what it is called there."""

    file: str
    work: str
    peer: str
    english: str
    chinese: str


HEADLINES: tuple[Headline, ...] = (
    Headline("chain", "1 s of 48 kHz stereo in 20 ms blocks to signed Transcribe frames",
             "numpy + soxr + amazon-transcribe", "one second of audio, from capture to signed frames",
             "一秒音频，从采样块到已签名的帧"),
    Headline("eventstream", "decode 623 frames of 1.7 KB, 64 KB feeds", "botocore",
             "decode 1 MB of event-stream frames", "解码 1 MB 事件流帧"),
    Headline("transcribe", "100 frames of 1688 B to typed TranscriptEvents", "amazon-transcribe",
             "100 Transcribe answers to typed values", "100 条 Transcribe 应答变成带类型的值"),
    Headline("sigv4", "presign the Transcribe URL", "botocore", "presign a URL", "预签名一个 URL"),
    Headline("sigv4", "encode, sign and wrap a 3200-byte AudioEvent", "amazon-transcribe",
             "frame and sign 100 ms of audio", "为 100 ms 音频组帧并签名"),
    Headline("volcengine", "decode a 1 KB response", "struct", "decode a Volcengine frame", "解码一个火山引擎帧"),
    Headline("audio", "20 ms of 48 kHz stereo float32 → 16 kHz mono int16 chunks", "numpy and soxr",
             "20 ms of 48 kHz stereo to 16-bit chunks at 16 kHz", "20 ms 48 kHz 立体声变成 16 kHz 的 16 位数据块"),
    Headline("audio", "30 s, 48000 → 16000 Hz, high / HQ", "soxr", "resample 30 s from 48 to 16 kHz",
             "把 30 秒音频从 48 kHz 重采样到 16 kHz"),
    Headline("audio", "float32 → int16, 320 samples", "numpy", "320 float samples to 16 bits",
             "320 个浮点采样变成 16 位"),
    Headline("http", "SSE, 2000 deltas, 16 KB reads", "openai", "read 2000 Server-Sent Events",
             "读取 2000 条 Server-Sent Events"),
)


# --- how figures are written

NARROW = "\N{NO-BREAK SPACE}"  # between a figure and its unit


def duration(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1:
            return f"{significant(seconds * scale)}{NARROW}{unit}"
    return f"{significant(seconds * 1e9)}{NARROW}ns"


def size(count: float) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if count >= scale:
            return f"{significant(count / scale)}{NARROW}{unit}"
    return f"{count:.0f}{NARROW}B"


def significant(value: float, digits: int = 3) -> str:
    """`value` with so many significant digits, and no exponent."""
    if value >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    text = f"{value:.{digits}g}"
    return text if "e" not in text else f"{value:.{digits}f}"


def times(ratio: float) -> str:
    return f"{significant(ratio, 2)}×"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int = 1) -> str:
    """A Markdown table whose columns from `numbers_from` on are set flush right."""
    rule = ["---:" if column >= numbers_from else "---" for column in range(len(header))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))


# --- what can be shown


def contest(name: str) -> str:
    """All works of one benchmark file: times, and the ratio to each peer with its confidence interval."""
    rows = []
    for figure in results.read(name)["figures"]:
        seconds, ratios = figure["seconds"], figure["ratios"]
        if OURS not in seconds:
            continue
        ours = duration(seconds[OURS]["median"])
        for peer, ratio in ratios.items():
            interval = f"{significant(ratio['low'])} to {significant(ratio['high'])}"
            rows.append((figure["work"], ours, peer, duration(seconds[peer]["median"]),
                         f"**{times(ratio['median'])}**", interval))
        if not ratios:
            rows.append((figure["work"], ours, "", "", "", ""))
    return table(("work", OURS, "peer", "its time", "ratio", "95 % interval"), rows)


def headline_rows() -> list[tuple[Headline, dict[str, Any]]]:
    rows = []
    for headline in HEADLINES:
        figures = [figure for figure in results.read(headline.file)["figures"] if figure["work"] == headline.work]
        if len(figures) != 1 or headline.peer not in figures[0]["ratios"]:
            raise LookupError(f"{headline.file}.json has no contest {headline.work!r} against {headline.peer}")
        rows.append((headline, figures[0]))
    return rows


def headline(language: str = "en") -> str:
    header = {"en": ("", OURS, "what is used today", "faster"), "zh": ("", OURS, "现有做法", "快")}[language]
    rows = []
    for line, figure in headline_rows():
        seconds = figure["seconds"]
        rows.append((line.chinese if language == "zh" else line.english, duration(seconds[OURS]["median"]),
                     f"{line.peer}: {duration(seconds[line.peer]['median'])}",
                     f"**{times(figure['ratios'][line.peer]['median'])}**"))
    return table(header, rows)


def chain_seconds(who: str, streams: int = 1) -> float:
    for figure in results.read("scale")["figures"]:
        if (figure["who"], figure["streams"]) == (who, streams):
            return float(figure["seconds_a_block"]["median"])
    raise LookupError(f"scale.json has no {who} with {streams} streams")


SENTENCES = {
    "en": "**{block} µs** of one core turn 20 ms of 48 kHz stereo into a signed wire frame, so one core carries "
          "**{streams} microphones** in real time ({peer_streams} with {peer}), at **{memory}** each.",
    "zh": "把 20 ms 的 48 kHz 立体声变成已签名的线上帧，只需一个核心 **{block} µs**；因此一个核心可实时承载 "
          "**{streams} 路麦克风**（{peer} 为 {peer_streams} 路），每路占用内存 **{memory}**。",
}
COMPOSED = "numpy + soxr + amazon-transcribe"
MANY = 1000  # streams at which the sentence above counts


def sentence(language: str = "en") -> str:
    def streams(who: str) -> str:
        return f"{round(0.02 / chain_seconds(who, MANY), -2 if who == OURS else -1):,.0f}"

    memory = next(figure["bytes"] / figure["sessions"] for figure in results.read("memory")["figures"]
                  if figure["what"] == "asrproto: both" and figure["sessions"] == max(session_counts()))
    return SENTENCES[language].format(block=significant(chain_seconds(OURS, MANY) * 1e6, 2), streams=streams(OURS),
                                      peer=COMPOSED, peer_streams=streams(COMPOSED), memory=size(memory))


def session_counts() -> list[int]:
    return sorted({figure["sessions"] for figure in results.read("memory")["figures"]})


def imports() -> str:
    return table(("import", "time", "memory", "loads numpy"), [
        (f"`{figure['module']}`", duration(figure["seconds"]["median"]), size(figure["bytes"]),
         "yes" if figure["numpy"] else "no") for figure in results.read("imports")["figures"]])


def sizes() -> str:
    return table(("package", "its own files", "with all that it needs", "which is"), [
        (figure["what"], size(figure["bytes"]), size(figure["with_needs"]), ", ".join(figure["needs"]) or "nothing")
        for figure in results.read("sizes")["figures"]])


def memory() -> str:
    counts = session_counts()
    found = {(figure["what"], figure["sessions"]): figure["bytes"] for figure in results.read("memory")["figures"]}
    names = dict.fromkeys(what for what, _ in found)
    header = ("waiting", *(f"{count:,} of them" for count in counts), "each")
    return table(header, [(name, *(size(found[name, count]) for count in counts),
                           size(found[name, counts[-1]] / counts[-1])) for name in names])


def scale() -> str:
    figures = results.read("scale")["figures"]
    names = dict.fromkeys(figure["who"] for figure in figures)
    rows = []
    for count in sorted({figure["streams"] for figure in figures}):
        seconds = [chain_seconds(who, count) for who in names]
        rows.append((f"{count:,}", *map(duration, seconds), *(f"{0.02 / value:,.0f}" for value in seconds)))
    header = ("streams", *(f"{who}, 20 ms of one stream" for who in names),
              *(f"{who}, streams a core" for who in names))
    return table(header, rows, numbers_from=0)


def machine(name: str = "chain") -> str:
    document = results.read(name)
    found = document["machine"]
    libraries = ", ".join(f"{library} {version}" for library, version in found["libraries"].items())
    return (f"Measured on {document['date']}: {found['processor']}, {found['cores']} cores, {found['system']}, Python "
            f"{found['python']}, kernels at level `{found['simd']}`; {libraries}.")


BLOCKS: dict[str, Callable[..., str]] = {
    function.__name__: function for function in (contest, headline, sentence, imports, sizes, memory, scale, machine)}


def block(what: str) -> str:
    """What stands between the comments ``figures: what`` and ``end of figures``."""
    name, *arguments = what.split()
    return BLOCKS[name](*arguments)


def rendered(page: str) -> str:
    """A page's text with every region filled in anew."""
    def fill(region: re.Match[str]) -> str:
        return f"{region['open']}{block(region['what'])}\n{region['close']}"

    return REGION.sub(fill, page)


# --- plots


class Colours(NamedTuple):
    text: str
    grid: str
    series: tuple[str, ...]


COLOURS = {"light": Colours("#3b3f44", "#d9dcdf", ("#0b6e4f", "#b4530a", "#3a5fa8", "#8a3b75")),
           "dark": Colours("#c9ccd0", "#43484e", ("#5fd3a8", "#f0a35e", "#8fb1f0", "#d893c6"))}


def draw_headline(axes: Any, colours: Colours) -> None:
    rows = headline_rows()[::-1]
    ratios = [figure["ratios"][line.peer] for line, figure in rows]
    medians = [ratio["median"] for ratio in ratios]
    axes.barh([line.english for line, _ in rows], medians, color=colours.series[0], height=0.6)
    for place, ((line, _), median) in enumerate(zip(rows, medians, strict=True)):
        axes.annotate(f"{times(median)} {line.peer}", (median, place), xytext=(4, 0), textcoords="offset points",
                      va="center", fontsize=8, color=colours.text)
    axes.set_xscale("log")
    axes.set_xlim(0.8, max(medians) * 12)
    plain_numbers(axes.xaxis, (1, 2, 5))
    axes.axvline(1, color=colours.text, linewidth=0.8)
    axes.set_xlabel("times as fast as the peer (logarithmic)")
    axes.grid(visible=False, axis="y")


def plain_numbers(axis: Any, steps: Sequence[int]) -> None:
    """Write 10,000 and not a power of ten, at these multiples of each power."""
    from matplotlib import ticker

    axis.set_major_locator(ticker.LogLocator(subs=steps))
    axis.set_major_formatter(ticker.StrMethodFormatter("{x:,.0f}"))
    axis.set_minor_formatter(ticker.NullFormatter())


def draw_scale(axes: Any, colours: Colours) -> None:
    figures = results.read("scale")["figures"]
    for colour, who in zip(colours.series, dict.fromkeys(figure["who"] for figure in figures), strict=False):
        mine = [figure for figure in figures if figure["who"] == who]
        streams = [figure["streams"] for figure in mine]
        micros = [figure["seconds_a_block"]["median"] * 1e6 for figure in mine]
        axes.plot(streams, micros, marker="o", color=colour, label=who)
    axes.set_xscale("log")
    axes.set_yscale("log")
    plain_numbers(axes.xaxis, (1,))
    plain_numbers(axes.yaxis, (1, 2, 5))
    axes.set_xlabel("streams in one process, taking turns")
    axes.set_ylabel("µs for 20 ms of one stream")
    axes.legend(frameon=False, labelcolor=colours.text)


class Plot(NamedTuple):
    draw: Callable[[Any, Colours], None]
    data: Callable[[], Any]
    height: float


DRAWINGS: dict[str, Plot] = {
    "headline": Plot(draw_headline, lambda: [figure["ratios"] for _, figure in headline_rows()], 3.6),
    "scale": Plot(draw_scale, lambda: results.read("scale")["figures"], 3.4),
}


def digest(plot: Plot) -> str:
    """What a plot was drawn from, so that one that is out of date can be told without drawing it."""
    return hashlib.sha256(json.dumps(plot.data(), sort_keys=True).encode()).hexdigest()[:16]


def draw(name: str, plot: Plot) -> None:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    PLOTS.mkdir(exist_ok=True)
    for shade, colours in COLOURS.items():
        settings = {"svg.fonttype": "none", "svg.hashsalt": "asrproto", "font.family": "sans-serif", "font.size": 9,
                    "text.color": colours.text, "axes.labelcolor": colours.text, "axes.edgecolor": colours.grid,
                    "xtick.color": colours.text, "ytick.color": colours.text, "grid.color": colours.grid,
                    "axes.grid": True, "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False}
        with pyplot.rc_context(settings):
            figure, axes = pyplot.subplots(figsize=(7.2, plot.height), layout="constrained")
            plot.draw(axes, colours)
            path = PLOTS / f"{name}-{shade}.svg"
            figure.savefig(path, transparent=True, metadata={"Date": None, "Creator": None, "Source": digest(plot)})
            pyplot.close(figure)


def stale() -> list[str]:
    """The pages and plots that are not what the results give."""
    found = [page for page in PAGES if (path := ROOT / page).exists()
             and path.read_text("utf-8") != rendered(path.read_text("utf-8"))]
    for name, plot in DRAWINGS.items():
        for shade in COLOURS:
            path = PLOTS / f"{name}-{shade}.svg"
            if not path.exists() or digest(plot) not in path.read_text("utf-8"):
                found.append(path.relative_to(ROOT).as_posix())
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.render", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; fail if something is out of date")
    if parser.parse_args().check:
        out_of_date = stale()
        for name in out_of_date:
            print(f"{name} does not show the figures of benchmarks/results: make figures", file=sys.stderr)
        return bool(out_of_date)
    for page in PAGES:
        path = ROOT / page
        if path.exists():
            path.write_text(rendered(path.read_text("utf-8")), "utf-8")
    for name, plot in DRAWINGS.items():
        draw(name, plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
