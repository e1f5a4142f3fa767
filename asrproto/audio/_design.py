"""The filters of the resampler, and how they are laid out for its kernels.

Every conversion goes through one sharp filter and, in general, one loose one:

- down: in → 1.5·out by a loose filter (pass-band to out/2, stop-band from out on, which is all that would fold back
  below out/2), then 1.5·out → out by the sharp filter;
- up: in → 1.5·in by the sharp filter, then 1.5·in → out by a loose one (pass-band to in/2, stop-band from in on).

The sharp filter is therefore the same for all pairs of rates: two thirds or three halves, from the table of the quality
in ``_sharp``. The loose filter is a windowed sinc (Kaiser 1974) of some 20 taps per 1.5·rate, whatever the ratio is.

Nothing in here calls a mathematical library: sine and Bessel function are polynomials, of additions and multiplications
alone, so that the tables have the same bits on every machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from asrproto._kernels.resample import GROUP, Stage
from asrproto.audio._sharp import SHARP

__all__ = ["QUALITIES", "Design", "design"]

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# Attenuation of the loose filters: a little more than of the sharp ones.
_LOOSE_DB = {"fast": 115.0, "medium": 115.0, "high": 137.0, "best": 152.0}

QUALITIES = tuple(SHARP)

_LANES_DOWN, _LANES_UP = 512, 1024  # the longest period that is kept as lanes
_WORK = 6144                        # floats of workspace that a run of periods should fill
_DOTS_TABLE = 65536                 # coefficients in a table with a row for each phase; beyond, cubics
_SEGMENTS = 64                      # cubics between two inputs; off by less than 2^-31


def _sinc(x: Doubles) -> Doubles:
    """sin(πx)/(πx) by Taylor's series around the nearest integer."""
    nearest = np.rint(x)
    square = ((x - nearest) * math.pi) ** 2
    series = np.zeros_like(x)
    for k in range(10, -1, -1):
        series = series * square + (-1) ** k / math.factorial(2 * k + 1)
    sine = series * (x - nearest) * np.where(nearest % 2 == 0, 1.0, -1.0)
    zero = x == 0
    return np.where(zero, 1.0, sine / np.where(zero, 1.0, x))


def _bessel_i0(x: Doubles) -> Doubles:
    quarter = x * x / 4
    series = np.ones_like(x)
    for k in range(60, 0, -1):
        series = series * quarter / (k * k) + 1.0
    return series


@dataclass(frozen=True)
class _Kaiser:
    """A windowed sinc as a function of time in input samples; zero from `half` on."""

    cutoff: float
    half: float
    beta: float

    @classmethod
    def between(cls, passed: float, stopped: float, attenuation: float) -> _Kaiser:
        """Pass-band up to `passed`, stop-band from `stopped` on, in cycles per input sample."""
        taps = (attenuation - 7.95) / (14.36 * (stopped - passed)) + 1
        return cls((passed + stopped) / 2, taps / 2, 0.1102 * (attenuation - 8.7))

    def __call__(self, time: Doubles) -> Doubles:
        inside = np.clip(1 - (time / self.half) ** 2, 0.0, None)
        window = _bessel_i0(self.beta * np.sqrt(inside)) / _bessel_i0(np.array(self.beta))
        return np.where(inside > 0, 2 * self.cutoff * _sinc(2 * self.cutoff * time) * window, 0.0)


def _lanes(up: int, down: int, taps: Doubles, start: Integers) -> Stage:
    """One period: output l is the sum of taps[l, t] times the input start[l] + t after the period's own."""
    back = -int(start.min())
    start = start + back
    groups, places, coefs = [], [], []
    ends = np.zeros(up, dtype=np.int32)
    places_so_far = coefs_so_far = 0
    for low in range(0, up, GROUP):
        outputs = range(low, min(low + GROUP, up))
        begin, end = int(start[outputs[0]]), int(start[outputs[-1]]) + taps.shape[1]
        union = np.zeros((end - begin, len(outputs)))
        for column, output in enumerate(outputs):
            offset = int(start[output]) - begin
            union[offset:offset + taps.shape[1], column] = taps[output]
        # From the outermost taps inwards: partial sums, and with them the errors of rounding, stay small for longest.
        weights = np.abs(union).sum(axis=1)
        used = np.flatnonzero(weights)
        centre = (begin + end - 1) / 2 - begin
        used = used[np.argsort(-np.abs(used - centre), kind="stable")]
        groups.append((len(outputs), len(used), places_so_far, coefs_so_far))
        places.append(used + begin)
        coefs.append(union[used].ravel())
        places_so_far += used.size
        coefs_so_far += used.size * len(outputs)
        ends[low:outputs[-1] + 1] = int(used.max()) + begin + 1
    ends = np.maximum.accumulate(ends)
    span = int(ends[-1])
    lanes_max = min(max(_WORK // max(up, down) // 16 * 16, 16), 256)
    stride = lanes_max + (span - 1) // down + 1
    place = np.concatenate(places)
    ahead = int((ends - np.arange(up) * down // up).max()) - back
    return Stage.lanes(up, down, back, ahead, lanes_max, stride, ends, np.array(groups, dtype=np.int32),
                       (place % down * stride + place // down).astype(np.int32),
                       np.concatenate(coefs).astype(np.float32))


@lru_cache(maxsize=8)
def _sharp(quality: str, up: int, down: int) -> Stage:
    """2/3 or 3/2 by the table; twice that when it is 2/3, so that four outputs share their inputs."""
    half = np.array(SHARP[quality], dtype=np.float64) * 2.0**-40 * up
    prototype = np.concatenate([half[:0:-1], half])
    reach = half.size - 1
    repeat = 2 if up == 2 else 1
    output = np.arange(up * repeat) * down
    start = -((reach - output) // up)  # the first input that the prototype reaches from each output
    at = reach + up * (start[:, None] + np.arange(2 * reach // up + 1)) - output[:, None]
    rows = np.where(at < prototype.size, prototype[np.minimum(at, prototype.size - 1)], 0.0)
    return _lanes(up * repeat, down * repeat, rows, start)


def _loose(ratio: Fraction, filter_: _Kaiser) -> Stage:
    up, down = ratio.numerator, ratio.denominator
    reach = math.ceil(filter_.half)
    if up < 3:  # a few periods together, so that their outputs share inputs
        repeat = max(1, min(4 // up, reach // (2 * down)))
        up, down = up * repeat, down * repeat
    if down <= _LANES_DOWN and up <= _LANES_UP:
        output = np.arange(up) * down
        start = output // up - reach + 1
        time = start[:, None] + np.arange(2 * reach) - (output / up)[:, None]
        return _lanes(up, down, filter_(time), start)

    taps = -(-2 * reach // 16) * 16
    steps = np.arange(taps) - taps // 2 + 1.0
    if up * taps <= _DOTS_TABLE:
        segments = 0
        coef = filter_(steps - (np.arange(up) / up)[:, None])
    else:
        segments = _SEGMENTS
        node = np.arange(_SEGMENTS)[:, None]
        y = [filter_(steps - (node + third / 3) / _SEGMENTS) for third in range(4)]
        coef = np.stack([  # Lagrange's cubic through four nodes, in powers of the place between the first and the last
            y[0],
            (-11 * y[0] + 18 * y[1] - 9 * y[2] + 2 * y[3]) / 2,
            (18 * y[0] - 45 * y[1] + 36 * y[2] - 9 * y[3]) / 2,
            (-9 * y[0] + 27 * y[1] - 27 * y[2] + 9 * y[3]) / 2,
        ], axis=1)
    return Stage.dots(up, down, taps, segments, np.ascontiguousarray(coef.ravel(), dtype=np.float32))


def _start(stage: Stage, before: int, lead: int) -> tuple[Stage, int, int]:
    """Where a stage starts: `before` of its inputs and `lead` of its outputs come before the stream's time zero.

    The phase of its first output, and the number of zeros in its history.
    """
    if stage.is_lanes:
        periods = -(-lead // stage.up)
        return stage, periods * stage.up - lead, periods * stage.down + stage.back - before
    return stage, -lead * stage.down % stage.up, -(-lead * stage.down // stage.up) + stage.back - before


@dataclass(frozen=True)
class Design:
    """What all resamplers between two rates share."""

    stages: tuple[tuple[Stage, int, int], ...]
    """Each with the phase of its first output and the zeros that its history starts with."""
    latency: float
    """Seconds of input that must follow a moment before the output of that moment appears, at most."""


@lru_cache(maxsize=64)
def design(rate_in: int, rate_out: int, quality: str) -> Design:
    """The filters between two rates, the same object for all who ask for the same ones."""
    if rate_in == rate_out:
        return Design((), 0.0)
    low = min(rate_in, rate_out)
    middle = Fraction(3 * low, 2)
    down = rate_out < rate_in
    sharp = _sharp(quality, 2, 3) if down else _sharp(quality, 3, 2)
    ratio = middle / rate_in if down else rate_out / middle
    if ratio == 1:
        chain = [sharp]
    else:
        source = Fraction(rate_in) if down else middle
        loose = _loose(ratio, _Kaiser.between(float(low / 2 / source), float(low / source), _LOOSE_DB[quality]))
        chain = [loose, sharp] if down else [sharp, loose]

    stages, before, latency, rate = [], 0, 0.0, Fraction(rate_in)
    for stage, following in zip(chain, [*chain[1:], None], strict=True):
        lead = 0 if following is None else min(stage.ahead * stage.up // stage.down + 1, following.back)
        stages.append(_start(stage, before, lead))
        before = lead
        latency += float(stage.ahead / rate)
        rate = rate * stage.up / stage.down
    return Design(tuple(stages), latency)
