"""The filters of the resampler, and how they are laid out for its kernels.

Every conversion goes through one sharp filter and, unless the rates are as 1 to 2 or 2 to 3, one loose one:

- down: in → 1.5·out by a loose filter (pass-band to out/2, stop-band from out on, which is all that would fold back
  below out/2), then 1.5·out → out by the sharp filter;
- up: in → 1.5·in by the sharp filter, then 1.5·in → out by a loose one (pass-band to in/2, stop-band from in on).

The sharp filter is therefore the same for all pairs of rates, two thirds or three halves, and so is the shape of the
loose one. ``_prototypes`` holds both for each quality.

Nothing in here calls a mathematical library; it is additions, multiplications and divisions alone, so that the tables
have the same bits on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from asrproto._kernels.resample import GROUP, Stage
from asrproto.audio._prototypes import LOOSE, LOOSE_OVER, SHARP_2, SHARP_3

__all__ = ["Design", "design"]

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_LANES_DOWN, _LANES_UP = 512, 1024  # the longest period that is kept as lanes
_WORK = 6144                        # floats of workspace that a run of periods should fill
_LONG = 100                         # half of a sharp filter from which on the fast FIR algorithm pays
_DOTS_TABLE = 65536                 # coefficients in a table with a row for each phase; beyond, cubics
_SEGMENTS = 64                      # cubics between two inputs; off by less than 2^-31


class _Loose:
    """The loose prototype of a quality as a function of time in input samples: its table, by Lagrange's polynomials."""

    _POINTS = 8

    def __init__(self, quality: str, step: float) -> None:
        """`step`: entries of the table in one input sample."""
        half = np.array(LOOSE["medium" if quality == "fast" else quality], dtype=np.float64) * 2.0**-40 * step
        margin = np.zeros(self._POINTS)
        self._table = np.concatenate([margin, half[:0:-1], half, margin])
        self._centre = half.size - 1 + self._POINTS
        self._step = step
        self.reach = int((half.size - 1) / step) + 1
        """Input samples from which on it is zero."""

    def __call__(self, time: Doubles) -> Doubles:
        place = np.clip(time * self._step + self._centre, self._POINTS / 2, self._table.size - self._POINTS / 2 - 1)
        first = np.floor(place).astype(np.int64) - self._POINTS // 2 + 1
        value = np.zeros_like(place)
        for point in range(self._POINTS):
            weight = np.ones_like(place)
            for other in range(self._POINTS):
                if other != point:
                    weight *= (place - first - other) / (point - other)
            value += self._table[first + point] * weight
        return value


class _Rows:
    """Rows of a workspace that are sums and differences of others: the fast FIR algorithm of two outputs, repeated.

    Two outputs of one filter, its even taps h0 and its odd ones h1, with the even inputs x0, the odd ones x1 and again
    the even ones x2, each one later than x0, take three filters of half the length instead of four (Winograd's
    F(2, 2))::

        y0 = h0·x0 + h1·x1 = h0·(x0 - x1) + (h0 + h1)·x1
        y1 = h0·x1 + h1·x2 = (h0 + h1)·x1 - h1·(x1 - x2)
    """

    def __init__(self, rows: int, stride: int) -> None:
        self.rows = rows
        self.stride = stride
        self.sums: list[tuple[int, int, int, bool]] = []

    def _add(self, left: int, right: int, shift: int, minus: bool, to: int | None = None) -> int:
        if to is None:
            to, self.rows = self.rows, self.rows + 1
        self.sums.append((to * self.stride, left * self.stride, right * self.stride + shift, minus))
        return to

    def split(self, rows: list[int]) -> list[int]:
        """Inputs 0, 1 ... of each period -> the inputs of the smaller filters."""
        if len(rows) == 1:
            return rows
        even, odd = rows[0::2], rows[1::2]
        early = [self._add(x0, x1, 0, True) for x0, x1 in zip(even, odd, strict=True)]
        following = [(row, 0) for row in even[1:]] + [(even[0], 1)]
        late = [self._add(x1, x2, shift, True) for x1, (x2, shift) in zip(odd, following, strict=True)]
        return self.split(early) + self.split(odd) + self.split(late)

    def join(self, rows: list[int], to: list[int] | None = None) -> list[int]:
        """Outputs of the smaller filters -> outputs 0, 1 ... of each period, in the rows `to` or in place."""
        if len(rows) == 1:
            return rows
        third = len(rows) // 3
        joined: list[int] = []
        for early, middle, late in zip(*(self.join(rows[at:at + third]) for at in (0, third, 2 * third)), strict=True):
            even, odd = (early, late) if to is None else to[len(joined):len(joined) + 2]
            self._add(early, middle, 0, False, even)
            self._add(middle, late, 0, True, odd)
            joined += [even, odd]
        return joined


def _split_taps(taps: Doubles, levels: int) -> Doubles:
    """(..., J) -> (..., 3^levels, J / 2^levels), in the order of `_Rows.split`."""
    taps = taps[..., None, :]
    for _ in range(levels):
        even, odd = taps[..., 0::2], taps[..., 1::2]
        taps = np.stack([even, even + odd, odd], axis=-2)
        taps = taps.reshape(*taps.shape[:-3], -1, taps.shape[-1])
    return taps


def _lanes(up: int, down: int, taps: Doubles, start: Integers, levels: int = 0) -> Stage:
    """One period: output l is the sum of taps[l, t] times the input start[l] + t after the period's own.

    With `levels`, 2^levels such periods are taken as one by the fast FIR algorithm.
    """
    back = -int(start.min())
    start = start + back
    many = 2**levels
    per_row = -(-(int(start.max()) + taps.shape[1]) // (down * many)) * many  # taps on each row, of one period
    dense = np.zeros((up, per_row * down))
    for output in range(up):
        dense[output, start[output]:start[output] + taps.shape[1]] = taps[output]
    parts = _split_taps(np.swapaxes(dense.reshape(up, per_row, down), 1, 2), levels)  # (up, down, 3^levels, ...)

    groups, places, coefs = [], [], []
    period_up, period_down = up * many, down * many
    lanes_max = min(max(_WORK // max(period_up, period_down) // 16 * 16, 16), 256)
    wide = (per_row + many - 2) // many + 1
    x = _Rows(period_down, lanes_max + wide + 15)
    leaves = [x.split([b * down + r for b in range(many)]) for r in range(down)]
    y = _Rows(3**levels * up + (period_up if levels else 0), lanes_max + 16)
    for output in range(up):
        y.join([part * up + output for part in range(3**levels)],
               [3**levels * up + b * up + output for b in range(many)])

    ends = np.full(period_up, (per_row + many - 1) * down, dtype=np.int32)
    places_so_far = coefs_so_far = 0
    for part in range(3**levels):
        for low in range(0, up, GROUP):
            union = parts[low:low + GROUP, :, part, :].reshape(-1, down, per_row // many)
            row, column = np.nonzero(np.abs(union).sum(axis=0))
            time = column * down + row
            # From the outermost taps inwards: partial sums, and the errors of rounding with them, stay small for long.
            order = np.argsort(-np.abs(time - (time.min() + time.max()) / 2), kind="stable")
            row, column = row[order], column[order]
            groups.append((union.shape[0], row.size, places_so_far, coefs_so_far, part * up + low))
            places.append(np.array([leaves[r][part] for r in row]) * x.stride + column)
            coefs.append(union[:, row, column].T.ravel())
            places_so_far += row.size
            coefs_so_far += coefs[-1].size
            if levels == 0:
                ends[low:low + GROUP] = time.max() + 1
    ends = np.maximum.accumulate(ends)
    ahead = int((ends - np.arange(period_up) * period_down // period_up).max()) - back
    sums = np.array(x.sums + y.sums, dtype=np.int32).reshape(-1, 4)
    return Stage.lanes(period_up, period_down, back, ahead, lanes_max, (x.stride, y.stride), (x.rows, y.rows), ends,
                       sums, len(x.sums), np.array(groups, dtype=np.int32), np.concatenate(places).astype(np.int32),
                       np.concatenate(coefs).astype(np.float32))


@lru_cache(maxsize=8)
def _sharp(quality: str, up: int, down: int) -> Stage:
    """1/2, 2/1, 2/3 or 3/2 by the table, as a period in which three or four outputs share their inputs."""
    table = SHARP_3 if up + down == 5 else SHARP_2
    half = np.array(table[quality], dtype=np.float64) * 2.0**-40 * up
    prototype = np.concatenate([half[:0:-1], half])
    reach = half.size - 1
    repeat = GROUP // up
    output = np.arange(up * repeat) * down
    start = -((reach - output) // up)  # the first input that the prototype reaches from each output
    at = reach + up * (start[:, None] + np.arange(2 * reach // up + 1)) - output[:, None]
    rows = np.where(at < prototype.size, prototype[np.minimum(at, prototype.size - 1)], 0.0)
    return _lanes(up * repeat, down * repeat, rows, start, int(half.size > _LONG))


def _loose(quality: str, ratio: Fraction, step: float) -> Stage:
    up, down = ratio.numerator, ratio.denominator
    filter_ = _Loose(quality, step)
    reach = filter_.reach
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
    ratio = middle / rate_in if down else rate_out / middle
    if 2 * low == max(rate_in, rate_out):
        chain = [_sharp(quality, 1, 2) if down else _sharp(quality, 2, 1)]
    elif ratio == 1:
        chain = [_sharp(quality, 2, 3) if down else _sharp(quality, 3, 2)]
    else:
        sharp = _sharp(quality, 2, 3) if down else _sharp(quality, 3, 2)
        source = Fraction(rate_in) if down else middle
        loose = _loose(quality, ratio, float(LOOSE_OVER * low / source))
        chain = [loose, sharp] if down else [sharp, loose]

    stages, before, latency, rate = [], 0, 0.0, Fraction(rate_in)
    for stage, following in zip(chain, [*chain[1:], None], strict=True):
        lead = 0 if following is None else min(stage.ahead * stage.up // stage.down + 1, following.back)
        stages.append(_start(stage, before, lead))
        before = lead
        latency += float(stage.ahead / rate)
        rate = rate * stage.up / stage.down
    return Design(tuple(stages), latency)
