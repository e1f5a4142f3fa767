"""Measures quality and speed of the resampler against its peers; plots both, prints the tables of docs/audio.md.

    python -m benchmarks.plot_audio [--no-plots]

Quality is measured with the tones of tests/audio/tones.py, the same for all. Needs soxr, scipy and, for the plots,
matplotlib. One thread everywhere.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.signal
import soxr

from asrproto.audio import resample, simd_level
from asrproto.audio._design import design
from asrproto.audio.resample import QUALITIES
from benchmarks.measuring import estimate, in_turns

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
sys.path.insert(0, str(ROOT / "tests" / "audio"))
from tones import PAIRS, decibel, measure, tone  # noqa: E402

SOXR = {"fast": "LQ", "medium": "MQ", "high": "HQ", "best": "VHQ"}
SECONDS = 30


def ours(quality: str) -> Callable[[np.ndarray, int, int], np.ndarray]:
    return lambda x, a, b: resample(x, a, b, quality=quality)


def soxrs(quality: str) -> Callable[[np.ndarray, int, int], np.ndarray]:
    return lambda x, a, b: soxr.resample(x, a, b, quality=quality)


def scipys(x: np.ndarray, rate_in: int, rate_out: int) -> np.ndarray:
    ratio = Fraction(rate_out, rate_in)
    return np.asarray(scipy.signal.resample_poly(x, ratio.numerator, ratio.denominator), np.float32)


def multiply_adds(rate_in: int, rate_out: int, quality: str) -> float:
    """For one second of input."""
    total, rate = 0.0, float(rate_in)
    for stage, *_ in design(rate_in, rate_out, quality).stages:
        rate *= stage.up / stage.down
        total += stage.macs * rate
    return total


def peak() -> float:
    """Multiply-adds a second of one core, as float32 matrix multiplication reaches them."""
    a = np.random.default_rng(0).standard_normal((768, 768)).astype(np.float32)
    return 768**3 / min(in_turns({"sgemm": lambda: a @ a})["sgemm"])


def quality_table() -> None:
    print("| | worst gain in the pass-band | stop-band, alias or image | THD+N |\n|---|---|---|---|")
    rows: list[tuple[str, Any, float]] = []
    for quality, stated in QUALITIES.items():
        rows.append((f"`{quality}`, to {stated.edge}", ours(quality), stated.edge))
        rows.append((f"soxr {SOXR[quality]}, to {stated.edge if quality == 'fast' else 0.92}", soxrs(SOXR[quality]),
                     0.70 if quality == "fast" else 0.92))
    rows.append(("scipy resample_poly, to 0.70", scipys, 0.70))
    for title, function, edge in rows:
        found = [measure(function, rate_in, rate_out, edge) for rate_in, rate_out in PAIRS]
        worst = max(found, key=lambda f: max(abs(f["low"]), abs(f["high"])))
        gain = worst["low"] if abs(worst["low"]) > abs(worst["high"]) else worst["high"]
        print(f"| {title} | {gain:+.3f} dB | {max(f['stopped'] for f in found):.0f} dB "
              f"| {max(f['noise'] for f in found):.0f} dB |")


def throughput() -> dict[tuple[int, int], dict[str, float]]:
    """Times real time, by pair, of every quality of both."""
    found = {}
    print(f"\n{simd_level()}, one core, where sgemm makes {peak() / 1e9:.0f} G multiply-adds a second\n")
    print("| Hz | " + " | ".join(f"`{q}` | G/s | against soxr {SOXR[q]}" for q in QUALITIES) + " |")
    print("|---" * (1 + 3 * len(QUALITIES)) + "|")
    for rate_in, rate_out in PAIRS:
        samples = (np.random.default_rng(1).standard_normal(SECONDS * rate_in) * 0.1).astype(np.float32)
        cells, speeds = [], {}
        for quality, peer in SOXR.items():
            times = in_turns({"ours": partial(resample, samples, rate_in, rate_out, quality=quality),
                              "soxr": partial(soxr.resample, samples, rate_in, rate_out, quality=peer)})
            mine = float(np.median(times["ours"]))
            ratio = estimate([b / a for a, b in zip(times["ours"], times["soxr"], strict=True)]).median
            rate = multiply_adds(rate_in, rate_out, quality) * SECONDS / mine
            speeds[quality], speeds[f"soxr {peer}"] = SECONDS / mine, SECONDS / float(np.median(times["soxr"]))
            cells.append(f"{SECONDS / mine:,.0f} × | {rate / 1e9:.0f} | {ratio:.2f}")
        found[rate_in, rate_out] = speeds
        print(f"| {rate_in} → {rate_out} | " + " | ".join(cells) + " |")
    return found


def plot_response(plt: Any) -> None:
    """What comes out for a tone of each frequency, 48 → 16 kHz: the pass-band on the left, aliases on the right."""
    figure, (close, all_) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    contenders = [*((f"asrproto {q}", ours(q), "-") for q in QUALITIES), ("soxr HQ", soxrs("HQ"), ":"),
                  ("soxr VHQ", soxrs("VHQ"), ":"), ("scipy resample_poly", scipys, "--")]
    inner = slice(1600, -1600)
    for axes, frequencies in ((close, np.linspace(4000, 8200, 85)), (all_, np.linspace(200, 23900, 160))):
        for title, function, style in contenders:
            outputs = [function(tone(f, 48000), 48000, 16000)[inner].astype(float) for f in frequencies]
            levels = [decibel(float(np.sqrt(2 * np.mean(output**2))) / 0.98) for output in outputs]
            axes.plot(frequencies / 1000, levels, style, label=title, linewidth=1.2)
        axes.set_xlabel("frequency of the tone in, kHz")
        axes.grid(alpha=0.3)
    close.set(ylim=(-3, 0.2), ylabel="level out, dB", title="pass-band, 48 → 16 kHz")
    all_.set(ylim=(-175, 5), title="all that comes out: beyond 8 kHz it is alias")
    all_.axvline(8, color="black", linewidth=0.6)
    close.legend(loc="lower left", fontsize=8)
    figure.savefig(IMAGES / "audio-response.svg")


def plot_alias_map(plt: Any) -> None:
    """Spectrum out against the frequency in, a sweep of tones: only the diagonal should be there."""
    contenders = [("asrproto high", ours("high")), ("soxr HQ", soxrs("HQ")), ("scipy resample_poly", scipys)]
    figure, axes = plt.subplots(1, 3, figsize=(11, 4), layout="constrained", sharey=True)
    frequencies = np.linspace(100, 23900, 240)
    for axis, (title, function) in zip(axes, contenders, strict=True):
        columns = []
        for f in frequencies:
            out = function(tone(f, 48000), 48000, 16000)[2000:6096].astype(float)
            spectrum = np.abs(np.fft.rfft(out * np.kaiser(out.size, 24)))[:2048].reshape(256, 8).max(axis=1)
            columns.append(20 * np.log10(spectrum / out.size * 8 + 1e-9))
        image = axis.imshow(np.array(columns).T, origin="lower", aspect="auto", vmin=-170, vmax=0, cmap="magma",
                            extent=(0.1, 23.9, 0, 8), interpolation="nearest")
        axis.set(title=title, xlabel="tone in, kHz")
    axes[0].set_ylabel("out, kHz")
    figure.colorbar(image, ax=axes, label="dB")
    figure.savefig(IMAGES / "audio-alias.png", dpi=110)


def plot_throughput(plt: Any, found: dict[tuple[int, int], dict[str, float]]) -> None:
    figure, axes = plt.subplots(figsize=(11, 4.5), layout="constrained")
    names = list(next(iter(found.values())))
    for index, name in enumerate(names):
        colour = f"C{index // 2}"
        axes.bar(np.arange(len(found)) + (index - len(names) / 2 + 0.5) / (len(names) + 1.5),
                 [speeds[name] for speeds in found.values()], 1 / (len(names) + 1.5),
                 label=name if name.startswith("soxr") else f"asrproto {name}", color=colour,
                 alpha=0.45 if name.startswith("soxr") else 1)
    axes.set_xticks(range(len(found)), [f"{a / 1000:g} → {b / 1000:g} kHz" for a, b in found], fontsize=8)
    axes.set(ylabel="times real time", title=f"30 s, mono, float32, one core, {simd_level()}")
    axes.legend(ncols=4, fontsize=8)
    axes.grid(axis="y", alpha=0.3)
    figure.savefig(IMAGES / "audio-throughput.svg")


def main() -> None:
    quality_table()
    found = throughput()
    if "--no-plots" not in sys.argv:
        import matplotlib

        matplotlib.use("Agg")
        matplotlib.rcParams["svg.hashsalt"] = "asrproto"
        from matplotlib import pyplot

        IMAGES.mkdir(parents=True, exist_ok=True)
        plot_response(pyplot)
        plot_alias_map(pyplot)
        plot_throughput(pyplot, found)


if __name__ == "__main__":
    main()
